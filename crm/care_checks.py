"""Whether a care message still makes sense at the moment it would go out: everything that may have changed by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from crm import care, care_enrolment, care_timing, orders, segments
from crm.care_rules import Goal, Moment, Rule
from crm.care_timing import TooLate, Wait
from crm.errors import CrmError
from crm.segments import AsOf
from crm.verdicts import Held
from storage import care as store
from storage import care_recipients, members, moments
from storage import orders as order_rows
from storage.care import OFF
from storage.orders import VOID


class Why:
    """Why a care message is not sent, as it is kept; people read it in words."""

    RULE_OFF = "rule_off"
    LATE = "late"
    CAUGHT_UP = "caught_up"
    GOAL = "goal"
    VOID = "void"
    CONDITION = "condition"
    UNREADABLE = "condition_unreadable"


FORETOLD = 0
"""Stands for the id of a message that a preview expects to go out."""


class Meant(NamedTuple):
    """A message that a rule means to send: to whom, about what, of when, and when it was meant to go out."""

    id: int
    rule_id: int
    customer_id: int
    subject: str
    happened_at: datetime
    meant_at: datetime
    due_at: datetime
    name: str = ""
    locale: str = ""


def ended(session: Session, rows: Sequence[Meant], at: AsOf) -> dict[int, str | Held]:
    """Those of these that do not go out now, by id: each with why it never will, or with when it is looked at again.

    Who was left alone for a while gets one late message at most: the newest.
    """
    versions = store.some(session, {row.rule_id for row in rows})
    states = store.states(session, list(versions))
    found: dict[int, str | Held] = {}
    for rule_id, version in versions.items():
        own = [row for row in rows if row.rule_id == rule_id]
        if states.get(rule_id, OFF) == OFF:
            found.update({row.id: Why.RULE_OFF for row in own})
        else:
            found.update(checked(session, care.parsed(version), own, at))
    left = [row for row in rows if not isinstance(found.get(row.id), str)]
    return found | _caught_up(session, left, at.now)


def checked(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> dict[int, str | Held]:
    """The same for messages of one version of a rule, whether it is on or not, and each by itself.

    A condition may name what is gone since it was loaded: a tier, a field, a saved segment.
    """
    found: dict[int, str | Held] = dict(_untimely(rule, rows, at))
    for why, check in _CHECKS:
        left = [row for row in rows if row.id not in found]
        try:
            found.update(dict.fromkeys(check(session, rule, left, at), why) if left else {})
        except CrmError:
            found.update({row.id: Why.UNREADABLE for row in left})
    return found


def _untimely(rule: Rule, rows: Sequence[Meant], at: AsOf) -> Iterator[tuple[int, str | Held]]:
    for row in rows:
        match care_timing.verdict(rule, row.meant_at, row.due_at, at.now, at.zone):
            case TooLate():
                yield row.id, Why.LATE
            case Wait(until):
                yield row.id, Held(Why.LATE, until)


def _reached(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> list[int]:
    """Those whose goal was reached since the moment."""
    owners = {row.customer_id for row in rows}
    match rule.goal:
        case Goal.NONE:
            return []
        case Goal.BOUGHT_AGAIN:
            return _bought_again(session, rule, rows)
        case Goal.BOUGHT:
            last = moments.last_orders(session, owners)
        case Goal.REPLIED:
            last = moments.last_words(session, owners)
    return [row.id for row in rows if row.customer_id in last and last[row.customer_id] > row.happened_at]


def _bought_again(session: Session, rule: Rule, rows: Sequence[Meant]) -> list[int]:
    since = min(row.happened_at for row in rows)
    later = order_rows.placed_since(session, {row.customer_id for row in rows}, since)
    cycles = {cycle.id: cycle for cycle in rule.cycles}
    return [
        row.id for row in rows
        if any(
            order.customer_id == row.customer_id and order.placed_at > row.happened_at
            and care_enrolment.sold(cycles[row.subject.rpartition(":")[2]], orders.items(order))
            for order in later
        )
    ]  # fmt: skip


def _void(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> list[int]:
    """Those whose subject is no more: an order that came to nothing, points that are used, a tier that was lost."""
    if rule.moment.is_order:
        known = order_rows.some(session, {about(row) for row in rows})
        return [row.id for row in rows if about(row) not in known or known[about(row)].status in VOID]
    if rule.moment is Moment.POINTS_EXPIRE:
        return [row.id for row in rows if not expiring(session, row)]
    if rule.moment is Moment.TIER_REACHED:
        reached = members.tiers_after(session, {about(row) for row in rows})
        now = {member.customer_id: member.tier for member in members.some(session, {row.customer_id for row in rows})}
        return [row.id for row in rows if reached.get(about(row)) != now.get(row.customer_id)]
    if rule.moment is Moment.SENT:
        went = care_recipients.reached(session, {about(row) for row in rows})
        return [row.id for row in rows if about(row) not in (*went, FORETOLD)]
    return []


def expiring(session: Session, row: Meant) -> int:
    """The points that are about to expire at the moment of a message about them, as many as there are left."""
    found = moments.remaining(session, [row.customer_id], row.happened_at, row.happened_at)
    return found.get(row.customer_id, 0)


def _unfit(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> list[int]:
    """Those whose customers the rule's condition leaves out."""
    if not rule.condition:
        return []
    meant = segments.among(session, segments.parse(rule.condition), at, {row.customer_id for row in rows})
    return [row.id for row in rows if row.customer_id not in meant]


_CHECKS: tuple[tuple[str, Callable[[Session, Rule, Sequence[Meant], AsOf], list[int]]], ...] = (
    (Why.GOAL, _reached),
    (Why.VOID, _void),
    (Why.CONDITION, _unfit),
)


def _caught_up(session: Session, rows: Sequence[Meant], now: datetime) -> dict[int, str | Held]:
    """Late ones to people who heard from us since those were meant, or will hear what is newer or waits already."""
    late = [row for row in rows if care_timing.is_late(row.due_at, now)]
    if not late:
        return {}
    owners = {row.customer_id for row in late}
    heard = care_recipients.last_sent(session, owners)
    hears = care_recipients.put_off(session, owners, but_not={row.id for row in late})
    hears |= {row.customer_id for row in rows if not care_timing.is_late(row.due_at, now)}
    found: dict[int, str | Held] = {}
    for row in sorted(late, key=lambda row: row.meant_at, reverse=True):
        if row.customer_id in hears or heard.get(row.customer_id, row.meant_at) > row.meant_at:
            found[row.id] = Why.CAUGHT_UP
        hears.add(row.customer_id)
    return found


def about(row: Meant) -> int:
    """The id of the row that a message is about: `order:12:beans`, `tier:7`."""
    return int(row.subject.split(":")[1])
