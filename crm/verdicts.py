"""The verdict on each of those who are due: who may be written to now, who waits and until when, who never, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlmodel import Session

from crm import caps, consent, content, customers, phones
from crm.caps import Caps
from crm.choice import Option, best
from crm.consent import Standing
from crm.content import ByTemplate, Content
from crm.errors import Conflict
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.moulds import Mould, Said, mould
from crm.reach import Reach
from crm.wording import Values
from storage import personal, recipients, turns
from storage.broadcasts import BroadcastView
from storage.columns import new_id
from storage.conversations import BLOCKED, ELSEWHERE, STAFF
from storage.turns import Place, Waiting

TALKING_WAIT = timedelta(hours=1)
MOST_WAITS = 6
"""How often somebody is put off who talks with staff, or whose cap is reached, before nothing comes of it."""
CAP_WAIT = timedelta(hours=24)
BUSY_WAIT = timedelta(seconds=30)
"""How long to wait for what else goes to the same person."""
_NOT_THE_BOT = (STAFF, ELSEWHERE)
_IN_WORDS: tuple[None] = (None,)


class Why:
    """Reasons, as they are kept; people read them in words."""

    MERGED = recipients.MERGED
    STAFF = "staff"
    BLOCKED = "blocked"
    TALKING = "talking"
    CAP = "cap"
    BUSY = "busy"
    PACE = "pace"
    NO_PLACE = "no_identity"
    UNWRITABLE = "unwritable"
    CANCELLED = "cancelled"
    ERASED = personal.GONE


class Held(NamedTuple):
    """Why somebody waits, and until when. `stops`: so do all who go the same way, and a broadcast of which nobody
    waits for anything else pauses for that reason. `counts`: it happens a few times only."""

    reason: str
    until: datetime
    stops: bool = False
    counts: bool = False


class Gate(Protocol):
    """What the sending side knows: the channels' rules, each account's pace, templates, allowances, the budget."""

    def reach(self, place: Place, purpose: Purpose, standing: Standing, template: ByTemplate | None) -> Reach:
        """What the rules say of writing to this place, in words or by a template."""

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """What keeps this option waiting; None where it may go now."""

    def fitted(self, place: Place, message: Message) -> Message | None:
        """The message as its channel shows it by one call; None where it takes several, or none."""

    def spend(self, place: Place, option: Option) -> None:
        """This one goes: take it off the pace and the budget."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's own rules: its caps, its hours, what texts say of it, and after which time a broadcast that could have
    gone out asks a person first; None for never."""

    caps: Caps
    hours: LawfulHours
    shop: Mapping[str, str] = field(default_factory=dict)
    late: timedelta | None = None

    def is_late(self, meant: datetime, now: datetime) -> bool:
        """Whether what was meant for a moment, and could go out from the next lawful one on, is too late now."""
        return self.late is not None and now - self.hours.next_moment(meant) > self.late


class Ready(NamedTuple):
    """A message that is ours to send now; it is written down as being sent."""

    recipient: Waiting
    place: Place
    option: Option
    message: Message
    body: str
    outbox_id: int


@dataclass(slots=True)
class Taken:
    """What became of those who were due. `stops` are broadcasts of which nobody can go now, of those `looked` at."""

    ready: list[Ready] = field(default_factory=list)
    waits: list[tuple[Waiting, Held]] = field(default_factory=list)
    skips: dict[int, str] = field(default_factory=dict)
    stops: dict[int, Held] = field(default_factory=dict)
    looked: list[BroadcastView] = field(default_factory=list)


class Batch(NamedTuple):
    """Recipients of one broadcast or care rule, with what they are told."""

    broadcast_id: int | None
    said: Content
    rows: Sequence[Waiting]
    values: Mapping[int, Values]


class Look:
    """What one turn knows of everybody who is due, and its verdict on each."""

    def __init__(
        self, session: Session, gate: Gate, policy: Policy, now: datetime, rows: Sequence[Waiting], taken: Taken
    ) -> None:
        self._session, self._gate, self._now, self._taken = session, gate, now, taken
        self._customers = {row.customer_id for row in rows}
        self.places = turns.places(session, self._customers, now)
        self._capped = caps.reached(session, self._customers, policy.caps, now)
        self._standings: dict[tuple[Purpose, str], Mapping[int, Standing]] = {}
        self._met: set[int] = set()
        self._used: set[int] = set()
        self._moulds: dict[tuple[int, str, str], Mould | None] = {}

    def judge(self, batch: Batch) -> None:
        """Decide about everybody of a batch."""
        if not batch.rows:
            return
        purpose = Purpose(batch.rows[0].purpose)
        identities = [place.identity_id for row in batch.rows for place in self.places.get(row.customer_id, ())]
        self._used = (
            turns.used(self._session, batch.broadcast_id, identities)
            if batch.broadcast_id is not None and identities
            else set()
        )
        stops: list[Held] = []
        skipped = len(self._taken.skips)
        for row in batch.rows:
            verdict = self._one(batch, row, purpose)
            if isinstance(verdict, Ready):
                self._taken.ready.append(verdict)
            elif isinstance(verdict, Held):
                self._taken.waits.append((row, verdict))
                stops += [verdict] if verdict.stops else []
            else:
                self._taken.skips[row.id] = verdict
        skipped = len(self._taken.skips) - skipped
        if batch.broadcast_id is not None and stops and len(stops) + skipped == len(batch.rows):
            self._taken.stops[batch.broadcast_id] = min(stops, key=lambda each: each.until)

    def _one(self, batch: Batch, row: Waiting, purpose: Purpose) -> Ready | Held | str:
        """Decide about one: what to send, how long to wait, or why nothing is sent."""
        places = self.places.get(row.customer_id, [])
        if row.merged_into is not None:
            return Why.MERGED
        blocked = talking = False
        for each in places:
            if each.of_staff:
                return Why.STAFF
            blocked = blocked or each.holder == BLOCKED
            talking = talking or talks(each)
        found = self._choose(batch.said, row, purpose, places)
        if found is None:
            return Why.NO_PLACE
        place, option = found
        if option.reach.refusal is not None:
            return option.reach.refusal.value
        if place.identity_id in self._used:
            return Why.MERGED
        if blocked:
            return Why.BLOCKED
        if talking:
            return self._later(row, Why.TALKING, TALKING_WAIT)
        if row.customer_id in self._capped and purpose.is_marketing:
            return Why.CAP if row.broadcast_id else self._later(row, Why.CAP, CAP_WAIT)
        if place.is_busy or row.customer_id in self._met:
            return Held(Why.BUSY, self._now + BUSY_WAIT)
        held = self._gate.held(place, purpose, option)
        if held is not None:
            return held
        said = self._said(batch, row, place, purpose, option)
        if said is None:
            return Why.UNWRITABLE
        self._met.add(row.customer_id)
        self._gate.spend(place, option)
        return Ready(row, place, option, said.message, said.body, new_id())

    def _choose(
        self, said: Content, row: Waiting, purpose: Purpose, places: list[Place]
    ) -> tuple[Place, Option] | None:
        """Where and how they are written to; at their number, by a template, where none of their identities will do."""
        found = self._best(said, row, purpose, places)
        if (found is None or found[1].reach.refusal is not None) and row.phone:
            places = [*places, *self._at_phone(said, row, purpose, places)]
            found = self._best(said, row, purpose, places)
        return found

    def _best(
        self, said: Content, row: Waiting, purpose: Purpose, places: Sequence[Place]
    ) -> tuple[Place, Option] | None:
        found: list[tuple[Place, Option]] = []
        for place in places:
            standing = self._standing(row.customer_id, purpose, place.channel)
            for template in ways(said, place):
                reached = self._gate.reach(place, purpose, standing, template)
                found.append((place, Option(place.identity_id, place.last_interaction_at, template, reached)))
        if len(found) < 2:
            return found[0] if found else None
        option = best([each for _, each in found])
        return next(each for each in found if each[1] is option)

    def _at_phone(self, said: Content, row: Waiting, purpose: Purpose, places: Sequence[Place]) -> list[Place]:
        """Their phone number as a place for each template that may go there, made at first need."""
        found: list[Place] = []
        known = {(place.channel, place.account_id) for place in places if phones.number_at(place.user_id)}
        for template in said.templates:
            where = (template.channel, template.account_id)
            if not template.to_phone or where in known or not self._may_go_by_phone(row, purpose, where[0]):
                continue
            person = customers.by_phone(self._session, row.customer_id, *where, self._now)
            if person is not None:
                found.append(
                    Place(
                        row.customer_id, person.identity_id, *where, person.user_id, name="", last_interaction_at=None,
                        unreachable_since=person.unreachable_since, of_staff=False, holder="", waiting_since=None,
                        is_busy=False,
                    )
                )  # fmt: skip
        return found

    def _may_go_by_phone(self, row: Waiting, purpose: Purpose, channel: str) -> bool:
        """Whether somebody may be written to at their number of whom no identity will do."""
        granted = self._standing(row.customer_id, purpose, channel) is Standing.GRANTED
        return granted or not purpose.is_marketing

    def _standing(self, customer_id: int, purpose: Purpose, channel: str) -> Standing:
        """How a customer stands to this on a channel; one statement for everybody of the turn."""
        if not purpose.is_marketing:
            return Standing.NONE
        key = (purpose, channel)
        if key not in self._standings:
            self._standings[key] = consent.standing(self._session, self._customers, purpose, channel)
        return self._standings[key][customer_id]

    def _said(self, batch: Batch, row: Waiting, place: Place, purpose: Purpose, option: Option) -> Said | None:
        """What they read, in one message of their channel; None where it cannot be written for them."""
        values = batch.values.get(row.id, {})
        try:
            if option.template is not None:
                return self._fitted(place, Message(template=content.use(option.template, values)))
            text = content.text(batch.said, purpose, values)
        except Conflict:
            return None
        key = (id(batch.said), row.purpose, place.channel)
        if key not in self._moulds:
            longest = self._fitted(place, content.longest(batch.said, purpose))
            self._moulds[key] = mould(longest.message) if longest else None
        found = self._moulds[key]
        return (found.pour(text) if found else None) or self._fitted(place, content.message(batch.said, text))

    def _fitted(self, place: Place, message: Message) -> Said | None:
        fitted = self._gate.fitted(place, message)
        return Said(fitted, fitted.dumps()) if fitted else None

    def _later(self, row: Waiting, reason: str, wait: timedelta) -> Held | str:
        """Put somebody off for whom it is not the time; after some times nothing comes of it."""
        return reason if row.attempts >= MOST_WAITS else Held(reason, self._now + wait, counts=True)


def talks(place: Place) -> bool:
    """Whether they wait for a person there, or talk with one."""
    return place.holder in _NOT_THE_BOT or place.waiting_since is not None


def ways(said: Content, place: Place) -> Sequence[ByTemplate | None]:
    """In which ways this place may be written to: in words, and by the templates of its channel and account."""
    by_phone = bool(phones.number_at(place.user_id))
    if not said.templates:
        return () if by_phone or not said.text else _IN_WORDS
    fit = [
        each
        for each in said.templates
        if each.channel == place.channel
        and each.account_id in ("", place.account_id)
        and (each.to_phone or not by_phone)
    ]
    return [*([None] if said.text and not by_phone else []), *fit]
