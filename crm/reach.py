"""May we write to this person now, by which lane, at what cost; and if not: why, and from when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from crm.messages import Purpose
from crm.templates import Terms


class Refusal(StrEnum):
    """Why we may not write now."""

    NEVER_WROTE = "never_wrote"
    WINDOW_CLOSED = "window_closed"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    UNREACHABLE = "unreachable"
    WRONG_TAG = "wrong_tag"
    NO_LANE = "no_lane"
    BAD_VALUES = "bad_values"


@dataclass(frozen=True, slots=True)
class Lane:
    """One legal way a message goes out, in force from `since` until the day before `until`.

    Open for `within` after the person's last interaction; always, where that is None. `typed_only` lanes carry only
    text that a person typed, `template` lanes only approved templates, `by_phone` lanes go to a phone number instead of
    the channel's own id. `cost` is in đồng a message, beside a template's own price. `marketing` says whether promotion
    may go this way. While one of the allowances `paid_by` lasts, it costs nothing; `opened_by` are those whose renewal
    opens the lane again where the platform shut it.
    """

    name: str
    within: timedelta | None
    since: date
    until: date | None = None
    cost: int = 0
    typed_only: bool = False
    marketing: bool = True
    template: bool = False
    by_phone: bool = False
    paid_by: frozenset[str] = frozenset()
    opened_by: frozenset[str] = frozenset()

    @property
    def is_free(self) -> bool:
        """Whether a message by this lane never draws on anything."""
        return not (self.cost or self.template)

    def in_force(self, day: date) -> bool:
        """Whether the platform's rule holds on this day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Rules:
    """A channel's lanes, best first, as data with dates."""

    lanes: tuple[Lane, ...]

    def is_free(self, name: str) -> bool:
        """Whether what takes this lane never draws on anything."""
        return all(lane.is_free for lane in self.lanes if lane.name == name)

    def opened_by(self, name: str) -> frozenset[str]:
        """The allowances whose renewal opens this lane again."""
        return frozenset(each for lane in self.lanes if lane.name == name for each in lane.paid_by | lane.opened_by)


class ReachFacts(NamedTuple):
    """What `reach` must know, and no more: previews group people by it. `paying` are the account's allowances that
    last for this message."""

    purpose: Purpose
    last_interaction_at: datetime | None
    now: datetime
    typed_by_person: bool = False
    consented: bool = False
    opted_out: bool = False
    unreachable: bool = False
    template: Terms | None = None
    by_phone: bool = False
    paying: frozenset[str] = frozenset()


class Reach(NamedTuple):
    """The answer. Allowed: `lane`, `cost` in đồng, and `until` when it closes. Refused: `refusal` says why."""

    lane: str = ""
    cost: int = 0
    until: datetime | None = None
    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        """Whether the message may go now."""
        return self.refusal is None


MARGIN = timedelta(minutes=2)
"""Kept free at the end of every window: clocks differ and a call takes time."""


class Way(NamedTuple):
    """A lane that a message may take, at this price, `within` so long after the person's last interaction; None where
    that does not matter. `to_all`: even to those who never wrote."""

    lane: str
    cost: int
    within: timedelta | None
    to_all: bool


def reach(rules: Rules, facts: ReachFacts) -> Reach:
    """The first lane that is open; else the reason that someone can act upon.

    A reply to a person who just wrote always passes consent: they asked. Marketing needs consent and no opt-out.
    A message with a template goes by a template lane, which asks for no window; one without never does. A lane without
    a window is open to everybody who ever wrote.
    """
    return chosen(ways(rules, facts), facts.last_interaction_at, facts.now)


def ways(rules: Rules, facts: ReachFacts) -> Refusal | tuple[Way, ...]:
    """The lanes that are open to such a person, best first, whenever they wrote last; or why none ever is.

    The same for all who differ in nothing but their last interaction.
    """
    if facts.unreachable:
        return Refusal.UNREACHABLE
    marketing = facts.purpose.is_marketing
    if marketing and facts.opted_out:
        return Refusal.OPTED_OUT
    if marketing and not facts.consented:
        return Refusal.NO_CONSENT
    if facts.template is not None:
        return _by_template(rules, facts, facts.template)
    return tuple(
        Way(lane.name, 0 if lane.within is not None and lane.paid_by & facts.paying else lane.cost, lane.within, False)
        for lane in rules.lanes
        if not lane.template and _is_open(lane, facts)
    )


def chosen(found: Refusal | tuple[Way, ...], last_interaction_at: datetime | None, now: datetime) -> Reach:
    """The first of these ways that is open now to whoever wrote last at this moment, None for never."""
    if isinstance(found, Refusal):
        return Reach(refusal=found)
    for lane, cost, within, to_all in found:
        if to_all:
            return Reach(lane, cost)
        if last_interaction_at is None:
            return Reach(refusal=Refusal.NEVER_WROTE)
        if within is None:
            return Reach(lane, cost)
        closes = last_interaction_at + within - MARGIN
        if now < closes:
            return Reach(lane, cost, closes)
    return Reach(refusal=Refusal.NEVER_WROTE if last_interaction_at is None else Refusal.WINDOW_CLOSED)


def _by_template(rules: Rules, facts: ReachFacts, terms: Terms) -> Refusal | tuple[Way, ...]:
    if not terms.tag.allows(facts.purpose):
        return Refusal.WRONG_TAG
    for lane in rules.lanes:
        if lane.template and lane.by_phone == facts.by_phone and _is_open(lane, facts):
            price = terms.price_phone if lane.by_phone else terms.price_user
            return (Way(lane.name, lane.cost + price, None, to_all=True),)
    return Refusal.NO_LANE


def _is_open(lane: Lane, facts: ReachFacts) -> bool:
    """Whether such a message may take this lane at all, whatever its window."""
    return (
        lane.in_force(facts.now.date())
        and (facts.typed_by_person or not lane.typed_only)
        and (lane.marketing or not facts.purpose.is_marketing)
    )


def marketing_window(rules: Rules, now: datetime) -> timedelta | None:
    """How long after somebody's last word marketing may go to them now without a template; None where it never may."""
    open_now = [
        lane.within
        for lane in rules.lanes
        if lane.in_force(now.date()) and lane.marketing and not (lane.template or lane.typed_only)
    ]
    return max((within for within in open_now if within is not None), default=None)
