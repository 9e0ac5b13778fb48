"""Reports of a day or a week: who came, how fast staff answered, what became of tickets, how content customers were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from statistics import median
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import attendance
from crm.calendar import Calendar
from crm.ratings import LOW
from crm.tickets import State
from storage import reports as store
from storage.reports import Answer, Ratings, Tickets


class Span(StrEnum):
    """What a report is of."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long customers waited for their first answer, in working time: how many, the middle one, the longest."""

    count: int
    middle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """What one member of staff did: answers, in how many conversations, and how fast where somebody waited."""

    name: str
    answers: int
    conversations: int
    waits: Waits


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a time, `end` not included; `waiting` and `tickets.open_now` are as it is now."""

    span: Span
    start: datetime
    end: datetime
    new_customers: int
    answers: int
    conversations: int
    waits: Waits
    waiting: int
    tickets: Tickets
    breaches: dict[str, int]
    ratings: Ratings
    staff: list[Line]


def of(session: Session, span: Span, back: int, now: datetime, zone: ZoneInfo, calendar: Calendar) -> Report:
    """The report of this day or week (from Monday on), or of the one so many before it.

    First response: from when a customer began to wait for a person until the first answer that a member of staff
    sent through us and the platform took, in working time. Nothing that the bot says ends it.
    """
    start, end = bounds(span, back, now, zone)
    sent = store.answers(session, start, end)
    names = attendance.names(session, {each.staff_id for each in sent})
    lines = [_line(name, [each for each in sent if each.staff_id == key], calendar) for key, name in names.items()]
    return Report(
        span=span,
        start=start,
        end=end,
        new_customers=store.new_customers(session, start, end),
        answers=len(sent),
        conversations=len({each.conversation_id for each in sent}),
        waits=waits(sent, calendar),
        waiting=attendance.count(session, now),
        tickets=store.tickets(session, start, end, State.CLOSED),
        breaches=store.breaches(session, start, end, now),
        ratings=store.ratings(session, start, end, LOW),
        staff=sorted(lines, key=lambda line: (-line.answers, line.name)),
    )


def days_of(session: Session, report: Report, now: datetime, zone: ZoneInfo, calendar: Calendar) -> list[Report]:
    """The reports of a week's days until now; none for a report of one day."""
    if report.span is Span.DAY:
        return []
    today = now.astimezone(zone).date()
    backs = [(today - report.start.date()).days - place for place in range((report.end - report.start).days)]
    return [of(session, Span.DAY, back, now, zone, calendar) for back in backs if back >= 0]


def bounds(span: Span, back: int, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When this day or week began, or the one so many before it, and when it ends, by the shop's clock."""
    today = now.astimezone(zone).date()
    if span is Span.WEEK:
        first, days = today - timedelta(days=today.weekday() + 7 * back), 7
    else:
        first, days = today - timedelta(days=back), 1
    start, end = (datetime.combine(day, time(), zone) for day in (first, first + timedelta(days=days)))
    return start, end


def waits(sent: Sequence[Answer], calendar: Calendar) -> Waits:
    """How long those waited who were answered; answers to nobody who waited count for nothing."""
    spans = [calendar.between(each.waited_since, each.at) for each in sent if each.waited_since is not None]
    middle = median(span.total_seconds() for span in spans) if spans else 0
    return Waits(len(spans), timedelta(seconds=middle), max(spans, default=timedelta()))


def _line(name: str, sent: Sequence[Answer], calendar: Calendar) -> Line:
    return Line(name, len(sent), len({each.conversation_id for each in sent}), waits(sent, calendar))
