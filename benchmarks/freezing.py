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
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from benchmarks import big_shop, process
from benchmarks.big_shop import NOW
from bot import audience
from bot.broadcasts import FIRST_RANGE, LEAST_RANGE
from crm import broadcast_clock, broadcasts, freezing
from crm.content import Content
from crm.messages import Purpose
from crm.programme import HOME
from storage.database import Database

_PLAIN = """
    INSERT INTO recipient (broadcast_id, customer_id, purpose, due_at, created_at)
    SELECT b.id, c.id, 'broadcast', b.created_at, b.created_at FROM customer c, broadcast b
    WHERE b.id = (SELECT max(id) FROM broadcast)
"""


async def measured(url: str) -> dict[str, Any]:
    """Both, one after the other, in an empty table each."""
    frame = audience.as_of(NOW, HOME)
    async with _opened(url) as database:
        broadcast = await database.write(_due)
        planned = await database.read(partial(freezing.plan, broadcast_id=broadcast, frame=frame))
        assert planned is not None
        ranges: list[float] = []

        def step(session: Session, cursor: int, size: int) -> int | None:
            began = time.monotonic()
            reached = freezing.step(session, broadcast, planned, size)
            ranges.append(time.monotonic() - began)
            return reached

        before, began = process.resident_bytes(_pid()), time.monotonic()
        await database.bulk(step, 0, size=FIRST_RANGE, least=LEAST_RANGE)
        ours = time.monotonic() - began
        grown = (process.resident_bytes(_pid()) - before) / 1e6
        people = (await database.read(partial(broadcasts.get, broadcast_id=broadcast))).audience
        await database.write(_empty)
        await database.write(_due)
        began = time.monotonic()
        await database.write(_plain)
        plain = time.monotonic() - began
        await database.write(_empty)
    slow = sorted(ranges)[-len(ranges) // 100 or -1 :]
    return {
        "people": people, "seconds": round(ours, 1), "plain_seconds": round(plain, 1), "ratio": round(ours / plain, 2),
        "ranges": len(ranges), "longest_ms": round(1000 * max(ranges), 1), "p99_ms": round(1000 * slow[0], 1),
        "grown_mb": round(grown, 1),
    }  # fmt: skip


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
    broadcast_clock.start(session, found, NOW)
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
