"""What a broadcast's writer is told when it stops by itself: each reason once, and what can be done."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot import broadcast_stops
from crm import broadcast_clock, broadcasts, staff
from crm.broadcasts import Pause
from crm.caps import Caps
from crm.content import Content
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.staff import Role
from crm.verdicts import Policy
from storage import alarms, engines
from storage.broadcasts import Broadcast
from tests.conftest import Clock
from tests.crm import sending
from tests.crm.people import born
from tests.crm.programme import ZONE
from tests.crm.test_caps import counted

BY_THEMSELVES = {Pause.QUOTA, Pause.BUDGET, Pause.TEMPLATE}
SOON = timedelta(minutes=15)


def running(session: Session, now: datetime) -> int:
    """Mai's broadcast to one customer, which is being sent."""
    born(session, now)
    mai = staff.add(session, "Mai", Role.MARKETER, now)
    number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào"), "tatca", f"staff:{mai.id}", now)
    broadcasts.tested(session, number, now)
    broadcasts.schedule(session, number, now, "cli", now)
    sending.begin(session, number, now)
    return number


def told(session: Session) -> list[str]:
    """What staff were told."""
    return [
        Message.loads(body).text for body in session.connection().execute(text("SELECT body FROM notice")).scalars()
    ]


@pytest.mark.parametrize("reason", sorted(broadcast_stops.NEWS - {Pause.UNFROZEN, Pause.APPROVAL}))
def test_each_reason_that_lasts_is_told_once_until_a_person_acts(session: Session, clock: Clock, reason: Pause) -> None:
    number, now = running(session, clock()), clock()
    until = now + SOON if reason in BY_THEMSELVES else None
    assert broadcasts.pause(session, number, reason, broadcasts.SYSTEM, now, until=until)
    for _ in range(2):
        broadcast_stops.tell(session, now, ZONE)
    (notice,) = told(session)
    assert f"#{number} “Tết”" in notice and f"/gui {number} tiep" in notice and f"/gui {number} huy" in notice
    assert ("Tự gửi tiếp: 10:15" in notice) is (until is not None)
    assert [each.kind for each in alarms.unsolved(session)] == ["broadcast_paused"]
    broadcasts.resume(session, number, "cli", now)
    assert alarms.unsolved(session) == []
    broadcasts.pause(session, number, reason, broadcasts.SYSTEM, now, until=until)
    broadcast_stops.tell(session, now, ZONE)
    assert len(told(session)) == 2


def test_what_stops_again_and_again_by_itself_is_told_once_a_day(session: Session, clock: Clock) -> None:
    number = running(session, clock())
    for quarter in range(4 * 26):
        now = clock.pass_by(minutes=15)
        if quarter:
            broadcasts.go_on(session, number, now)
            broadcast_stops.tell(session, now, ZONE)
        broadcasts.pause(session, number, Pause.TEMPLATE, broadcasts.SYSTEM, now, until=now + SOON)
        broadcast_stops.tell(session, now, ZONE)
    assert len(told(session)) == 2


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_a_platform_that_takes_nothing_is_news_when_that_lasts(session: Session, clock: Clock, minutes: int) -> None:
    number, until = running(session, clock()), clock() + timedelta(minutes=minutes)
    broadcasts.pause(session, number, Pause.NOT_TAKEN, broadcasts.SYSTEM, clock(), until=until)
    broadcast_stops.tell(session, clock(), ZONE)
    assert bool(told(session)) is (minutes == 15)


@pytest.mark.parametrize("reason", sorted(set(Pause) - broadcast_stops.NEWS - {Pause.NOT_TAKEN}))
def test_the_night_minutes_and_what_somebody_wished_are_no_news(session: Session, clock: Clock, reason: Pause) -> None:
    number = running(session, clock())
    broadcasts.pause(session, number, reason, broadcasts.SYSTEM, clock(), until=clock() + SOON)
    broadcast_stops.tell(session, clock(), ZONE)
    assert told(session) == []


def test_the_alarm_of_one_that_is_over_ends(session: Session, clock: Clock) -> None:
    number = running(session, clock())
    broadcasts.pause(session, number, Pause.BUDGET, broadcasts.SYSTEM, clock(), until=clock() + SOON)
    broadcast_stops.tell(session, clock(), ZONE)
    session.connection().execute(text("UPDATE recipient SET state = 'skipped'"))
    broadcast_stops.tell(session, clock(), ZONE)
    assert alarms.unsolved(session) == []


def test_what_ran_to_its_end_costs_the_clock_no_statement(session: Session, clock: Clock) -> None:
    policy, asked = Policy(Caps(), LawfulHours(ZONE)), []
    number = running(session, clock())
    for over in range(3):
        for _ in range(over):
            _another(session, number)
        with counted(session) as statements:
            broadcast_clock.tend(session, clock(), policy)
            broadcast_stops.tell(session, clock(), ZONE)
        asked.append(len(statements))
        session.connection().execute(text("UPDATE recipient SET state = 'sent'"))
    assert asked[1] == asked[2] < asked[0]


def _another(session: Session, number: int) -> None:
    """One more such broadcast, with nobody in it."""
    names = ", ".join(column.name for column in Broadcast.__table__.columns if column.name != "id")  # type: ignore[attr-defined]
    statement = text(f"INSERT INTO broadcast ({names}) SELECT {names} FROM broadcast WHERE id = :id")
    session.connection().execute(statement, {"id": number})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_that_tell_at_once_tell_once(database_url: str, clock: Clock) -> None:
    engine = engines.writer(database_url, "OFF")
    with Session(engine) as session:
        number = running(session, clock())
        broadcasts.pause(session, number, Pause.ERRORS, broadcasts.SYSTEM, clock())
        session.commit()

    def tell() -> None:
        with Session(engine) as other:
            broadcast_stops.tell(other, clock(), ZONE)
            other.commit()

    beside = threading.Thread(target=tell)
    with Session(engine) as session:
        broadcast_stops.tell(session, clock(), ZONE)
        beside.start()
        while not session.connection().execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first():
            time.sleep(0.01)
        session.commit()
        beside.join()
        assert len(told(session)) == 1
    engine.dispose()
