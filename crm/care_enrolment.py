"""Whom a care rule is about is enrolled: a recipient for each subject, with the moment it is meant to go out at.

The version of the rule that held then stays theirs to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import care, care_timing, care_walks, orders
from crm.care_rules import Cycle, Moment, Rule
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.orders import Item
from storage import care as store
from storage import moments, recipients
from storage import orders as order_rows
from storage.care import ON
from storage.moments import Happened

_DAY = timedelta(days=1)


class Subject(NamedTuple):
    """What one message is about, told apart by its `key`: of whom, when it happened, when the message is meant for."""

    customer_id: int
    key: str
    happened_at: datetime
    meant_at: datetime


def follow(session: Session, name: str, now: datetime, hours: LawfulHours, most: int) -> bool:
    """Enrol whom the next moments of a rule are about, up to `most`; whether there may be more of them.

    May be called by any number of processes at once, and again after a crash: each subject is enrolled once. A rule
    that is not on is not followed.
    """
    standing = store.standing(session, name)
    if standing is None or standing.state != ON:
        return False
    rule = care.of_version(session, standing.rule_id)
    after = (standing.seen_at, standing.seen_id)
    if after == store.START:
        after = care_walks.beginning(rule, standing.since, hours.zone)
    page = care_walks.page(session, rule, after, now, hours.zone, most)
    if page.place != (standing.seen_at, standing.seen_id) and not store.seen(session, standing, *page.place):
        return True
    found = [each for each in subjects(session, rule, page.found, hours.zone) if counts(rule, standing.since, each)]
    recipients.enrol(session, [_row(rule, standing.rule_id, each, hours, now) for each in found])
    return not page.is_last


def subjects(session: Session, rule: Rule, found: Sequence[Happened], zone: ZoneInfo) -> list[Subject]:
    """What a rule says about these moments: none, one or several messages each."""
    if rule.cycles:
        return list(_used_up(session, rule, found, zone))
    if rule.rhythm is not None:
        return list(_missed(session, rule, found, zone))
    return [_subject(rule, each, _key(rule, each, zone), zone) for each in found]


def sold(cycle: Cycle, items: Iterable[Item]) -> float:
    """How many pieces of what a cycle is about are among these."""
    return sum(
        item.quantity
        for item in items
        if cycle.products & {item.name.casefold(), item.sku.casefold()} or item.category.casefold() in cycle.categories
    )


def _subject(rule: Rule, each: Happened, key: str, zone: ZoneInfo, days: int | None = None) -> Subject:
    return Subject(each.customer_id, key, each.at, care_timing.planned(rule, _counted_from(rule, each), zone, days))


def _counted_from(rule: Rule, each: Happened) -> datetime:
    """Points that expire at midnight can be spent on the day before: that one counts."""
    return each.at - timedelta(microseconds=1) if rule.moment is Moment.POINTS_EXPIRE else each.at


def _key(rule: Rule, each: Happened, zone: ZoneInfo) -> str:
    match rule.moment:
        case Moment.JOINED:
            return f"customer:{each.customer_id}"
        case Moment.BIRTHDAY:
            return f"birthday:{each.customer_id}:{each.at.astimezone(zone).year}"
        case Moment.POINTS_EXPIRE:
            return f"points:{each.customer_id}:{care_walks.last_day(each.at, zone)}"
        case Moment.TIER_REACHED:
            return f"tier:{each.about}"
        case Moment.SENT:
            return f"sent:{each.about}"
    return f"order:{each.about}"


def _missed(session: Session, rule: Rule, found: Sequence[Happened], zone: ZoneInfo) -> Iterator[Subject]:
    """Who bought will be missed after a while, by their own rhythm where that is known."""
    rhythms = moments.rhythms(session, {each.customer_id for each in found})
    for each in found:
        known = rhythms.get(each.customer_id)
        days = care_timing.usual_days(rule.rhythm, *known) if rule.rhythm and known else None
        yield _subject(rule, each, f"order:{each.about}", zone, days)


def _used_up(session: Session, rule: Rule, found: Sequence[Happened], zone: ZoneInfo) -> Iterator[Subject]:
    """What was delivered is used up after its time."""
    rows = order_rows.some(session, {each.about for each in found})
    for each in found:
        items = orders.items(rows[each.about])
        for cycle in rule.cycles:
            if pieces := sold(cycle, items):
                days = care_timing.lasts_days(cycle, pieces) + rule.days
                yield _subject(rule, each, f"order:{each.about}:{cycle.id}", zone, days)


def counts(rule: Rule, since: datetime, each: Subject) -> bool:
    """Whether this is a rule's business that was turned on at `since`: what lay before is not."""
    if rule.moment.is_date:
        return each.meant_at >= since
    return each.happened_at >= since - rule.look_back_days * _DAY


def _row(rule: Rule, rule_id: int, each: Subject, hours: LawfulHours, now: datetime) -> dict[str, object]:
    return {
        "care_rule_id": rule_id, "subject": each.key, "once_key": f"{rule.name}:{each.key}",
        "customer_id": each.customer_id, "purpose": Purpose.CARE.value, "due_at": hours.next_moment(each.meant_at),
        "happened_at": each.happened_at, "meant_at": each.meant_at, "created_at": now,
    }  # fmt: skip
