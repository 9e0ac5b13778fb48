"""Tills of one shop, each a process of its own, that all want the same thing at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from crm import customers, ledger, rewards, vouchers
from crm.errors import CrmError
from crm.ledger import Fact
from storage import ledger_check
from storage import rewards as stock
from storage.database import Database
from tests.crm.rewards import member, open_shop
from tests.forked import FORKS, forked

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
PEOPLE = 10
HAD = 40
"""Points that each of these people has."""
PATIENCE_S = 120.0

Want = Callable[[Session, Fact, int], object]


async def opened(database: Database) -> int:
    """A shop whose people have points, and where one voucher is taken already; that voucher."""

    def open_it(session: Session) -> int:
        open_shop(session, NOW)
        people = [member(session, f"C{n}", HAD, NOW) for n in range(PEOPLE)]
        return rewards.take(session, people[0], "coffee", Fact(key="first", now=NOW))[0].id

    return await database.write(open_it)


def points_for_one(session: Session, fact: Fact, number: int) -> object:
    """Spend what C0 has left."""
    return ledger.redeem(session, customers.find(session, "C0").id, 10, fact)


def last_reward(session: Session, fact: Fact, number: int) -> object:
    """Take the reward of which there is one, for somebody."""
    return rewards.take(session, customers.find(session, f"C{number % PEOPLE}").id, "last", fact)


def voucher_once(session: Session, fact: Fact, number: int, voucher: int) -> object:
    """Use a voucher that counts once."""
    return vouchers.redeem(session, voucher, fact)


async def rush(url: str, wants: Sequence[Want], tills: int = 10, times: int = 10) -> list[int]:
    """How many got each of these, of so many processes that begin it together and each want it so often at once."""
    together, won = FORKS.Barrier(tills), FORKS.SimpleQueue()
    processes = [forked(_till, url, wants, f"till {n}", times, together, won) for n in range(tills)]
    for process in processes:
        await asyncio.to_thread(process.join, PATIENCE_S)
    assert [process.exitcode for process in processes] == [0] * tills
    return [sum(each) for each in zip(*(won.get() for _ in processes), strict=True)]


async def all_had(url: str, tills: int = 10, times: int = 10) -> tuple[list[int], bool]:
    """How many got points for one, the last reward, and the only use of a voucher; whether the books are in order."""
    database = Database(url, synchronous="OFF")
    await database.open()
    try:
        wants = (points_for_one, last_reward, partial(voucher_once, voucher=await opened(database)))
        return await rush(url, wants, tills, times), await adds_up(database)
    finally:
        await database.close()


async def adds_up(database: Database) -> bool:
    """Whether one last reward is gone, all was paid once, and every sum of the ledger agrees."""
    spent = 30 + 10 + 10
    held = await database.read(
        lambda s: sum(ledger.holding(s, customers.find(s, f"C{n}").id).balance for n in range(PEOPLE))
    )
    gone = await database.read(stock.taken)
    return (gone, held, await database.read(ledger_check.faults)) == (
        {"coffee": 1, "last": 1}, HAD * PEOPLE - spent, [],
    )  # fmt: skip


def _till(url: str, wants: Sequence[Want], name: str, times: int, together: Barrier, won: Any) -> None:
    won.put(asyncio.run(_wanted(url, wants, name, times, together)))


async def _wanted(url: str, wants: Sequence[Want], name: str, times: int, together: Barrier) -> list[int]:
    database = Database(url, synchronous="OFF")
    await database.open()
    try:
        had = []
        for want in wants:
            await asyncio.to_thread(together.wait, PATIENCE_S)
            had.append(sum(await asyncio.gather(*(_got(database, want, name, number) for number in range(times)))))
        return had
    finally:
        await database.close()


async def _got(database: Database, want: Want, name: str, number: int) -> bool:
    """Whether it was had. Where nobody answers in time, a till asks again about the same sale."""
    fact = Fact(key=f"{name}:{number}", now=NOW)
    while True:
        try:
            return await database.write(partial(_done, want=want, fact=fact, number=number))
        except CrmError:
            return False
        except OperationalError:
            continue


def _done(session: Session, want: Want, fact: Fact, number: int) -> bool:
    want(session, fact, number)
    return True
