"""The door to the data when something goes wrong: conflicts, poison, busy files, lost connections, races."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from storage import alarms, engines, inbox, watch
from storage.database import Database
from storage.inbox import Arrival
from storage.work import Closed, Priority
from tests.postgresql import libpq
from tests.storage.rows import NOW, arrival, transaction
from tests.storage.test_database import open_subjects, ring, ring_all

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_postgresql
async def test_a_deadlock_is_run_again_and_both_sides_come_through(database: Database) -> None:
    for subject in ("a", "b"):
        await database.write(partial(ring, subject=subject))
    met = threading.Barrier(2, timeout=5)
    tries = {"ab": 0, "ba": 0}

    def cross(session: Session, order: str) -> str:
        tries[order] += 1
        for step, subject in enumerate(order):
            session.connection().execute(
                text("UPDATE alarm SET words = words || :order WHERE subject = :subject"),
                {"order": order, "subject": subject},
            )
            if step == 0 and tries[order] == 1:
                met.wait()
        return order

    done = await asyncio.gather(*(database.write(partial(cross, order=order)) for order in tries))
    assert done == ["ab", "ba"]
    assert max(tries.values()) > 1, "one of them was undone and run again"
    words = await database.read(lambda session: sorted(each.words for each in alarms.unsolved(session)))
    assert all(len(each) == 4 for each in words), "the undone half of the loser must not count"


@on_postgresql
async def test_a_serialization_failure_is_run_again_three_times_at_most(database: Database) -> None:
    tries = []

    def conflict(session: Session) -> int:
        tries.append(1)
        if len(tries) < enough:
            session.connection().exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")
        return len(tries)

    enough = 3
    assert await database.write(conflict) == 3
    tries.clear()
    enough = 99
    with pytest.raises(OperationalError):
        await database.write(conflict)
    assert len(tries) == 3


async def test_a_row_that_the_database_refuses_fails_only_its_own_put(database: Database) -> None:
    def flush(connection: Connection, rows: Sequence[str]) -> None:
        kinds = [
            {"kind": "test", "subject": row, "words": None if row == "poison" else "", "since": NOW} for row in rows
        ]
        connection.execute(alarms.Alarm.__table__.insert(), kinds)  # type: ignore[attr-defined]

    lane = database.lane("test", flush)
    subjects = ["1", "2", "poison", "3", "4"]
    results = await asyncio.gather(*(lane.put([subject]) for subject in subjects), return_exceptions=True)
    assert [result is None for result in results] == [True, True, False, True, True]
    assert await database.read(open_subjects) == {"1", "2", "3", "4"}


@pytest.mark.parametrize("poison", ["a lone \ud83d surrogate", "x" * 300])
async def test_a_poison_event_does_not_take_its_neighbours_along(database: Database, poison: str) -> None:
    """What the driver refuses before the database sees it counts as refused, too."""
    lane = database.lane("accept", inbox.accept, priority=Priority.ACCEPT)
    gate = threading.Event()
    held = [asyncio.create_task(database.write(lambda _: gate.wait(5), priority=Priority.ACCEPT))]
    await asyncio.sleep(0.05)
    puts = [asyncio.create_task(lane.put([arrival(key, person=key)])) for key in ("1", poison, "2")]
    await asyncio.sleep(0.05)
    gate.set()
    results = await asyncio.gather(*puts, return_exceptions=True)
    await asyncio.gather(*held)
    assert results[0] is None
    assert results[2] is None


async def test_a_lane_works_again_after_a_flush_that_failed(database: Database) -> None:
    broken = True

    def flush(connection: Connection, rows: Sequence[str]) -> None:
        if broken:
            raise LookupError("on purpose")
        ring_all(connection, rows)

    lane = database.lane("test", flush)
    for _ in range(3):
        with pytest.raises(LookupError):
            await asyncio.wait_for(lane.put(["1"]), 2)
    broken = False
    await asyncio.wait_for(lane.put(["1"]), 2)
    assert await database.read(open_subjects) == {"1"}


@on_sqlite
async def test_a_file_that_another_program_holds_for_long_fails_what_waits_and_heals(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_url = database.url
    await database.close()
    monkeypatch.setattr(engines, "BUSY_S", 0.05)
    patient = Database(database_url, synchronous="OFF")
    await patient.open()
    lane = patient.lane("accept", ring_all, priority=Priority.ACCEPT)
    with closing(sqlite3.connect(engines.sqlite_path(database_url), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Exception, match="locked"):
            await asyncio.wait_for(lane.put(["while it is held"]), 5)
        with pytest.raises(Exception, match="locked"):
            await asyncio.wait_for(patient.write(partial(ring, subject="work")), 5)
        other.execute("ROLLBACK")
    await asyncio.wait_for(lane.put(["afterwards"]), 5)
    assert await patient.read(open_subjects) == {"afterwards"}
    await patient.close()


async def test_a_system_that_refuses_batch_threads_is_written_to_all_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under `SystemCallFilter=~@resources` of systemd."""

    def refuse(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    database = Database(database_url, synchronous="OFF")
    await database.open()
    try:
        assert await asyncio.wait_for(database.write(partial(ring, subject="kept")), 5)
    finally:
        await database.close()


async def test_a_writer_that_dies_fails_all_that_waits_for_it_and_tells(database: Database) -> None:
    class Death(BaseException):
        pass

    def die(session: Session) -> None:
        assert doomed.wait(5)
        raise Death

    doomed = threading.Event()
    lane = database.lane("accept", ring_all, priority=Priority.ACCEPT)
    dying = [asyncio.create_task(database.write(die)) for _ in range(1 if database.is_sqlite else 2)]
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(database.write(partial(ring, subject=str(number)))) for number in range(3)]
    if database.is_sqlite:
        waiting.append(asyncio.create_task(lane.put(["row"])))
    await asyncio.sleep(0.05)
    assert not database.died.is_set()
    doomed.set()
    ends = await asyncio.wait_for(asyncio.gather(*dying, *waiting, return_exceptions=True), 5)
    assert [type(end) for end in ends] == [Closed] * len(ends)
    await asyncio.wait_for(database.died.wait(), 5)
    with pytest.raises(Closed):
        await database.write(partial(ring, subject="late"))
    with pytest.raises(Closed):
        await lane.put(["late"])
    assert await database.read(open_subjects) == set()
    await asyncio.wait_for(database.close(), 5)


@on_sqlite
async def test_the_watcher_of_a_file_goes_on_after_an_error(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite itself refuses the look at its counter on the first connection; the log is kept short all the same."""
    monkeypatch.setattr(engines, "LONG_LOG_BYTES", 0)
    engine = engines.reader(database_url, 1)
    stop, woken, folded, anew = (threading.Event() for _ in range(4))
    made: list[sqlite3.Connection] = []

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        made.append(connection)
        if len(made) == 1:
            refused = ("data_version", sqlite3.SQLITE_PRAGMA)
            connection.set_authorizer(lambda action, name, *_: int((name, action) == refused))
        else:
            anew.set()

    watcher = threading.Thread(target=watch.sqlite, args=(engine, database_url, stop.wait, woken.set, folded.set))
    watcher.start()
    try:
        assert await asyncio.to_thread(anew.wait, 5)
        assert await asyncio.to_thread(woken.wait, 5), "what happened meanwhile may have been missed"
        woken.clear()
        with transaction(database_url) as session:
            ring(session, "from outside")
        assert await asyncio.to_thread(woken.wait, 5)
        assert await asyncio.to_thread(folded.wait, 5)
    finally:
        stop.set()
        await asyncio.to_thread(watcher.join, 5)
        engine.dispose()
    assert not watcher.is_alive()


@on_postgresql
async def test_lost_connections_fail_what_was_on_them_and_are_made_anew(database: Database) -> None:
    lane = database.lane("accept", ring_all, priority=Priority.ACCEPT)
    await lane.put(["before"])
    await database.write(partial(ring, subject="work before"))
    with psycopg.connect(libpq(database.url), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    outcomes = await asyncio.gather(*(lane.put([f"after {number}"]) for number in range(3)), return_exceptions=True)
    failed = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(each, OperationalError) for each in failed)
    for _ in range(3):
        try:
            await asyncio.wait_for(lane.put(["healed"]), 5)
            await asyncio.wait_for(database.write(partial(ring, subject="work healed")), 5)
        except OperationalError:
            continue
        break
    assert await database.read(open_subjects) >= {"before", "work before", "healed", "work healed"}


@on_postgresql
async def test_a_server_that_takes_no_connection_for_a_while_does_not_jam_a_lane(database: Database) -> None:
    lane = database.lane("accept", ring_all, priority=Priority.ACCEPT)
    await lane.put(["before"])
    name = libpq(database.url).rpartition("/")[2].partition("?")[0]
    with psycopg.connect(libpq(database.url).replace(name, "postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # type: ignore[call-overload]
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        for _ in range(2):
            with pytest.raises(OperationalError):
                await asyncio.wait_for(lane.put(["while it is away"]), 5)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # type: ignore[call-overload]
    await asyncio.wait_for(lane.put(["back"]), 5)
    assert await database.read(open_subjects) == {"before", "back"}


async def test_events_of_many_doors_are_kept_once_and_without_a_deadlock(database: Database) -> None:
    """Two processes accept the same events in different order, in batches."""
    other = Database(database.url, synchronous="OFF")
    await other.open()
    lanes = [each.lane("accept", inbox.accept, priority=Priority.ACCEPT) for each in (database, other)]
    events: list[Arrival] = [arrival(f"{number}", person=str(number % 7)) for number in range(60)]
    await asyncio.gather(
        *(lanes[0].put(events[start : start + 6]) for start in range(0, 60, 6)),
        *(lanes[1].put(events[start : start + 6][::-1]) for start in range(54, -1, -6)),
    )
    count = await database.read(
        lambda session: session.connection().execute(text("SELECT count(*) FROM inbox")).scalar()
    )
    assert count == 60
    await other.close()


@on_postgresql
async def test_who_stands_still_in_a_transaction_lets_the_others_go_on_and_begins_anew(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "IDLE_S", 1)
    still = Database(database_url)
    await still.open()
    holds, may_go_on = threading.Event(), threading.Event()

    def stand(session: Session) -> None:
        ring(session, "a")
        session.connection().execute(text("SELECT pg_advisory_xact_lock(1)"))
        holds.set()
        may_go_on.wait(20)
        ring(session, "b")

    try:
        standing = asyncio.create_task(still.write(stand))
        await asyncio.to_thread(holds.wait, 10)
        taken = text("SELECT pg_advisory_xact_lock(1)")
        await database.write(lambda session: session.connection().execute(taken).scalar() and None)
        may_go_on.set()
        await standing
        await still.write(partial(ring, subject="c"))
    finally:
        may_go_on.set()
        await still.close()
    assert await database.read(open_subjects) == {"a", "b", "c"}, "it was run again"
