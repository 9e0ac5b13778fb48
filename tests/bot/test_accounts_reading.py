"""What a process remembers of the accounts: read again now and then, and once for all who ask at that moment."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session

from bot.accounts import Accounts
from bot.secrets import Sealer
from storage import accounts
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


async def test_a_slow_reading_does_not_bring_back_what_a_later_one_found_changed(
    database: Database, clock: Clock
) -> None:
    """A sender would call with a token that was just renewed, and be refused once more."""
    living = Accounts(database, {}, {}, Sealer("a secret key for tests only"), clock, "owner")
    read, may_go_on = threading.Event(), threading.Event()

    def hold_up_the_first(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM account" in statement and not read.is_set():
            read.set()
            assert may_go_on.wait(10)

    def connect(session: Session) -> None:
        accounts.add(session, "zalo", "1", clock())
        view = accounts.find(session, "zalo", "1")
        assert view is not None
        accounts.connect(session, view.id, ("sealed by", "another key"), clock())

    event.listen(Engine, "after_cursor_execute", hold_up_the_first)
    try:
        slow = asyncio.create_task(living.reload())
        await asyncio.to_thread(read.wait, 10)
        await database.write(connect)
        await living.reload()
        may_go_on.set()
        await slow
    finally:
        may_go_on.set()
        event.remove(Engine, "after_cursor_execute", hold_up_the_first)
    assert set(living.unreadable) == {("zalo", "1")}
