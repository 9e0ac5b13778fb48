"""The watch over conversations: it visits only what changed, a little at a time, and undoes nobody's work."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection, text
from sqlmodel import Session

from bot.accounts import Accounts
from bot.secrets import Sealer
from bot.upkeep import Upkeep
from crm import calendar, conversations
from crm.budget import Budget
from storage import alarms, customers, engines
from storage.columns import new_id
from storage.conversations import set_conversations
from storage.database import Database
from tests.conftest import Clock

WAITED = timedelta(minutes=20)


def upkeep(database: Database, clock: Clock) -> Upkeep:
    """The house's upkeep, without channels."""
    living = Accounts(database, {}, {}, Sealer("a secret key for tests only"), clock, "owner")
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    return Upkeep(database, {}, living, clock, 30, Budget(None, zone), calendar.always_open(zone))


def people(session: Session, count: int, state: conversations.State, now: datetime) -> list[int]:
    """So many customers whose conversations stand so; their conversations."""
    ids = [new_id() for _ in range(count)]
    customers.add_many(
        session,
        [{"id": each, "created_at": now, "updated_at": now} for each in ids],
        [
            {
                "id": each, "customer_id": each, "channel": "zalo", "account_id": "oa", "user_id": str(each),
                "created_at": now,
            }
            for each in ids
        ],
        [conversations.row_of(each, state) for each in ids],
    )  # fmt: skip
    return ids


def waits(session: Session, count: int, now: datetime) -> list[int]:
    """So many customers who have waited for a person for a while."""
    return people(session, count, conversations.call_person(conversations.State(), now - WAITED), now)


def rung(session: Session) -> set[str]:
    """Whose alarms are open."""
    return {each.subject for each in alarms.unsolved(session)}


def writes() -> float:
    """How many ranges the writer was given."""
    return REGISTRY.get_sample_value("khachquen_writer_wait_seconds_count", {"priority": "bulk"}) or 0


async def test_those_who_wait_long_ring_in_ranges_and_are_left_alone_afterwards(
    database: Database, clock: Clock
) -> None:
    ids = await database.write(lambda session: waits(session, 300, clock()))
    watch = upkeep(database, clock).watch
    before = writes()
    await watch({})
    assert await database.read(rung) == {str(each) for each in ids}
    assert writes() - before >= 2
    before = writes()
    await watch({})
    assert writes() == before, "nothing changed, so nothing is written"


async def test_an_alarm_ends_with_the_waiting_even_where_the_bot_answers(database: Database, clock: Clock) -> None:
    first, second = await database.write(lambda session: waits(session, 2, clock()))
    watch = upkeep(database, clock).watch
    await watch({})
    await database.write(lambda session: set_conversations(session, [{"id": first, "waiting_since": None}]))
    await watch({})
    assert await database.read(rung) == {str(second)}


async def test_an_alarm_of_a_conversation_that_is_gone_ends(database: Database, clock: Clock) -> None:
    await database.write(lambda session: alarms.ring(session, "customer_waits", "7", "", clock()))
    await upkeep(database, clock).watch({})
    assert await database.read(rung) == set()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_conversation_that_staff_take_up_at_that_very_moment_stays_theirs(
    database: Database, clock: Clock
) -> None:
    """An inbox worker holds the customer, and has written what staff said, but has not committed yet."""
    left = conversations.hand_over(conversations.State(), clock() - timedelta(hours=13))
    (lan,) = await database.write(lambda session: people(session, 1, left, clock()))
    engine = engines.writer(database.url, "OFF")
    with engine.connect() as connection:
        with connection.begin():
            _staff_speak(connection, lan, left, clock())
            watching = asyncio.create_task(upkeep(database, clock).watch({}))
            await asyncio.sleep(0.3)
            assert not watching.done()
        await asyncio.wait_for(watching, 5)
    engine.dispose()
    person = await database.read(lambda session: customers.person(session, lan))
    assert person is not None
    assert (person.holder, person.last_staff_at) == ("staff", clock())


def _staff_speak(connection: Connection, lan: int, state: conversations.State, at: datetime) -> None:
    connection.execute(text("SELECT id FROM customer WHERE id = :id FOR UPDATE"), {"id": lan})
    with Session(bind=connection) as session:
        set_conversations(session, [conversations.row_of(lan, conversations.staff_spoke(state, at))])
