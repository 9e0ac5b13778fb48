"""The worker of jobs: none waits for another, and what takes long stays with who does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from bot.jobs import AT_ONCE, LEASE, JobWorker, Later
from storage import jobs
from storage.database import Database
from storage.jobs import Job
from tests.conftest import Clock

pytestmark = pytest.mark.timeout(30)


def attempts(session: Session) -> list[int]:
    """How often each job that is left failed."""
    return list(session.exec(select(Job.attempts)))


class Jobs:
    """A worker, and jobs that end when the test says so."""

    def __init__(self, database: Database, clock: Clock, owner: str = "a") -> None:
        self.database, self.clock = database, clock
        self.begun: list[str] = []
        self.may_end: dict[str, asyncio.Event] = {}
        self.worker = JobWorker(database, {"slow": self.slow, "quick": self.quick, "later": self.later}, clock, owner)

    async def slow(self, payload: Any) -> None:
        self.begun.append(payload["name"])
        await self.may_end.setdefault(payload["name"], asyncio.Event()).wait()

    async def quick(self, payload: Any) -> None:
        self.begun.append(payload["name"])

    async def later(self, payload: Any) -> None:
        self.begun.append(payload["name"])
        raise Later(timedelta(hours=1))

    async def add(self, kind: str, name: str) -> None:
        rows = [jobs.row(kind, name, {"name": name}, self.clock())]
        await self.database.write(partial(jobs.add_many, rows=rows))

    async def left(self) -> int:
        return len(await self.database.read(attempts))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let tasks run until this holds."""
        while not holds():  # noqa: ASYNC110 - jobs of this test tell by a list
            await asyncio.sleep(0)


async def test_a_slow_job_holds_up_no_other(database: Database, clock: Clock) -> None:
    room = Jobs(database, clock)
    await room.add("slow", "photo")
    await room.worker.once()
    await room.until(lambda: room.begun == ["photo"])
    await room.add("quick", "sweep")
    await room.worker.once()
    await room.until(lambda: room.begun == ["photo", "sweep"])
    await room.worker.once()
    assert await room.left() == 1
    room.may_end["photo"].set()
    await room.worker.drain(5)
    assert await room.left() == 0


async def test_a_job_that_takes_longer_than_its_lease_stays_with_who_does_it(database: Database, clock: Clock) -> None:
    one, other = Jobs(database, clock), Jobs(database, clock, "b")
    await one.add("slow", "sync")
    await one.worker.once()
    await one.until(lambda: one.begun == ["sync"])
    for _ in range(4):
        clock.pass_by(seconds=LEASE.total_seconds() * 0.75)
        await one.worker.once()
        await other.worker.once()
    assert other.begun == []
    one.may_end["sync"].set()
    await one.worker.drain(5)
    assert (one.begun, await one.left()) == (["sync"], 0)


async def test_a_job_of_a_process_that_stood_still_is_done_by_another(database: Database, clock: Clock) -> None:
    one, other = Jobs(database, clock), Jobs(database, clock, "b")
    await one.add("slow", "sync")
    await one.worker.once()
    clock.pass_by(seconds=LEASE.total_seconds() + 1)
    await other.worker.once()
    await other.until(lambda: other.begun == ["sync"])
    other.may_end["sync"].set()
    await other.worker.drain(5)
    assert await other.left() == 0
    await one.worker.drain(0)


async def test_no_more_than_so_many_are_under_way_and_the_next_takes_a_free_place(
    database: Database, clock: Clock
) -> None:
    room = Jobs(database, clock)
    for number in range(AT_ONCE + 1):
        await room.add("slow", f"{number}")
    while await room.worker.once():
        pass
    await room.until(lambda: len(room.begun) == AT_ONCE)
    assert await room.worker.once() is False
    room.may_end[room.begun[0]].set()
    await asyncio.wait_for(database.topic(jobs.TOPIC).wait(), 5)
    await room.worker.once()
    await room.until(lambda: len(room.begun) == AT_ONCE + 1)
    await room.worker.drain(0)


async def test_what_is_to_be_done_later_waits_for_its_time_and_counts_no_failure(
    database: Database, clock: Clock
) -> None:
    room = Jobs(database, clock)
    await room.add("later", "quota")
    await room.worker.once()
    await room.worker.drain(5)
    clock.pass_by(minutes=59)
    assert await room.worker.once() is False
    clock.pass_by(minutes=1)
    await room.worker.once()
    await room.worker.drain(5)
    assert room.begun == ["quota", "quota"]
    assert await database.read(attempts) == [0]


async def test_what_the_database_says_of_the_data_is_not_kept_of_a_failed_job(database: Database, clock: Clock) -> None:
    def write_twice(session: Session) -> None:
        row = {"name": "+84909998877", "at": clock()}
        session.connection().execute(text("INSERT INTO mark (name, at) VALUES (:name, :at)"), [row, row])

    async def fail(payload: Any) -> None:
        await database.write(write_twice)

    worker = JobWorker(database, {"fails": fail}, clock, "a")
    await database.write(partial(jobs.add_many, rows=[jobs.row("fails", "", {}, clock())]))
    await worker.once()
    await worker.drain(20)
    (error,) = await database.read(lambda session: list(session.exec(select(Job.error))))
    assert error.startswith("IntegrityError (") and "84909998877" not in error
