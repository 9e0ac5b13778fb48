"""How long the audience of a broadcast to everybody takes to be frozen, beside one statement that inserts as many rows.

`python -m benchmarks.freezing URL CUSTOMERS` prints one line of JSON. What it wrote is deleted in the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from benchmarks import big_shop, process
from benchmarks.big_shop import NOW
from bot import audience
from bot.broadcasts import FIRST_RANGE, LEAST_RANGE, MOST_RANGE
from crm import broadcast_clock, broadcasts, freezing
from crm.caps import Caps
from crm.content import Content
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.programme import HOME
from crm.verdicts import Policy
from storage.database import Database

_ROUNDS = 3
_PLAIN = """
    INSERT INTO recipient (broadcast_id, customer_id, purpose, due_at, created_at)
    SELECT b.id, c.id, 'broadcast', b.created_at, b.created_at FROM customer c, broadcast b
    WHERE b.id = (SELECT max(id) FROM broadcast)
"""


async def measured(url: str) -> dict[str, Any]:
    """Both in turn, each in an empty table, and each first in every other round: who is first reads a colder disk."""
    frozen: list[_Frozen] = []
    plain: list[float] = []
    async with _opened(url) as database:
        for number in range(_ROUNDS):
            for ours in (True, False) if number % 2 else (False, True):
                broadcast = await database.write(_due)
                if ours:
                    frozen.append(await _frozen(database, broadcast))
                else:
                    began = time.monotonic()
                    await database.write(_plain)
                    plain.append(time.monotonic() - began)
                await database.write(_empty)
    ranges = sorted(each for one in frozen for each in one.ranges)
    ratios = [one.seconds / other for one, other in zip(frozen, plain, strict=True)]
    return {
        "people": frozen[0].people, "seconds": round(median(one.seconds for one in frozen), 1),
        "plain_seconds": round(median(plain), 1), "ratio": round(median(ratios), 2), "ranges": len(ranges) // _ROUNDS,
        "longest_ms": round(1000 * ranges[-1], 1), "p99_ms": round(1000 * ranges[len(ranges) * 99 // 100], 1),
        "grown_mb": round(max(one.grown_mb for one in frozen), 1),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Frozen:
    """An audience that was frozen: how many, the whole time, each range's, and by how much the process grew."""

    people: int
    seconds: float
    ranges: list[float]
    grown_mb: float


async def _frozen(database: Database, broadcast: int) -> _Frozen:
    frame = audience.as_of(NOW, HOME)
    planned = await database.read(partial(freezing.plan, broadcast_id=broadcast, frame=frame))
    assert planned is not None
    ranges: list[float] = []

    def step(session: Session, cursor: int, size: int) -> int | None:
        began = time.monotonic()
        reached = freezing.step(session, broadcast, planned, size)
        ranges.append(time.monotonic() - began)
        return reached

    before, began = process.resident_bytes(_pid()), time.monotonic()
    await database.bulk(step, 0, size=FIRST_RANGE, least=LEAST_RANGE, most=MOST_RANGE)
    seconds = time.monotonic() - began
    grown = (process.resident_bytes(_pid()) - before) / 1e6
    people = (await database.read(partial(broadcasts.get, broadcast_id=broadcast))).audience
    return _Frozen(people, seconds, ranges, grown)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _due(session: Session) -> int:
    found = broadcasts.draft(session, "bench", Purpose.BROADCAST, Content("Chào bạn"), "tatca", "cli", NOW)
    broadcasts.tested(session, found, NOW)
    broadcasts.schedule(session, found, NOW, "cli", NOW)
    broadcast_clock.start(session, found, NOW, Policy(Caps(), LawfulHours(HOME)))
    return found


def _plain(session: Session) -> None:
    session.connection().execute(text(_PLAIN))


def _empty(session: Session) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    session.connection().execute(text("DELETE FROM recipient" if is_sqlite else "TRUNCATE recipient"))


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)


if __name__ == "__main__":
    with big_shop.opened(sys.argv[1], int(sys.argv[2])):
        pass
    print(json.dumps(asyncio.run(measured(sys.argv[1]))), flush=True)
