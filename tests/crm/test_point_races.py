"""Many at once: points for one are spent once. Several processes do the same in `tests/trials/tills.py`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import adjustments, customers, due, ledger, opening, posting, reservations
from crm.ledger import Fact, NotEnough, Terms
from crm.posting import KeyTaken
from storage import ledger_check
from storage.columns import NEVER
from storage.database import Database
from tests.conftest import Clock
from tests.crm import programme

Step = Callable[[Session], Any]


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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("holds", [False, True])
async def test_one_key_for_two_customers_at_once_is_refused_to_who_comes_second(
    database: Database, clock: Clock, holds: bool
) -> None:
    first, second = [await database.write(lambda s, n=n: customers.known(s, f"C{n}", clock())) for n in range(2)]
    for customer in (first, second):
        fact = Fact(key=f"gift {customer}", now=clock())
        await database.write(lambda s, c=customer, f=fact: ledger.earn(s, c, 50, f).points)
    bill = Fact(key="bill", now=clock())

    def spend(session: Session, customer: int) -> None:
        if holds:
            reservations.reserve(session, customer, 10, bill, clock() + timedelta(minutes=5))
        else:
            ledger.redeem(session, customer, 10, bill)

    done = await asyncio.gather(
        *meeting(database, lambda session: spend(session, first), lambda session: spend(session, second)),
        return_exceptions=True,
    )
    assert [type(each) for each in done] == [type(None), KeyTaken]
    assert await database.read(lambda s: [ledger.holding(s, each).spendable for each in (first, second)]) == [40, 50]
    assert await database.read(ledger_check.faults) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_file_that_is_loaded_twice_at_once_is_one_batch(database: Database, clock: Clock) -> None:
    plan = opening.read("customer,points\nC1,100\n", clock().date())
    customer = await database.write(lambda session: customers.known(session, "C1", clock()))

    def begin(session: Session) -> int:
        return opening.open_batch(session, plan, "old.csv", "cli:owner", clock())

    batches = await asyncio.gather(*meeting(database, begin, begin))
    assert len(set(batches)) == 1
    for batch in batches:
        await database.write(lambda session, b=batch: opening.load(session, b, plan.rows, clock()))
    assert await database.read(lambda session: ledger.holding(session, customer).balance) == 100


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_gives_twice_at_once_gives_no_more_alone_than_one_after_the_other(
    database: Database, clock: Clock
) -> None:
    await database.write(lambda session: programme.load(session, programme.FULL, clock()))
    people = [await database.write(lambda s, n=n: customers.known(s, f"C{n}", clock())) for n in range(2)]

    def give(session: Session, customer: int) -> bool:
        fact = Fact(key=f"to {customer}", now=clock(), reason="quà", actor="api:Mai")
        return adjustments.adjust(session, customer, 300, fact).waiting is None

    done = await asyncio.gather(*meeting(database, *(partial(give, customer=each) for each in people)))
    assert done == [True, False]


def meeting(database: Database, first: Step, second: Step) -> tuple[Awaitable[Any], Awaitable[Any]]:
    """Two transactions, the second of which begins while the first one is open, and is waited for by it: until it waits
    itself, or is over."""
    begun, over = threading.Event(), threading.Event()

    def slow(session: Session) -> Any:
        done = first(session)
        begun.set()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not over.is_set() and not session.connection().execute(waits).scalar_one():
            pass
        return done

    def meanwhile(session: Session) -> Any:
        begun.wait(30)
        return second(session)

    async def ended() -> Any:
        try:
            return await database.write(meanwhile)
        finally:
            over.set()

    return database.write(slow), ended()
