"""Requests about personal data: noted once, with the law's clocks, and told to staff before those run out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from crm import consent, customers, privacy
from crm.consent import Standing
from crm.errors import Conflict, Invalid, NotFound
from crm.messages import Purpose
from crm.privacy import Kind, Request, State
from storage import alarms
from tests.conftest import Clock
from tests.crm.people import born

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def ask(session: Session, customer_id: int, kind: Kind, clock: Clock) -> Request:
    """A new request, now."""
    request = privacy.ask(session, customer_id, kind, now=clock(), zone=ZONE, wording="xoá dữ liệu của tôi")
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("asked", "by"),
    [
        ("2026-11-23T10:00", "2026-11-26T10:00"),  # Monday; Tuesday is the Day of Culture
        ("2026-11-26T10:00", "2026-11-30T10:00"),  # Thursday
        ("2026-11-28T23:30", "2026-12-01T23:30"),  # Saturday
        ("2027-02-04T09:00", "2027-02-11T09:00"),  # before Tết
    ],
)
def test_working_days_leave_out_weekends_and_holidays(asked: str, by: str) -> None:
    local = datetime.fromisoformat(asked).replace(tzinfo=ZONE)
    found = privacy.working_days_after(local.astimezone(UTC), 2, ZONE)
    assert found.astimezone(ZONE) == datetime.fromisoformat(by).replace(tzinfo=ZONE)


@pytest.mark.parametrize(("kind", "days"), [(Kind.SEE, 10), (Kind.CORRECT, 10), (Kind.ERASE, 20)])
def test_a_request_is_noted_once_with_its_clock(session: Session, clock: Clock, kind: Kind, days: int) -> None:
    customer, asked = customers.known(session, "C1", clock()), clock()
    request = ask(session, customer, kind, clock)
    assert privacy.ask(session, customer, kind, now=clock.pass_by(days=1), zone=ZONE) is None
    assert privacy.open_requests(session) == [request]
    assert (request.due_at, request.wording) == (asked + timedelta(days=days), "xoá dữ liệu của tôi")
    assert request.answer_by == privacy.working_days_after(asked, 2, ZONE)


def test_consent_that_is_taken_back_ends_at_once_and_stays_as_a_request_that_was_done(
    session: Session, clock: Clock
) -> None:
    lan = born(session, clock())
    consent.say(session, lan.customer_id, granted=True, at=clock())
    request = ask(session, lan.customer_id, Kind.WITHDRAW, clock)
    assert (request.state, request.due_at) == (State.DONE, clock() + timedelta(days=15))
    for purpose in (Purpose.BROADCAST, Purpose.CARE):
        assert set(consent.standing(session, [lan.customer_id], purpose, "zalo").values()) == {Standing.WITHDRAWN}
    assert privacy.open_requests(session) == []


def test_a_request_that_is_taken_back_stays_as_history_and_can_be_made_anew(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    assert not privacy.take_back(session, customer, Kind.ERASE, clock())
    request = ask(session, customer, Kind.ERASE, clock)
    assert privacy.awaits(session, customer, Kind.ERASE)
    assert privacy.take_back(session, customer, Kind.ERASE, clock())
    assert not privacy.take_back(session, customer, Kind.ERASE, clock())
    assert privacy.find(session, request.id).state == State.WITHDRAWN
    ask(session, customer, Kind.ERASE, clock)


def looked(session: Session, clock: Clock, number: int) -> dict[str, datetime]:
    """Let staff be told whenever that is due; when each alarm about this request rang first."""
    rang: dict[str, datetime] = {}
    end = clock() + timedelta(days=25)
    while (request := privacy.find(session, number)).look_at is not None and clock() < end:
        clock.now = max(clock(), request.look_at)
        assert request in privacy.due(session, clock())
        privacy.noted(session, request, clock())
        for alarm in alarms.unsolved(session):
            rang.setdefault(alarm.kind, clock())
    return rang


def test_staff_are_rung_for_before_each_clock_runs_out(session: Session, clock: Clock) -> None:
    request = ask(session, customers.known(session, "C1", clock()), Kind.ERASE, clock)
    assert request.answer_by is not None
    rang = looked(session, clock, request.id)
    assert rang == {
        "privacy_answer": request.answer_by - timedelta(hours=24), "privacy_due": request.due_at - timedelta(days=3),
    }  # fmt: skip
    assert privacy.is_late(privacy.find(session, request.id), clock())
    assert privacy.due(session, clock.pass_by(days=100)) == [], "there is nothing more to tell"


def test_an_answer_stops_its_clock_and_the_end_stops_both(session: Session, clock: Clock) -> None:
    request = ask(session, customers.known(session, "C1", clock()), Kind.SEE, clock)
    privacy.noted(session, request, clock())
    assert privacy.answered(session, request.id, clock())
    assert not privacy.answered(session, request.id, clock())
    assert looked(session, clock, request.id) == {"privacy_due": request.due_at - timedelta(days=3)}
    done = privacy.done(session, request.id, clock(), "staff:1", "gửi bản in")
    assert (done.state, done.ended_by, done.outcome) == (State.DONE, "staff:1", "gửi bản in")
    assert alarms.unsolved(session) == []
    with pytest.raises(Conflict):
        privacy.done(session, request.id, clock(), "staff:1")


def test_what_is_refused_has_a_reason(session: Session, clock: Clock) -> None:
    request = ask(session, customers.known(session, "C1", clock()), Kind.CORRECT, clock)
    with pytest.raises(Invalid):
        privacy.refuse(session, request.id, clock(), "cli", " ")
    assert privacy.refuse(session, request.id, clock(), "cli", "không phải chủ").state == State.REFUSED
    with pytest.raises(NotFound):
        privacy.find(session, request.id + 1000)


def test_an_erasure_is_not_done_by_saying_so(session: Session, clock: Clock) -> None:
    request = ask(session, customers.known(session, "C1", clock()), Kind.ERASE, clock)
    with pytest.raises(Conflict):
        privacy.done(session, request.id, clock(), "cli")
