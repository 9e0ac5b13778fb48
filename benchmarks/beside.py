"""Work that shares the product's process while its answers are timed; each entry starts it and returns."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

import main
from benchmarks import broadcast as news
from benchmarks import page
from benchmarks.points import OVER, fill
from bot import points
from storage.database import Database

BROADCAST = "beside-broadcast"
_PEOPLE = 60_000
_ROWS = 200_000
_DUE_AT_ONCE = 20_000
_tasks: set[asyncio.Task[None]] = set()


def busy_thread() -> None:
    """One thread that never stops computing, as a parser or a report in the wrong place would."""
    threading.Thread(target=_compute, name="busy", daemon=True).start()


def _compute() -> None:
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


def bulk() -> None:
    """A bulk job that never ends: it rewrites a large table range by range, through the product's own bulk priority."""
    application = main.application

    def beside(settings: Any, service: Any, *arguments: Any, **named: Any) -> Any:
        task = asyncio.get_running_loop().create_task(_rewrite(service.database))
        _tasks.add(task)
        return application(settings, service, *arguments, **named)

    main.application = beside


async def _rewrite(database: Database) -> None:
    await database.write(_make)
    await database.bulk(_fill, 0)
    while True:
        await database.bulk(_touch, 0)


def _make(session: Session) -> None:
    session.connection().exec_driver_sql("CREATE TABLE bulk_rows (id INTEGER PRIMARY KEY, value INTEGER, words TEXT)")


def _fill(session: Session, start: int, size: int) -> int | None:
    rows = [(number, 0, "x" * 200) for number in range(start, min(start + size, _ROWS))]
    session.connection().exec_driver_sql("INSERT INTO bulk_rows VALUES (?, ?, ?)", rows)
    return start + size if start + size < _ROWS else None


def _touch(session: Session, start: int, size: int) -> int | None:
    changed = "UPDATE bulk_rows SET value = value + 1 WHERE id >= ? AND id < ?"
    session.connection().exec_driver_sql(changed, (start, start + size))
    return start + size if start + size < _ROWS else None


def points_due() -> None:
    """Points that never cease to be due: lots come in ranges, expire, and their owners' tiers are reviewed."""
    application = main.application

    def beside(settings: Any, service: Any, *arguments: Any, **named: Any) -> Any:
        task = asyncio.get_running_loop().create_task(_turn(service.database))
        _tasks.add(task)
        return application(settings, service, *arguments, **named)

    main.application = beside


async def _turn(database: Database) -> None:
    first = 1
    while True:
        await fill(database, _DUE_AT_ONCE, first)
        first += _DUE_AT_ONCE
        await points.turn(database, OVER)


def broadcast() -> None:
    """A broadcast to more people than can be written to meanwhile, at the speed of the machine. Those who write are not
    among them."""
    now = datetime.now(UTC)
    ahead = (9 - now.hour + 12) % 24 - 12
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    os.environ.update({"TIMEZONE": zone, "QUIET_HOURS": "none", "BROADCAST_ALONE": "0"})
    url = os.environ["DATABASE_URL"]
    news.prepare(url, _PEOPLE, now, first=page.PEOPLE)
    news.begin(url, ZoneInfo(zone), now)


WORK: dict[str, Callable[[], None]] = {
    "busy-thread": busy_thread, "bulk": bulk, "points": points_due, BROADCAST: broadcast,
}  # fmt: skip
