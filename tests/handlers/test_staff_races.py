"""Two of staff at one moment, each in a transaction of their own: on PostgreSQL neither sees what the other does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from bot.staff import hearing
from crm import numbers, staff
from crm.staff import Role
from storage import conversations, engines
from tests.handlers.test_staff_privacy import OFFICE
from tests.storage.rows import NOW, person

T = TypeVar("T")

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine that a process writes with."""
    engine = engines.writer(database_url, "OFF")
    yield engine
    engine.dispose()


def at_once(engine: Engine, first: Callable[[Session], T], second: Callable[[Session], T]) -> tuple[T, T]:
    """What both come to where the second begins before the first commits, and waits for it as soon as it must."""

    def run() -> T:
        with Session(engine) as session:
            found = second(session)
            session.commit()
            return found

    with Session(engine) as session, ThreadPoolExecutor(1) as other:
        found = first(session)
        running = other.submit(run)
        with engine.connect() as watch:
            while not running.done() and not watch.execute(_BLOCKED).scalar_one():
                watch.rollback()
                sleep(0.01)
        session.commit()
        return found, running.result()


def says(name: str, line: str) -> Callable[[Session], str]:
    """A member of staff gives a command; what is answered first."""
    return lambda session: hearing.order(session, OFFICE, name, line, NOW).said[0].text


def test_of_two_who_answer_at_one_moment_the_second_is_asked(engine: Engine) -> None:
    with Session(engine) as session:
        customer = person(session, "customer-1")
        conversations.set_conversations(session, [{"id": customer, "waiting_since": NOW - timedelta(minutes=1)}])
        for name in ("Minh", "Hương"):
            staff.add(session, name, Role.AGENT, NOW)
            says(name, "/ds")(session)
        session.commit()
    first, second = at_once(engine, says("Minh", "/r 1 Chào bạn"), says("Hương", "/r 1 Chào chị"))
    assert first.startswith("⏳")
    assert second.startswith("Minh vừa trả lời") and "Vẫn gửi “Chào chị”?" in second


def test_a_number_that_two_give_away_at_one_moment_keeps_the_meaning_that_was_shown_first(engine: Engine) -> None:
    with Session(engine) as session:
        who = staff.add(session, "Minh", Role.AGENT, NOW).id
        session.commit()

    def bind(target: int) -> Callable[[Session], list[int]]:
        return lambda session: numbers.bind(session, who, "cli", numbers.CONVERSATION, [target], NOW)

    assert at_once(engine, bind(10), bind(20)) == ([1], [2])
    with Session(engine) as session:
        meant = [numbers.meaning(session, who, "cli", number, NOW) for number in (1, 2)]
    assert [each.target_id for each in meant if each] == [10, 20]
