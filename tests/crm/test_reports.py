"""Reports: figures that were worked out by hand, on a shop with a lunch break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from crm import hours, reports, staff
from crm.calendar import Calendar
from crm.messages import Message, Purpose
from crm.outbox import compose
from crm.reach import Refusal
from crm.reports import Span, Waits
from crm.staff import Role
from storage import outbox, replies
from storage.reports import Answer
from tests.crm.people import again, born

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def at(day: int, clock: str) -> datetime:
    """A moment of November 2026 by the shop's clock; the 23rd is a Monday."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def open_hours() -> Calendar:
    """Monday to Saturday, 8 to 12 and 13:30 to 17."""
    return hours.calendar_of("T2-T7 8:00-12:00 13:30-17:00", hours.free_days(""), ZONE)


@pytest.mark.parametrize(
    ("asked", "answered", "minutes"),
    [
        (at(23, "9:00"), at(23, "9:07"), 7),
        (at(23, "11:50"), at(23, "13:40"), 20),
        (at(25, "20:00"), at(26, "8:05"), 5),
        (at(28, "16:50"), at(30, "8:20"), 30),
        (at(23, "12:10"), at(23, "12:40"), 0),
    ],
)
def test_a_wait_counts_while_the_shop_is_open(asked: datetime, answered: datetime, minutes: int) -> None:
    waited = reports.waits([Answer(1, 1, asked, answered)], open_hours())
    assert waited == Waits(1, timedelta(minutes=minutes), timedelta(minutes=minutes))


def test_the_middle_one_of_those_who_waited_is_told() -> None:
    nine = at(23, "9:00")
    sent = [Answer(1, each, nine, nine + timedelta(minutes=each)) for each in (2, 30, 4)]
    sent.append(Answer(1, 9, None, nine + timedelta(hours=2)))
    assert reports.waits(sent, open_hours()) == Waits(3, timedelta(minutes=4), timedelta(minutes=30))
    assert reports.waits([], open_hours()).count == 0


def test_days_and_weeks_are_the_shops() -> None:
    late = at(25, "00:30")
    assert reports.bounds(Span.DAY, 0, late, ZONE) == (at(25, "0:00"), at(26, "0:00"))
    assert reports.bounds(Span.DAY, 1, late, ZONE) == (at(24, "0:00"), at(25, "0:00"))
    assert reports.bounds(Span.WEEK, 0, late, ZONE) == (at(23, "0:00"), at(30, "0:00"))
    assert reports.bounds(Span.WEEK, 1, late, ZONE) == (at(16, "0:00"), at(23, "0:00"))


def test_only_what_went_out_counts_once_and_for_who_sent_it(session: Session) -> None:
    minh, hoa = (staff.add(session, name, Role.AGENT, at(1, "8:00")).id for name in ("Minh", "Hoa"))
    lan, mai = born(session, at(23, "8:30")), born(session, at(22, "8:30"), user_id="u2")

    def sends(who: int, to: int, moment: datetime, waited: datetime | None, *states: str) -> None:
        parts = [Message(f"{place}") for place in range(len(states))]
        rows = compose(again(session, to), parts, Purpose.STAFF, moment, typed_by_person=True)
        assert not isinstance(rows, Refusal)
        outbox.add_many(session.connection(), rows)
        ids = [row["id"] for row in rows]
        for each, state in zip(ids, states, strict=True):
            outbox.move(session, each, "waiting", state=state)
        base = {"part_of": ids[0], "staff_id": who, "surface": "cli", "conversation_id": to}
        replies.add(session, [{**base, "id": each, "waited_since": waited, "at": moment} for each in ids])

    sends(minh, lan.identity_id, at(23, "11:55"), at(23, "11:45"), "sent", "sent")
    sends(minh, lan.identity_id, at(23, "14:00"), None, "sent")
    sends(hoa, mai.identity_id, at(23, "13:50"), at(23, "11:50"), "sent")
    sends(hoa, mai.identity_id, at(23, "15:00"), at(23, "14:00"), "withdrawn")
    sends(hoa, mai.identity_id, at(24, "9:00"), at(24, "8:00"), "sent")
    found = reports.of(session, Span.DAY, 0, at(23, "18:00"), ZONE, open_hours())
    assert (found.new_customers, found.answers, found.conversations) == (1, 3, 2)
    assert found.waits == Waits(2, timedelta(minutes=20), timedelta(minutes=30))
    assert [(line.name, line.answers, line.conversations) for line in found.staff] == [("Minh", 2, 1), ("Hoa", 1, 1)]
