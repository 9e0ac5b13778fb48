"""How a rule's moments are looked through: from where, up to when, and what of them the rule is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import birthdays
from crm.care_rules import LeapDay, Moment, Rule
from crm.membership import REACHED
from crm.programme import midnight, midnight_after
from storage import care, care_recipients, moments
from storage.moments import Happened, Place, Walk

SETTLED = timedelta(minutes=2)
"""So long after it was noted, a moment is looked at: whatever wrote it has committed by then, or never will."""
_DAY = timedelta(days=1)
_LAST = 2**62
_WALKS: Mapping[Moment, Callable[[Session, Walk], list[Happened]]] = {
    Moment.JOINED: moments.joined,
    Moment.ORDER_PLACED: moments.placed,
    Moment.ORDER_DELIVERED: moments.delivered,
    Moment.TIER_REACHED: moments.tiers,
    Moment.POINTS_EXPIRE: moments.expiring,
}


class Page(NamedTuple):
    """Some moments, the place behind them, and whether that is as far as one can see now."""

    found: Sequence[Happened]
    place: Place
    is_last: bool


def beginning(rule: Rule, now: datetime, zone: ZoneInfo) -> Place:
    """Where the moments of a rule begin that is turned on now."""
    if rule.moment is Moment.BIRTHDAY:
        return midnight(_ahead(rule, now, zone), zone), 0
    if rule.moment is Moment.POINTS_EXPIRE:
        return midnight(_ahead(rule, now, zone), zone), _LAST
    return now - rule.look_back_days * _DAY, 0


def page(session: Session, rule: Rule, after: Place, now: datetime, zone: ZoneInfo, most: int) -> Page:
    """The next moments behind a place, up to `most`; reads no more than those."""
    if rule.moment is Moment.BIRTHDAY:
        return _birthdays(session, rule, after, now, zone, most)
    if rule.moment is Moment.SENT:
        walk = Walk(after, now - SETTLED, most)
        return _page(care_recipients.sent(session, care.ids_of(session, rule.after), walk), rule, after, most)
    until = midnight_after(_ahead(rule, now, zone), zone) if rule.moment.is_date else now - SETTLED
    return _page(_WALKS[rule.moment](session, Walk(after, until, most)), rule, after, most)


def _page(found: Sequence[Happened], rule: Rule, after: Place, most: int) -> Page:
    place = found[-1].place if found else after
    return Page([each for each in found if _is_meant(rule, each)], place, len(found) < most)


def of_customer(
    session: Session, rule: Rule, customer_id: int, since: datetime, until: datetime, zone: ZoneInfo, most: int
) -> list[Happened]:
    """One customer's moments of a rule within this span, in their order; of those that have happened or have a date."""
    walk = Walk((since, 0), until, most, customer_id)
    if rule.moment is Moment.BIRTHDAY:
        return _own_birthdays(session, rule, walk, zone)
    found = _WALKS[rule.moment](session, walk)
    return [each for each in found if each.at >= since and _is_meant(rule, each)]


def last_day(expires_at: datetime, zone: ZoneInfo) -> date:
    """The last day on which points can be spent that expire at this moment."""
    return (expires_at - timedelta(microseconds=1)).astimezone(zone).date()


def _ahead(rule: Rule, now: datetime, zone: ZoneInfo) -> date:
    """The day of the dates whose message is to go out today."""
    return now.astimezone(zone).date() + max(0, -rule.days) * _DAY


def _is_meant(rule: Rule, each: Happened) -> bool:
    if rule.moment is not Moment.TIER_REACHED:
        return True
    why, _, tier = each.word.partition(":")
    return why == REACHED and (not rule.tiers or tier.casefold() in rule.tiers)


def _birthdays(session: Session, rule: Rule, after: Place, now: datetime, zone: ZoneInfo, most: int) -> Page:
    """Day by day; days that are over for longer than a message may be late are left out."""
    last = _ahead(rule, now, zone)
    day = after[0].astimezone(zone).date()
    if day < last - (rule.late_days + 1) * _DAY:
        day = last - (rule.late_days + 1) * _DAY
        after = (midnight(day, zone), 0)
    if day > last:
        return Page([], after, True)
    kept = birthdays.kept_on(day, leap_in_march=rule.leap_day is LeapDay.MAR_1)
    found = moments.born_on(session, kept, Walk(after, now, most))
    if len(found) == most:
        return Page(found, found[-1].place, False)
    return Page(found, (midnight(day + _DAY, zone), 0), day == last)


def _own_birthdays(session: Session, rule: Rule, walk: Walk, zone: ZoneInfo) -> list[Happened]:
    since, until = walk.after[0].astimezone(zone).date(), walk.until.astimezone(zone).date()
    kept = moments.birthday_of(session, walk.customer_id or 0)
    days = (
        birthdays.day_in(kept, year, leap_in_march=rule.leap_day is LeapDay.MAR_1)
        for year in range(since.year, until.year + 1)
    )
    place = walk.customer_id or 0
    return [
        Happened(place, midnight(day, zone), place, kept, (midnight(day, zone), place))
        for day in days
        if day is not None and since <= day <= until
    ]
