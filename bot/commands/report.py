"""What a command answers: plain data for programs, lines for people; and how it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.accounts import Accounts
from bot.channels.base import Channel
from bot.settings import Settings
from storage import migrate
from storage.database import Database


class Refused(Exception):
    """A command that cannot be done; its words go to the terminal, and the exit is not 0."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found or did. `data` can be written as JSON; `ok` is False where something must be mended."""

    data: Any
    lines: Sequence[str]
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Outside:
    """What a command that asks the platforms needs of the world: the channels, the accounts' living tokens, the time.

    `tell` shows a line before the command ends.
    """

    channels: Mapping[str, Channel]
    accounts: Accounts
    clock: Callable[[], datetime]
    tell: Callable[[str], None]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database for one command, beside a service that may be running. Raises Refused where it is not ready."""
    if migrate.is_pending(settings.database_url):
        raise Refused(NOT_MIGRATED)
    database = Database(settings.database_url, synchronous=settings.sqlite_synchronous, writers=2, readers=1)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


NOT_MIGRATED = "the database is not at this version's schema: run khachquen migrate first"


def table(rows: Iterable[Sequence[str]], empty: str) -> list[str]:
    """Rows as lines with aligned columns, or the one line that says that there are none."""
    kept = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in kept] or [
        empty
    ]


def shown(at: datetime, zone: ZoneInfo) -> str:
    """A time as people of the shop read it."""
    return at.astimezone(zone).strftime("%d/%m/%Y %H:%M")


def stamp(at: datetime | None, zone: ZoneInfo) -> str | None:
    """A time as programs read it: ISO 8601 with the shop's offset."""
    return at.astimezone(zone).isoformat(timespec="seconds") if at else None
