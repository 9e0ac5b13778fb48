"""Many at once: the last reward and the last use of a voucher are had once."""

from __future__ import annotations

import asyncio
from functools import partial

from crm import ledger, rewards, vouchers
from crm.errors import CrmError
from crm.ledger import Fact
from storage import ledger_check
from storage import rewards as stock
from storage.database import Database
from tests.conftest import Clock
from tests.crm.rewards import member, open_shop

PEOPLE = 10


async def shop(database: Database, clock: Clock) -> tuple[list[int], int]:
    """A shop with ten people who have 40 points each, and a voucher of the first one."""
    await database.write(lambda session: open_shop(session, clock()))
    people = [await database.write(partial(member, name=f"C{n}", points=40, now=clock())) for n in range(PEOPLE)]
    fact = Fact(key="first", now=clock())
    voucher = await database.write(lambda session: rewards.take(session, people[0], "coffee", fact)[0].id)
    return people, voucher


async def test_a_hundred_at_once_take_the_last_reward_and_use_a_voucher_once(database: Database, clock: Clock) -> None:
    people, voucher = await shop(database, clock)

    async def attempt(number: int, *, takes: bool) -> int:
        fact = Fact(key=f"tap {number}", now=clock())
        try:
            if takes:
                await database.write(lambda s: rewards.take(s, people[number % PEOPLE], "last", fact)[0].id)
            else:
                await database.write(lambda s: vouchers.redeem(s, voucher, fact).state)
        except CrmError:
            return 0
        return 1

    taken = await asyncio.gather(*(attempt(number, takes=True) for number in range(100)))
    used = await asyncio.gather(*(attempt(number, takes=False) for number in range(100)))
    assert (sum(taken), sum(used)) == (1, 1)
    await all_adds_up(database, people)


async def all_adds_up(database: Database, people: list[int]) -> None:
    """One reward is gone, and its price with it, once."""
    assert await database.read(stock.taken) == {"coffee": 1, "last": 1}
    held = await database.read(lambda session: [ledger.holding(session, each).balance for each in people])
    assert sum(held) == 40 * PEOPLE - 30 - 10
    assert await database.read(ledger_check.faults) == []
