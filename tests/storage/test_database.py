"""The door to the data: what is committed when, who goes first, what a caller gets back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from functools import partial

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session

from storage import alarms, backlog, engines, inbox
from storage.alarms import Alarm
from storage.columns import new_id
from storage.database import LONG_READERS, Database
from storage.work import Closed, Priority, wake
from tests.storage.rows import NOW


def ring(session: Session, subject: str) -> bool:
    """One small write."""
    return alarms.ring(session, "test", subject, "", NOW)


def ring_all(connection: Connection, subjects: Sequence[str]) -> None:
    """The same write as a lane's flush."""
    with Session(bind=connection) as session:
        for subject in subjects:
            ring(session, subject)


def open_subjects(session: Session) -> set[str]:
    """Whose alarms are open."""
    return {each.subject for each in alarms.unsolved(session)}


class Gate:
    """Keeps the writer busy inside a transaction until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, session: Session) -> None:
        self.entered.set()
        assert self.opened.wait(10)


async def busy(database: Database, gate: Gate) -> list[asyncio.Task[None]]:
    """Every thread that does work is held up; the tasks end once the gate opens."""
    gates = 1 if database.is_sqlite else 2
    tasks = []
    for _ in range(gates):
        gate.entered.clear()
        tasks.append(asyncio.create_task(database.write(gate)))
        await asyncio.to_thread(gate.entered.wait, 10)
    return tasks


async def test_a_read_sees_a_write_that_was_awaited(database: Database) -> None:
    for number in range(20):
        assert await database.write(partial(ring, subject=str(number)))
        assert str(number) in await database.read(open_subjects)


async def test_what_raises_leaves_nothing_behind_and_tells_the_caller(database: Database) -> None:
    def fail(session: Session) -> None:
        ring(session, "lost")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await database.write(fail)
    assert await database.read(open_subjects) == set()
    assert await database.write(partial(ring, subject="after"))


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: [row], lambda row: (1, row)])
async def test_a_table_object_cannot_leave_its_transaction(database: Database, wrap: object) -> None:
    def leak(session: Session) -> object:
        row = Alarm(kind="test", subject="leak", words="", since=NOW)
        session.add(row)
        return wrap(row)  # type: ignore[operator]

    with pytest.raises(TypeError, match="plain values"):
        await database.write(leak)
    assert await database.read(open_subjects) == set()
    with pytest.raises(TypeError, match="plain values"):
        await database.read(lambda session: Alarm(kind="test", subject="leak", words="", since=NOW))


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await database.read(partial(ring, subject="sneaked in"))
    assert await database.read(open_subjects) == set()


async def test_however_many_reads_take_long_the_others_do_not_wait_for_them(database: Database) -> None:
    lock, opened, running, most = threading.Lock(), threading.Event(), 0, 0
    full = threading.Semaphore(0)

    def count(session: Session) -> int:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
        full.release()
        assert opened.wait(10)
        with lock:
            running -= 1
        return 1

    long = [asyncio.create_task(database.read_long(count)) for _ in range(8)]
    try:
        for _ in range(LONG_READERS):
            await asyncio.to_thread(full.acquire)
        async with asyncio.timeout(10):
            assert await asyncio.gather(*(database.read(open_subjects) for _ in range(8))) == [set()] * 8
    finally:
        opened.set()
    assert sum(await asyncio.gather(*long)) == 8 and most == LONG_READERS


async def test_a_long_read_cannot_write_and_sees_what_was_written(database: Database) -> None:
    await database.write(partial(ring, subject="there"))
    assert await database.read_long(open_subjects) == {"there"}
    with pytest.raises(Exception, match=r"read-?only"):
        await database.read_long(partial(ring, subject="sneaked in"))


async def test_accepts_go_before_work_and_work_before_bulk(database: Database) -> None:
    gate, order = Gate(), []
    held = await busy(database, gate)

    def note(name: str, session: Session) -> None:
        order.append(name)

    async def one(name: str, priority: Priority) -> None:
        await database.write(partial(note, name), priority=priority)

    late = [asyncio.create_task(one("bulk", Priority.BULK)), asyncio.create_task(one("work", Priority.WORK))]
    late.append(asyncio.create_task(one("accept", Priority.ACCEPT)))
    await asyncio.sleep(0.05)
    gate.opened.set()
    await asyncio.gather(*held, *late)
    assert order.index("accept") == 0
    if database.is_sqlite:
        assert order == ["accept", "work", "bulk"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_on_postgresql_an_accept_does_not_wait_for_work(database: Database) -> None:
    gate = Gate()
    held = await busy(database, gate)
    await asyncio.wait_for(database.write(partial(ring, subject="ack"), priority=Priority.ACCEPT), 2)
    gate.opened.set()
    await asyncio.gather(*held)


async def test_rows_that_wait_together_share_one_flush_and_one_commit(database: Database) -> None:
    flushed: list[list[str]] = []

    def flush(connection: Connection, rows: Sequence[str]) -> None:
        flushed.append(list(rows))
        ring_all(connection, rows)

    lane = database.lane("test", flush)
    gate = Gate()
    held = await busy(database, gate)
    puts = [asyncio.create_task(lane.put([f"a{number}", f"b{number}"])) for number in range(30)]
    await asyncio.sleep(0.05)
    assert flushed == []
    gate.opened.set()
    await asyncio.gather(*held, *puts)
    assert len(flushed) == 1
    assert len(await database.read(open_subjects)) == 60


async def test_work_that_fails_undoes_nothing_that_shared_its_transaction(database: Database) -> None:
    lane = database.lane("test", ring_all, priority=Priority.ACCEPT)

    def fail(session: Session) -> None:
        raise LookupError

    def tasks(number: int) -> list[Awaitable[object]]:
        return [lane.put([f"ack {number}"]), database.write(fail), database.write(partial(ring, subject=str(number)))]

    together = (each for number in range(20) for each in tasks(number))
    results = await asyncio.gather(*together, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), LookupError, bool] * 20
    assert len(await database.read(open_subjects)) == 40


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_on_sqlite_what_waits_shares_one_commit_with_bulk_work_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "RIDE_WITHIN_S", 60)
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    lane = database.lane("test", ring_all, priority=Priority.ACCEPT)
    gate = Gate()
    held = await busy(database, gate)
    later = [asyncio.create_task(database.write(partial(ring, subject=str(number)))) for number in range(5)]
    apart = Gate()
    bulk = asyncio.create_task(database.write(apart, priority=Priority.BULK))
    await asyncio.sleep(0)
    later.append(asyncio.create_task(lane.put(["ack"])))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(*held, *later)
    assert len(commits) == 1
    apart.opened.set()
    await bulk
    assert len(commits) == 2
    assert await database.read(open_subjects) == {"0", "1", "2", "3", "4", "ack"}


async def test_a_bulk_walk_lets_others_in_between_and_halves_what_is_late(database: Database) -> None:
    sizes: list[int] = []
    began = threading.Event()

    def step(session: Session, cursor: int, size: int) -> int | None:
        sizes.append(size)
        began.set()
        if size > 100:
            threading.Event().wait(0.03)
        return cursor + 1 if cursor < 30 else None

    async def look() -> int:
        await asyncio.to_thread(began.wait, 5)
        await database.write(partial(ring, subject="in between"))
        return len(sizes)

    seen, _ = await asyncio.gather(look(), database.bulk(step, 0, size=800))
    assert seen < len(sizes) == 31
    assert sizes[:4] == [800, 400, 200, 100]
    assert max(sizes[4:]) <= 200


async def test_the_smallest_ranges_grow_again(database: Database) -> None:
    """Each takes 4 ms where the machine has time for it, and is to grow as soon as one does."""
    sizes: list[int] = []

    def step(session: Session, cursor: int, size: int) -> int | None:
        sizes.append(size)
        threading.Event().wait(0.004)
        return cursor + 1 if size < 3 and cursor < 500 else None

    await database.bulk(step, 0, size=1)
    assert sizes[0] == 1 and sizes[-1] == 3


async def test_quick_ranges_grow_as_far_as_they_may(database: Database) -> None:
    sizes: list[int] = []

    def step(session: Session, cursor: int, size: int) -> int | None:
        sizes.append(size)
        return cursor + 1 if cursor < 20 else None

    await database.bulk(step, 0, size=300, least=200, most=1000)
    assert max(sizes) == 1000 and min(sizes) >= 200


async def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(database: Database) -> None:
    gate = Gate()
    held = await busy(database, gate)
    lane = database.lane("test", ring_all)
    waiting = [asyncio.create_task(database.write(partial(ring, subject=str(number)))) for number in range(10)]
    waiting.append(asyncio.create_task(lane.put(["lane"])))  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0.05)
    with pytest.raises(Closed):
        await database.write(partial(ring, subject="late"))
    other = database.lane("other", ring_all)
    for _ in range(2):
        with pytest.raises(Closed):
            await asyncio.wait_for(other.put(["late"]), 1)
    gate.opened.set()
    await asyncio.gather(*held, *waiting, closing)
    await database.close()
    engine = engines.reader(database.url, 1)
    with engine.connect() as connection, Session(bind=connection) as session:
        assert open_subjects(session) == {*map(str, range(10)), "lane"}
    engine.dispose()


async def test_a_commit_wakes_whoever_waits_for_its_topic_in_any_process(database: Database) -> None:
    other = Database(database.url, synchronous="OFF")
    await other.open()
    topics = [database.topic("news"), other.topic("news")]
    await asyncio.sleep(0.4)
    for topic in topics:
        topic.clear()

    def tell(session: Session) -> None:
        ring(session, str(new_id()))
        wake(session, "news")

    await database.write(tell)
    await asyncio.wait_for(asyncio.gather(*(topic.wait() for topic in topics)), 3)
    await other.close()


async def test_a_transaction_that_was_undone_wakes_nobody(database: Database) -> None:
    topic = database.topic("news")
    await asyncio.sleep(0.4)
    topic.clear()

    def fail(session: Session) -> None:
        wake(session, "news")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    await database.write(lambda session: None)
    assert not topic.is_set()


async def test_an_accept_wakes_the_inbox(database: Database) -> None:
    lane = database.lane("accept", inbox.accept, priority=Priority.ACCEPT, topic=inbox.TOPIC)
    topic = database.topic(inbox.TOPIC)
    topic.clear()
    await lane.put([inbox.Arrival("zalo", "1", "2", "3", NOW, NOW, b"{}")])
    await asyncio.wait_for(topic.wait(), 1)
