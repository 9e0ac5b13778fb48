"""Who was put off in a broadcast is looked at anew when what lacked may be there: everybody once, whatever runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from crm import broadcast_clock, broadcasts
from crm.broadcast_states import STOPS
from crm.broadcasts import Pause
from crm.caps import Caps
from crm.content import Content
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.verdicts import Policy, Why
from storage import engines, jobs, recipients, turns
from storage.broadcasts import BroadcastView
from tests.bot.test_broadcast_stops import running
from tests.conftest import Clock
from tests.crm.people import born
from tests.crm.programme import ZONE

HOUR = timedelta(hours=1)
LATER = timedelta(days=9)
PEOPLE = 7


def many(session: Session, clock: Clock) -> int:
    """A broadcast that runs, to so many customers, who are all put off for money."""
    for number in range(PEOPLE - 1):
        born(session, clock(), user_id=f"k{number}")
    broadcast = running(session, clock())
    put_off(session, broadcast, clock)
    return broadcast


def put_off(session: Session, number: int, clock: Clock) -> int:
    """As sending does with all who are due: there is no money. How many those were."""
    due = [each.id for each in turns.of_broadcast(session, number, clock(), PEOPLE)]
    later = {"due_at": clock() + LATER, "reason": Pause.BUDGET.value, "attempts": 0}
    recipients.put_off(session, [{"id": each, **later} for each in due])
    return len(due)


def test_each_is_looked_at_once_even_if_sending_puts_them_off_anew_meanwhile(session: Session, clock: Clock) -> None:
    number, after, looked = many(session, clock), 0, []
    while (cursor := recipients.hasten(session, number, STOPS, clock(), after, 2)) is not None:
        looked.append(put_off(session, number, clock))
        assert cursor > after
        after = cursor
    assert looked == [2, 2, 2, 1]


@pytest.mark.parametrize("reason", [Pause.BUDGET, Pause.HOURS, None])
def test_more_money_lets_everybody_be_looked_at_of_whatever_is_not_over(
    session: Session, clock: Clock, reason: Pause | None
) -> None:
    number = many(session, clock)
    if reason is not None:
        broadcasts.pause(session, number, reason, broadcasts.SYSTEM, clock(), until=clock() + LATER)
    broadcasts.look_again(session, Pause.BUDGET, clock())
    found = broadcasts.get(session, number)
    assert found.state == ("paused" if reason is Pause.HOURS else "running")
    assert jobs.waits(session, broadcasts.HASTEN, str(number))


def test_one_that_rested_for_money_and_is_over_meanwhile_is_left_alone(session: Session, clock: Clock) -> None:
    number = many(session, clock)
    broadcasts.pause(session, number, Pause.BUDGET, broadcasts.SYSTEM, clock(), until=clock() + LATER)
    session.connection().execute(text("UPDATE recipient SET state = 'skipped', reason = 'erased'"))
    broadcasts.look_again(session, Pause.BUDGET, clock())
    assert broadcasts.report(session, number).state == "finished"
    assert not jobs.waits(session, broadcasts.HASTEN, str(number))


@pytest.mark.parametrize(
    ("waits", "rests"), [(LATER + HOUR, True), (LATER - HOUR, False), (timedelta(), False)], ids=str
)
def test_it_rests_until_the_first_is_due_who_lacks_something_whatever_others_wait_for_longer(
    session: Session, clock: Clock, waits: timedelta, rests: bool
) -> None:
    number = many(session, clock)
    one = {"due_at": clock() + waits, "reason": Why.TALKING, "attempts": 1}
    recipients.put_off(session, [{"id": _somebody(session), **one}])
    broadcast_clock.tend(session, clock(), Policy(Caps(), LawfulHours(ZONE)))
    found = broadcasts.get(session, number)
    expected = ("paused", Pause.BUDGET, clock() + LATER) if rests else ("running", "", None)
    assert (found.state, found.pause_reason, found.resumes_at) == expected


def _somebody(session: Session) -> int:
    return int(session.connection().execute(text("SELECT max(id) FROM recipient")).scalar_one())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_clock_lets_nothing_go_on_that_a_person_stops_in_that_moment(database_url: str, clock: Clock) -> None:
    engine = engines.writer(database_url, "OFF")
    with Session(engine) as session:
        number = running(session, clock())
        broadcasts.pause(session, number, Pause.HOURS, broadcasts.SYSTEM, clock(), until=clock())
        session.commit()
    found = _beside_the_clock(engine, clock, number, partial(broadcasts.rest, actor="cli", now=clock()))
    assert (found.state, found.pause_reason) == ("paused", Pause.STAFF)
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_clock_calls_nothing_late_that_gets_another_time_in_that_moment(database_url: str, clock: Clock) -> None:
    engine = engines.writer(database_url, "OFF")
    with Session(engine) as session:
        number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào"), "tatca", "cli", clock())
        broadcasts.tested(session, number, clock())
        broadcasts.schedule(session, number, clock(), "cli", clock())
        session.commit()
    now = clock.pass_by(hours=5)
    found = _beside_the_clock(engine, clock, number, partial(broadcasts.schedule, at=now + HOUR, actor="cli", now=now))
    assert (found.state, found.scheduled_at) == ("scheduled", now + HOUR)
    engine.dispose()


def _beside_the_clock(engine: Engine, clock: Clock, number: int, act: Callable[..., object]) -> BroadcastView:
    """What becomes of one of which the clock has to wait until somebody's act is over."""
    policy = Policy(Caps(), LawfulHours(ZONE), late=3 * HOUR)

    def tend() -> None:
        with Session(engine) as other:
            broadcast_clock.tend(other, clock(), policy)
            other.commit()

    beside = threading.Thread(target=tend)
    with Session(engine) as session:
        act(session, number)
        beside.start()
        while not session.connection().execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first():
            time.sleep(0.01)
        session.commit()
        beside.join()
        return broadcasts.get(session, number)
