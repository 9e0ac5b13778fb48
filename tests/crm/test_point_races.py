"""Many at once: points for one are spent once, by threads of one process and by processes on PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm import customers, due, ledger, posting, reservations
from crm.ledger import Fact, NotEnough, Terms
from storage import ledger_check
from storage.columns import NEVER
from storage.database import Database
from tests.conftest import Clock

ROOT = Path(__file__).resolve().parents[2]
ONE_OF_MANY = """
import sys
from datetime import UTC, datetime
from sqlmodel import Session
from crm import customers, ledger
from crm.ledger import Fact, NotEnough
from storage import engines
url, name = sys.argv[1:]
now = datetime(2026, 11, 23, 4, tzinfo=UTC)
engine = engines.writer(url, "OFF")
won = 0
for number in range(25):
    try:
        with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
            customer = customers.find(session, "C1").id
            ledger.redeem(session, customer, 10, Fact(key=f"{name}:{number}", now=now))
        won += 1
    except NotEnough:
        pass
print(won)
"""


async def test_a_hundred_redemptions_at_once_of_points_for_one_are_one(database: Database, clock: Clock) -> None:
    customer = await database.write(lambda session: customers.known(session, "C1", clock()))
    await database.write(lambda session: ledger.earn(session, customer, 19, Fact(key="gift", now=clock())).points)

    async def spend(number: int) -> int:
        fact = Fact(key=f"tap {number}", now=clock())
        try:
            await database.write(lambda session: ledger.redeem(session, customer, 10, fact).points)
        except NotEnough:
            return 0
        return 1

    assert sum(await asyncio.gather(*(spend(number) for number in range(100)))) == 1
    assert await database.read(lambda session: ledger.holding(session, customer)) == (9, 0, 0, 0)
    assert await database.read(ledger_check.faults) == []


async def test_one_tap_that_is_heard_a_hundred_times_is_one(database: Database, clock: Clock) -> None:
    customer = await database.write(lambda session: customers.known(session, "C1", clock()))
    await database.write(lambda session: ledger.earn(session, customer, 100, Fact(key="gift", now=clock())).points)
    fact = Fact(key="tap", now=clock())
    done = await asyncio.gather(
        *(database.write(lambda session: ledger.redeem(session, customer, 10, fact)) for _ in range(100))
    )
    assert len({each.entry_id for each in done}) == 1 and [each.repeated for each in done].count(False) == 1
    assert await database.read(lambda session: ledger.holding(session, customer).balance) == 90


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_four_processes_that_spend_the_same_points_spend_them_once(database: Database, clock: Clock) -> None:
    customer = await database.write(lambda session: customers.known(session, "C1", clock()))
    await database.write(lambda session: ledger.earn(session, customer, 19, Fact(key="gift", now=clock())).points)
    command = [sys.executable, "-c", ONE_OF_MANY, database.url]
    tills = [
        await asyncio.create_subprocess_exec(*command, f"till {n}", cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        for n in range(4)
    ]
    won = [int((await till.communicate())[0]) for till in tills]
    assert sum(won) == 1
    assert await database.read(lambda session: ledger.holding(session, customer)) == (9, 0, 0, 0)
    assert await database.read(ledger_check.faults) == []


async def test_spending_reserving_and_expiring_at_once_keep_every_sum(database: Database) -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    people = [await database.write(lambda s, n=n: customers.known(s, f"C{n}", now)) for n in range(6)]
    for number, customer in enumerate(people * 3):
        terms = Terms(now, now + timedelta(hours=number % 3 + 1))
        fact = Fact(key=f"gift {number}", now=now)
        await database.write(lambda s, c=customer, f=fact, t=terms: ledger.earn(s, c, 10, f, terms=t).points)
    later = now + timedelta(hours=1, minutes=1)

    async def spend(number: int) -> None:
        customer = people[number % len(people)]
        fact = Fact(key=f"step {number}", now=later)
        try:
            if number % 3:
                await database.write(lambda s: ledger.redeem(s, customer, 7, fact).points)
            else:
                until = later + timedelta(minutes=5)
                await database.write(lambda s: reservations.reserve(s, customer, 7, fact, until).id)
        except NotEnough:
            return

    async def expire() -> None:
        await database.bulk(lambda s, after, size: due.expire(s, after, size, later), (NEVER, 0), size=2)

    await asyncio.gather(*(spend(number) for number in range(40)), expire(), expire())
    for customer in people:
        await database.write(lambda s, c=customer: len(posting.caught_up(s, c, "spend", later)))
    assert await database.read(ledger_check.faults) == []
    assert (
        await database.read(lambda s: [each.free for each in due.lots.due_for_expiry(s, later, (NEVER, 0), 99)]) == []
    )
