"""What a process remembers of the accounts: read again now and then, and once for all who ask at that moment."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine, event

from bot.accounts import Accounts
from bot.secrets import Sealer
from storage.database import Database
from tests.conftest import Clock


async def test_of_many_who_ask_at_once_one_reads(database: Database, clock: Clock) -> None:
    living = Accounts(database, {}, {}, Sealer("a secret key for tests only"), clock, "owner")
    readings: list[str] = []

    def seen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM account" in statement:
            readings.append(statement)

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        await asyncio.gather(*(living.freshen() for _ in range(50)))
    finally:
        event.remove(Engine, "before_cursor_execute", seen)
    assert len(readings) == 1
