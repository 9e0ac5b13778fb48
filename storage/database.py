"""The only door to the data: one place that opens, commits and retries transactions, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from prometheus_client import Counter, Histogram
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlmodel import Session

from storage import engines
from storage.work import Call, Closed, Lane, Priority, Work, name_of, refuse_rows

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C")

WRITER_WAIT = Histogram(
    "khachquen_writer_wait_seconds",
    "How long work waited for the writer, by priority",
    ["priority"],
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1, 3),
)
SLOW_WRITES = Counter("khachquen_slow_writes_total", "Writer functions that took over 50 ms", ["name"])

SLOW_S = 0.05
BULK_S = 0.02
ACKS_GATHER_S = 0.01
ATTEMPTS = 3
SERIALIZATION_STATES = frozenset({"40001", "40P01", "55P03"})
REFUSALS = (DataError, IntegrityError, sqlite3.DataError, sqlite3.IntegrityError, ValueError, OverflowError)
"""What says that a row is at fault: the database refused it, or the driver did (a lone surrogate, a huge number)."""


_WAITED = {priority: WRITER_WAIT.labels(priority.name.lower()) for priority in Priority}


class Database:
    """Opens engines and threads; `write`, `read` and lanes are the only ways in."""

    def __init__(self, url: str, *, synchronous: str = "FULL", writers: int = 3, readers: int = 4) -> None:
        self.url = url
        self.is_sqlite = engines.is_sqlite(url)
        self._writer_engine = engines.writer(url, synchronous)
        self._reader_engine = engines.reader(url, readers)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._writers = 1 if self.is_sqlite else writers
        self._threads: list[threading.Thread] = []
        self._queues: dict[Priority, deque[Work]] = {priority: deque() for priority in Priority}
        self._ready = threading.Condition()
        self._stopping = False
        self._fold_log = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: dict[str, asyncio.Event] = {}

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and commands that run before or beside the service."""
        return self._writer_engine

    async def open(self) -> None:
        """Start the threads. The schema must be there already."""
        self._loop = asyncio.get_running_loop()
        everything = (Priority.ACCEPT, Priority.WORK, Priority.BULK)
        shares = [everything] if self.is_sqlite else [(Priority.ACCEPT,)] + [everything[1:]] * (self._writers - 1)
        for number, share in enumerate(shares):
            self._start(f"writer-{number}", partial(self._write_forever, share))
        self._start("watcher", self._watch_sqlite if self.is_sqlite else self._watch_postgresql)

    async def close(self) -> None:
        """Finish what is queued, stop the threads, close the connections. May be called twice."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._threads.clear()
        self._readers.shutdown(wait=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    async def write(self, fn: Callable[[Session], T], *, priority: Priority = Priority.WORK, name: str = "") -> T:
        """Run `fn(session)` in a transaction of its own; resolves after the commit, raises what `fn` raised.

        `fn` must return plain values (TypeError otherwise) and may run again after a serialization failure.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(Call(fn, priority, future, name or name_of(fn), time.monotonic()))
        return await future

    async def read(self, fn: Callable[[Session], T]) -> T:
        """Run `fn(session)` on a read-only connection; sees every write that was awaited before."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    async def bulk(self, step: Callable[[Session, C, int], C | None], start: C, *, size: int = 500) -> None:
        """Walk a keyset: `step(session, cursor, size)` does one range and returns the next cursor, None at the end.

        Ranges halve when they take over 20 ms and grow again; everything else that waits goes in between.
        """
        cursor: C | None = start
        while cursor is not None:
            here, began = cursor, time.monotonic()

            def run(session: Session, here: C = here, size: int = size) -> tuple[C | None, float]:
                began = time.monotonic()
                return step(session, here, size), time.monotonic() - began

            cursor, took = await self.write(run, priority=Priority.BULK, name=name_of(step))
            size = max(1, size // 2) if took > BULK_S else min(size * 2, 5000) if took < BULK_S / 4 else size
            if self.is_sqlite and not self._threads:
                await asyncio.sleep(time.monotonic() - began)

    def lane(
        self,
        name: str,
        flush: Callable[[Connection, Sequence[R]], None],
        *,
        priority: Priority = Priority.WORK,
        topic: str = "",
    ) -> Lane[R]:
        """A new stream of rows; after each commit `topic` is woken."""
        return Lane(self.submit, name, flush, priority, topic)

    def topic(self, name: str) -> asyncio.Event:
        """The event that is set after a commit that woke this topic, in any process; the waiter clears it."""
        return self._waiters.setdefault(name, asyncio.Event())

    def submit(self, work: Work) -> None:
        """Queue a piece of work for the writer threads."""
        with self._ready:
            if self._stopping or not self._threads:
                raise Closed("the database is closed")
            self._queues[work.priority].append(work)
            self._ready.notify_all()

    def _start(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self, fn: Callable[[Session], T]) -> T:
        with self._reader_engine.connect() as connection, Session(bind=connection) as session:
            result = fn(session)
            refuse_rows(result, name_of(fn))
            return result

    def _next(self, share: Sequence[Priority], last: Work | None) -> Work | None:
        with self._ready:
            while True:
                for priority in self._order(share, last):
                    if self._queues[priority]:
                        return self._queues[priority].popleft()
                if self._stopping:
                    return None
                self._ready.wait()

    def _order(self, share: Sequence[Priority], last: Work | None) -> Sequence[Priority]:
        """Acks first; but after some acks one piece of work, while fresh acks gather for a commit that they share."""
        acks = self._queues[Priority.ACCEPT]
        if last is None or last.priority is not Priority.ACCEPT or not acks or len(share) == 1:
            return share
        fresh = time.monotonic() - acks[0].queued_at < ACKS_GATHER_S
        return (Priority.WORK, *share) if fresh else share

    def _write_forever(self, share: Sequence[Priority]) -> None:
        connection: Connection | None = None
        work: Work | None = None
        while (work := self._next(share, work)) is not None:
            _WAITED[work.priority].observe(time.monotonic() - work.queued_at)
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    if connection is None:
                        connection = self._writer_engine.connect()
                    topics = self._transact(connection, work)
                except Exception as error:
                    connection = _rolled_back(connection)
                    if attempt < ATTEMPTS and _may_retry(error):
                        continue
                    self._failed(work, error)
                else:
                    self._call_loop(self._committed, work, topics)
                    self._fold(connection)
                break
        if connection is not None:
            connection.close()

    def _fold(self, connection: Connection) -> None:
        if self._fold_log:
            self._fold_log = False
            try:
                engines.fold_log(connection)
            except Exception as error:
                log.warning("the log could not be folded", extra={"why": type(error).__name__})

    def _transact(self, connection: Connection, work: Work) -> set[str]:
        began = time.monotonic()
        with connection.begin():
            topics = work.run(connection)
            if topics and not self.is_sqlite:
                for topic in topics:
                    connection.exec_driver_sql("SELECT pg_notify('khachquen', %s)", (topic,))
        took = time.monotonic() - began
        if took > SLOW_S:
            SLOW_WRITES.labels(work.name).inc()
            log.warning("slow write", extra={"write": work.name, "seconds": round(took, 3)})
        return topics

    def _committed(self, work: Work, topics: set[str]) -> None:
        work.resolve()
        for topic in topics:
            self.topic(topic).set()

    def _failed(self, work: Work, error: Exception) -> None:
        parts = work.split() if isinstance(error, REFUSALS) else ()
        if not parts:
            self._call_loop(work.fail, error)
            return
        with self._ready:
            self._queues[work.priority].extendleft(reversed(parts))
            self._ready.notify_all()

    def _call_loop(self, callback: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            log.warning("the event loop closed before a write was answered")

    def _wake_all(self) -> None:
        for event in self._waiters.values():
            event.set()

    def _watch_sqlite(self) -> None:
        """Wake on other processes' commits (a counter of SQLite's) and move the log into the file now and then."""
        with closing(self._reader_engine.raw_connection()) as connection:
            version, ticks = None, 0
            while not self._wait_stopping(0.2):
                (current,) = connection.cursor().execute("PRAGMA data_version").fetchone()
                if version is not None and current != version:
                    self._call_loop(self._wake_all)
                version, ticks = current, ticks + 1
                if ticks % 5 == 0:
                    self._fold_log = self._checkpointed()

    def _checkpointed(self) -> bool:
        try:
            return engines.checkpoint(self.url)
        except Exception as error:
            log.warning("the log could not be moved into the file", extra={"why": type(error).__name__})
            return False

    def _watch_postgresql(self) -> None:
        """Wake on other processes' notices; LISTEN needs the driver's own connection."""
        while not self._wait_stopping(0):
            try:
                with self._reader_engine.connect() as connection:
                    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                    connection.exec_driver_sql("LISTEN khachquen")
                    self._call_loop(self._wake_all)
                    driver: Any = connection.connection.driver_connection
                    while not self._wait_stopping(0):
                        for notice in driver.notifies(timeout=0.2):
                            self._call_loop(self._set_topic, notice.payload)
                    connection.exec_driver_sql("UNLISTEN *")
            except Exception as error:
                why = type(error).__name__
                log.warning("notices of other processes do not arrive; polling goes on", extra={"why": why})
                self._wait_stopping(1)

    def _set_topic(self, name: str) -> None:
        self.topic(name).set()

    def _wait_stopping(self, seconds: float) -> bool:
        with self._ready:
            if not self._stopping and seconds:
                self._ready.wait_for(lambda: self._stopping, seconds)
            return self._stopping


def _rolled_back(connection: Connection | None) -> Connection | None:
    if connection is None or not (connection.invalidated or connection.closed):
        return connection
    connection.close()
    return None


def _may_retry(error: Exception) -> bool:
    """Serialization failures and deadlocks (PostgreSQL), a busy file (SQLite): nothing of the transaction happened."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return "database is locked" in str(cause)
    return getattr(cause, "sqlstate", None) in SERIALIZATION_STATES
