"""Recency, frequency and money: a score from 1 to 5 each, by the fifth in which a customer is among those who bought.

The fifths are worked out once a day, as of its beginning; scores compare what is so of a customer now with them. Equals
have the same score, the lower one that they may have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm.errors import Invalid
from crm.programme import midnight
from storage import fifths
from storage.fifths import Fifth
from storage.segment_tree import About, All, Fact, No, Some, Tree
from storage.segments import Own

BEST = 5
_MOMENT = timedelta(microseconds=1)


class Measure(StrEnum):
    """What is scored, by its word in segments."""

    RECENCY = "r"
    FREQUENCY = "f"
    MONEY = "m"


_ABOVE: Mapping[Measure, Callable[[Fifth], Fact]] = {
    Measure.RECENCY: lambda each: Fact(About.ORDERED, since=each.last_at + _MOMENT),
    Measure.FREQUENCY: lambda each: Fact(About.ORDERS, ">", each.orders),
    Measure.MONEY: lambda each: Fact(About.SPENT, ">", each.spent),
}


def day_of(now: datetime, zone: ZoneInfo) -> str:
    """The last day that is over, as fifths are kept."""
    return (now.astimezone(zone).date() - timedelta(days=1)).isoformat()


def due(session: Session, now: datetime, zone: ZoneInfo) -> list[Fifth]:
    """The fifths of the day that is over; none where they are kept already, or nobody had bought by then."""
    day = day_of(now, zone)
    if fifths.latest(session, day)[0] == day:
        return []
    return fifths.worked_out(session, midnight(now.astimezone(zone).date(), zone))


def condition(session: Session, measure: Measure, op: str, score: int, day: str) -> Tree[Fact]:
    """Who has such a score, by the newest fifths of this day or before it. Raises Invalid where there are none yet."""
    if not 1 <= score <= BEST:
        raise Invalid("segment", f"{measure} là điểm từ 1 đến 5 (5 là tốt nhất)",
                      f"{measure} is a score from 1 to 5 (5 is the best)")  # fmt: skip
    _, found = fifths.latest(session, day)
    if not found:
        raise Invalid("segment", "Chưa có điểm RFM: máy tính mỗi ngày từ các đơn đã có trước 0 giờ, thử lại ngày mai",
                      "There are no scores yet: they are worked out once a day from the orders before midnight; "
                      "try again tomorrow")  # fmt: skip
    above = {each.place: _ABOVE[measure](each) for each in found}
    least = {1: Fact(About.ORDERED), **above}
    low, high = {
        "<": (1, score), "<=": (1, score + 1), ">": (score + 1, BEST + 1), ">=": (score, BEST + 1),
    }.get(op, (score, score + 1))  # fmt: skip
    if low >= high:
        return Some(())
    return least[low] if high > BEST else All((least[low], No(least[high])))


def score(session: Session, measure: Measure, own: Own, day: str) -> int | None:
    """The score of a customer with these orders; None where they have none, or nobody is scored yet."""
    _, found = fifths.latest(session, day)
    if not found or own.last is None:
        return None
    last, orders, spent = own.last, own.orders, own.spent
    exceeds: Mapping[Measure, Callable[[Fifth], bool]] = {
        Measure.RECENCY: lambda each: last > each.last_at,
        Measure.FREQUENCY: lambda each: orders > each.orders,
        Measure.MONEY: lambda each: spent > each.spent,
    }
    return 1 + sum(exceeds[measure](each) for each in found)
