"""When a care message goes out, and what becomes of one that is late. Pure; days are calendar days of the brand's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.care_rules import Cycle, Late, Rhythm, Rule

ON_TIME = timedelta(hours=12)
"""A message that goes out so soon after its time is not late: pace, quiet hours and other messages take a while."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Now:
    """The message goes out now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It is looked at again at this moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class TooLate:
    """It is not sent any more."""


Verdict = Now | Wait | TooLate


def planned(rule: Rule, at: datetime, zone: ZoneInfo, days: int | None = None) -> datetime:
    """When the message of a moment at `at` is to go out; `days` instead of the rule's own.

    Never before the moment, unless that is a date and the rule says days before it.
    """
    if rule.minutes is not None:
        return at + timedelta(minutes=rule.minutes)
    days = rule.days if days is None else days
    found = _on(at.astimezone(zone) + days * _DAY, rule.at, zone)
    if found < at and not rule.moment.is_date:
        found = _on(at.astimezone(zone) + _DAY, rule.at, zone)
    return found


def usual_days(rhythm: Rhythm, orders: int, first_at: datetime, last_at: datetime) -> int | None:
    """After how many days somebody who bought so is missed; None where too few orders tell."""
    if orders < max(2, rhythm.orders):
        return None
    gap = (last_at - first_at) / (orders - 1)
    return min(max(round(gap / _DAY * rhythm.percent / 100), rhythm.least_days), rhythm.most_days)


def lasts_days(cycle: Cycle, pieces: float) -> int:
    """How many days so many pieces last; at least as long as one."""
    return round(cycle.days * max(1.0, pieces))


def verdict(rule: Rule, meant: datetime, due: datetime, now: datetime, zone: ZoneInfo) -> Verdict:
    """What becomes now of a message that was meant for a moment and is due at the same one, or at a later one.

    It is due later where it waited for something: quiet hours, the cap, a talk with staff, or this very function. That
    alone makes it late for no policy, but nothing goes out when the rule's `late_days` are over.
    """
    if now < due:
        return Wait(due)
    if now - meant > max(ON_TIME, rule.late_days * _DAY):
        return TooLate()
    if not is_late(due, now) or rule.late is Late.SEND_ONCE:
        return Now()
    if rule.late is Late.SKIP:
        return TooLate()
    return Wait(next_time(rule.at, now, zone)) if rule.minutes is None else Now()


def is_late(due: datetime, now: datetime) -> bool:
    """Whether what was due is looked at so late that something stood still meanwhile."""
    return now - due > ON_TIME


def next_time(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next moment at which it is so late in the brand's time zone."""
    here = now.astimezone(zone)
    today = _on(here, at, zone)
    return today if today > now else _on(here + _DAY, at, zone)


def _on(day: datetime, at: time, zone: ZoneInfo) -> datetime:
    """That time of day on that calendar day, as UTC."""
    local = datetime.combine(day.date(), at, tzinfo=zone)
    return local.astimezone(UTC)
