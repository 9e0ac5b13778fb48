"""Pieces of work for the writer: one function, or all the rows that waited in a lane."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session, SQLModel

T = TypeVar("T")
R = TypeVar("R")

_TOPICS = "topics"


class Priority(IntEnum):
    """Who goes first at the writer. ACCEPT is for acks alone; BULK takes ranges of at most 20 ms."""

    ACCEPT = 0
    WORK = 1
    BULK = 2


class Closed(RuntimeError):
    """The database is not open (any more): the process is stopping."""


def wake(session: Session, topic: str) -> None:
    """Wake whoever waits for this topic, here and in other processes, once the transaction has committed."""
    session.info.setdefault(_TOPICS, set()).add(topic)


TROUBLE = (Closed, OperationalError, InterfaceError)
"""What is the database's fault and nobody else's: the transaction was undone, and another try may succeed."""


class Work(Protocol):
    """What the writer runs in a transaction of its own and then resolves or fails, on the event loop."""

    priority: Priority
    queued_at: float
    name: str

    def run(self, connection: Connection) -> set[str]:
        """Do it inside the writer's transaction; the topics to wake after the commit."""

    def resolve(self) -> None:
        """It is committed: answer whoever waits."""

    def fail(self, error: BaseException) -> None:
        """It was undone: tell whoever waits why."""

    def split(self) -> Sequence[Work]:
        """The parts to try one by one when the database refuses a row; none where it is one piece."""


@dataclass(slots=True)
class Call(Generic[T]):
    """One function with a transaction of its own."""

    fn: Callable[[Session], T]
    priority: Priority
    future: asyncio.Future[T]
    name: str
    queued_at: float
    result: T = field(init=False)

    def run(self, connection: Connection) -> set[str]:
        """Call the function on a session of its own."""
        with Session(bind=connection, expire_on_commit=False) as session:
            self.result = self.fn(session)
            session.flush()
            refuse_rows(self.result, self.name)
            return cast("set[str]", session.info.get(_TOPICS, set()))

    def resolve(self) -> None:
        """Hand the result over."""
        if not self.future.done():
            self.future.set_result(self.result)

    def fail(self, error: BaseException) -> None:
        """Raise it where the call is awaited."""
        if not self.future.done():
            self.future.set_exception(error)

    def split(self) -> Sequence[Work]:
        """A call is one part."""
        return ()


@dataclass(slots=True)
class Batch(Generic[R]):
    """All rows that waited in a lane: one statement for many, one commit."""

    lane: Lane[R]
    priority: Priority
    name: str
    queued_at: float
    puts: list[tuple[Sequence[R], asyncio.Future[None]]] = field(default_factory=list)

    def run(self, connection: Connection) -> set[str]:
        """Take what waits in the lane, and flush it."""
        if not self.puts:
            self.puts = [(rows, future) for rows, future in self.lane.take() if not future.cancelled()]
        self.lane.flush(connection, [row for rows, _ in self.puts for row in rows])
        return {self.lane.topic} if self.lane.topic else set()

    def resolve(self) -> None:
        """Every put of it is kept."""
        for _, future in self.puts:
            if not future.done():
                future.set_result(None)

    def fail(self, error: BaseException) -> None:
        """No put of it is kept."""
        for _, future in self.puts or self.lane.take():
            if not future.done():
                future.set_exception(error)

    def split(self) -> Sequence[Work]:
        """One batch a put, so that a row the database refuses fails only those it came with."""
        if len(self.puts) < 2:
            return ()
        return [Batch(self.lane, self.priority, self.name, self.queued_at, [put]) for put in self.puts]


class Lane(Generic[R]):
    """A hot stream of rows. Whatever waits when the writer comes by shares one `flush` and one commit."""

    def __init__(
        self,
        submit: Callable[[Work], None],
        name: str,
        flush: Callable[[Connection, Sequence[R]], None],
        priority: Priority,
        topic: str,
    ) -> None:
        self.name, self.flush, self.priority, self.topic = name, flush, priority, topic
        self._submit = submit
        self._lock = threading.Lock()
        self._puts: list[tuple[Sequence[R], asyncio.Future[None]]] = []

    async def put(self, rows: Sequence[R]) -> None:
        """Resolves once these rows are committed; raises what the flush raised.

        The writer hears of them once the event loop went round, so that all that came in together goes together.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            first = not self._puts
            self._puts.append((rows, future))
        if first:
            loop.call_soon(self._hand_over)
        await future

    def _hand_over(self) -> None:
        batch = Batch(self, self.priority, self.name, time.monotonic())
        try:
            self._submit(batch)
        except Closed as closed:
            batch.fail(closed)

    def take(self) -> list[tuple[Sequence[R], asyncio.Future[None]]]:
        """Everything that waits, in order; the lane is empty afterwards."""
        with self._lock:
            puts, self._puts = self._puts, []
        return puts


def name_of(fn: Callable[..., Any]) -> str:
    """What a function is called in logs and counters."""
    return getattr(fn, "__qualname__", type(fn).__name__).removesuffix(".<lambda>").removesuffix(".<locals>")


def refuse_rows(result: object, name: str) -> None:
    """TypeError where table objects would leave their session."""
    items = result if isinstance(result, list | tuple | set) else (result,)
    if any(isinstance(item, SQLModel) and hasattr(item, "__table__") for item in items):
        raise TypeError(f"{name} returned a table object; return plain values, the session is closed by now")
