"""The only door to the data: one place that opens, commits and retries transactions, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from prometheus_client import Counter, Histogram
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlmodel import Session

from storage import engines, errors, watch
from storage.backlog import Backlog
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
ATTEMPTS = 3
LONG_READERS = 2
UNDONE_STATES = frozenset({"40001", "40P01", "55P03", "25P03"})
REFUSALS = (DataError, IntegrityError, ValueError, OverflowError)
"""What says that a row is at fault: the database refused it, or the driver did (a lone surrogate, a huge number)."""

EVERYTHING = (Priority.ACCEPT, Priority.WORK, Priority.BULK)
_WAITED = {priority: WRITER_WAIT.labels(priority.name.lower()) for priority in Priority}


class Database:
    """Opens engines and threads; `write`, `read` and lanes are the only ways in."""

    def __init__(self, url: str, *, synchronous: str = "FULL", writers: int = 3, readers: int = 4) -> None:
        self.url = url
        self.is_sqlite = engines.is_sqlite(url)
        self._writer_engine = engines.writer(url, synchronous)
        self._reader_engine = engines.reader(url, readers + LONG_READERS)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._long_readers = ThreadPoolExecutor(LONG_READERS, thread_name_prefix="long-reader")
        self._shares = [EVERYTHING] if self.is_sqlite else [EVERYTHING[:1]] + [EVERYTHING[1:]] * (writers - 1)
        self._threads: list[threading.Thread] = []
        self._backends = set() if self.is_sqlite else engines.backends(self._writer_engine)
        self._backlog = Backlog(self._shares)
        self._fold_log = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: dict[str, asyncio.Event] = {}
        self.died = asyncio.Event()
        """Set where a writer ended by an error: nothing can be written any more, and the process should end."""

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and commands that run before or beside the service."""
        return self._writer_engine

    async def open(self) -> None:
        """Start the threads. The schema must be there already."""
        self._loop = asyncio.get_running_loop()
        self._backlog.open()
        for number, share in enumerate(self._shares):
            writer = _Writer(self._backlog, self._writer_engine, share, self._on_loop, self._wake, self._fold)
            self._start(f"writer-{number}", partial(self._write, writer))
        self._start("watcher", self._watch)

    async def close(self) -> None:
        """Finish what is queued, stop the threads, close the connections. May be called twice."""
        self._backlog.close()
        if self._threads and not self.is_sqlite:
            await asyncio.to_thread(watch.rouse, self._writer_engine)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._threads.clear()
        self._readers.shutdown(wait=True)
        self._long_readers.shutdown(wait=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    async def write(self, fn: Callable[[Session], T], *, priority: Priority = Priority.WORK, name: str = "") -> T:
        """Run `fn(session)` in a transaction of its own; resolves after the commit, raises what `fn` raised.

        `fn` must return plain values (TypeError otherwise) and may run again after a serialization failure.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._backlog.put(Call(fn, priority, future, name or name_of(fn), time.monotonic()))
        return await future

    async def read(self, fn: Callable[[Session], T]) -> T:
        """Run `fn(session)` on a read-only connection; sees every write that was awaited before."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, fn)

    async def read_long(self, fn: Callable[[Session], T]) -> T:
        """The same for what may take seconds, such as counting all customers: `LONG_READERS` at once, the rest wait for
        these, and who only reads a little waits for none of them."""
        return await asyncio.get_running_loop().run_in_executor(self._long_readers, self._read, fn)

    async def bulk(
        self,
        step: Callable[[Session, C, int], C | None],
        start: C,
        *,
        size: int = 500,
        least: int = 1,
        most: int = 5000,
    ) -> None:
        """Walk a keyset: `step(session, cursor, size)` does one range and returns the next cursor, None at the end.

        Ranges halve when they take over 20 ms and grow again, up to `most`. They are never smaller than `least`: where
        each is cheap, it is not their size that makes them late. Everything else that waits goes in between.
        """
        cursor: C | None = start
        while cursor is not None:
            here = cursor

            def run(session: Session, here: C = here, size: int = size) -> tuple[C | None, float]:
                began = time.monotonic()
                return step(session, here, size), time.monotonic() - began

            cursor, took = await self.write(run, priority=Priority.BULK, name=name_of(step))
            size = min(most, max(least, _next_size(size, took)))

    def lane(
        self,
        name: str,
        flush: Callable[[Connection, Sequence[R]], None],
        *,
        priority: Priority = Priority.WORK,
        topic: str = "",
    ) -> Lane[R]:
        """A new stream of rows; after each commit `topic` is woken."""
        return Lane(self._backlog.put, name, flush, priority, topic)

    def topic(self, name: str) -> asyncio.Event:
        """The event that is set after a commit that woke this topic, in any process; the waiter clears it."""
        return self._waiters.setdefault(name, asyncio.Event())

    def _start(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write(self, writer: _Writer) -> None:
        try:
            writer.run()
        except BaseException:
            log.critical("a writer of the database died; all that waits for it fails", exc_info=True)
            self._backlog.close()
            writer.fail_rest(Closed("a writer of the database died"))
            self._on_loop(self.died.set)

    def _read(self, fn: Callable[[Session], T]) -> T:
        with self._reader_engine.connect() as connection, Session(bind=connection) as session:
            result = fn(session)
            refuse_rows(result, name_of(fn))
            return result

    def _watch(self) -> None:
        if self.is_sqlite:
            watch.sqlite(
                self._reader_engine, self.url, self._backlog.closed_within, self._wake_from_outside, self._long_log
            )
        else:
            watch.postgresql(self._reader_engine, self._backlog.closed_within, self._wake_from_outside, self._backends)

    def _wake_from_outside(self, topic: str = "") -> None:
        self._on_loop(self._wake, [topic] if topic else self._waiters.keys())

    def _wake(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self.topic(topic).set()

    def _on_loop(self, callback: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            log.warning("the event loop closed before a write was answered")

    def _long_log(self) -> None:
        self._fold_log = True

    def _fold(self, connection: Connection) -> None:
        if self._fold_log:
            self._fold_log = False
            try:
                engines.fold_log(connection)
            except Exception as error:
                log.warning("the log could not be folded", extra={"why": errors.named(error)})


class _Writer:
    """One thread with one connection: commits work after work until its backlog is closed and empty.

    Where the system knows and allows it, the thread is a batch thread: when it wakes, it does not cut short whoever
    runs, so that the event loop goes on with what came in, and more waits together.
    """

    def __init__(
        self,
        backlog: Backlog,
        engine: Engine,
        share: Sequence[Priority],
        on_loop: Callable[..., None],
        wake: Callable[[Iterable[str]], None],
        between: Callable[[Connection], None],
    ) -> None:
        """`on_loop` calls a function on the event loop; `between` gets the connection after each transaction."""
        self._backlog, self._engine, self._share = backlog, engine, share
        self._on_loop, self._wake, self._between = on_loop, wake, between
        self._connection: Connection | None = None
        self._together: list[Work] = []

    def run(self) -> None:
        """What the thread does."""
        if hasattr(os, "SCHED_BATCH"):
            with suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        try:
            while (work := self._backlog.next(self._share)) is not None:
                together = self._together = [work]
                error = self._try(together, ride=True)
                if error is not None and len(together) > 1:
                    for each in together:
                        self._insist(each, self._try([each]))
                elif error is not None:
                    self._insist(work, error)
        finally:
            if self._connection is not None:
                self._connection.close()

    def fail_rest(self, error: Exception) -> None:
        """Fail what the thread was at when it died, and what waits in the closed backlog for it."""
        for work in self._together:
            self._on_loop(work.fail, error)
        while (waiting := self._backlog.next(self._share)) is not None:
            self._on_loop(waiting.fail, error)

    def _insist(self, work: Work, error: Exception | None) -> None:
        """Try again as long as only others were in the way; then the work has failed."""
        for _ in range(1, ATTEMPTS):
            if error is None or not _may_retry(error):
                break
            error = self._try([work])
        if error is None:
            return
        parts = work.split() if isinstance(error, REFUSALS) else ()
        if parts:
            self._backlog.put_back(parts)
        else:
            self._on_loop(work.fail, error)

    def _try(self, together: list[Work], *, ride: bool = False) -> Exception | None:
        """Commit these in one transaction and answer whoever waits; returns why all was undone.

        With `ride`, what waits by the end of the first joins `together`: whose fault it was, if it fails, shows when
        each goes alone.
        """
        began = time.monotonic()
        try:
            topics = self._transact(together, began if ride else None)
        except Exception as error:
            if self._connection is not None and (self._connection.invalidated or self._connection.closed):
                self._connection.close()
                self._connection = None
            return error
        _measure(together, began)
        self._on_loop(self._resolve, together, topics)
        assert self._connection is not None
        self._between(self._connection)
        return None

    def _transact(self, together: list[Work], ride_since: float | None) -> set[str]:
        connection = self._connection = self._connection or self._engine.connect()
        topics: set[str] = set()
        with connection.begin():
            for work in together:
                topics |= work.run(connection)
                if ride_since is not None and (rider := self._backlog.rider(self._share, together[0], ride_since)):
                    together.append(rider)
            if connection.dialect.name != "sqlite":
                for topic in topics:
                    engines.execute(connection, "SELECT pg_notify($1, $2)", (watch.CHANNEL, topic))
        return topics

    def _resolve(self, together: Sequence[Work], topics: Iterable[str]) -> None:
        for work in together:
            work.resolve()
        self._wake(topics)


def _next_size(size: int, took: float) -> int:
    """Halved where one was late; grown to a quarter of the time that they may take, for some take thrice as long."""
    if took > BULK_S:
        return size // 2
    some = max(1, size // 4)
    if took > BULK_S / 2:
        return size - some
    return size * 2 if took < BULK_S / 8 else size + some if took < BULK_S / 4 else size


def attempt(session: Session, fn: Callable[[], T], *, keep: Callable[[T], bool]) -> T:
    """What `fn` returns; all that it wrote in this session is undone, unless `keep` says of the result that it stays.

    Topics that it woke may be woken for nothing.
    """
    with session.begin_nested() as before:
        result = fn()
        if not keep(result):
            before.rollback()
    return result


def _measure(together: Sequence[Work], began: float) -> None:
    took = time.monotonic() - began
    for work in together:
        _WAITED[work.priority].observe(max(0.0, began - work.queued_at))
    if took > SLOW_S:
        SLOW_WRITES.labels(together[0].name).inc()
        log.warning("slow write", extra={"write": together[0].name, "seconds": round(took, 3)})


def _may_retry(error: Exception) -> bool:
    """Whether nothing of the transaction happened: a serialization failure, a deadlock, one that stood still too long
    (PostgreSQL), a busy file (SQLite)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return "database is locked" in str(cause)
    return getattr(cause, "sqlstate", None) in UNDONE_STATES
