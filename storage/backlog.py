"""What waits for the writer's threads, and in which order it goes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence

from storage.work import Closed, Priority, Work

RIDE_WITHIN_S = 0.01


class Backlog:
    """The work that waits, by priority. Any thread may put and take."""

    def __init__(self, shares: Iterable[Sequence[Priority]]) -> None:
        """`shares` are the priorities that a thread takes; a piece of work wakes one thread that takes such."""
        self._queues: dict[Priority, deque[Work]] = {priority: deque() for priority in Priority}
        self._lock = threading.Lock()
        self._idle = {tuple(share): threading.Condition(self._lock) for share in shares}
        self._closed = threading.Event()
        self._closed.set()

    def open(self) -> None:
        """Take work from now on."""
        self._closed.clear()

    def close(self) -> None:
        """Take no more; what waits is still given out."""
        with self._lock:
            self._closed.set()
            for idle in self._idle.values():
                idle.notify_all()

    def closed_within(self, seconds: float) -> bool:
        """Whether it is closed, or will be in so many seconds: waits as long."""
        return self._closed.wait(seconds)

    def put(self, work: Work) -> None:
        """Queue it. Closed where nothing is taken any more."""
        with self._lock:
            if self._closed.is_set():
                raise Closed("the database is closed")
            self._queues[work.priority].append(work)
            self._wake(work.priority)

    def put_back(self, parts: Sequence[Work]) -> None:
        """Queue these before everything else of their priority."""
        with self._lock:
            for part in reversed(parts):
                self._queues[part.priority].appendleft(part)
                self._wake(part.priority)

    def next(self, share: Sequence[Priority]) -> Work | None:
        """What goes next among these priorities, waiting for it; None after the end.

        Acks go first; but fresh ones let work go ahead, for they ride along in its commit.
        """
        with self._lock:
            while True:
                for priority in self._order(share):
                    if self._queues[priority]:
                        return self._queues[priority].popleft()
                if self._closed.is_set():
                    return None
                self._idle[tuple(share)].wait()

    def rider(self, share: Sequence[Priority], first: Work, began: float) -> Work | None:
        """What may share the commit of `first`, whose transaction began then: other work for a while, then fresh acks.

        Acks share with nothing that came after them, bulk work with acks alone; and a writer that takes no acks
        (PostgreSQL has one for them) lets nothing share, for each piece holds locks.
        """
        if Priority.ACCEPT not in share or first.priority is Priority.ACCEPT:
            return None
        works = first.priority is Priority.WORK and time.monotonic() - began < RIDE_WITHIN_S
        with self._lock:
            for priority in (Priority.WORK, Priority.ACCEPT) if works else (Priority.ACCEPT,):
                if self._queues[priority]:
                    return self._queues[priority].popleft()
            return None

    def _wake(self, priority: Priority) -> None:
        for share, idle in self._idle.items():
            if priority in share:
                idle.notify()

    def _order(self, share: Sequence[Priority]) -> Sequence[Priority]:
        acks = self._queues[Priority.ACCEPT]
        if not acks or Priority.WORK not in share or time.monotonic() - acks[0].queued_at > RIDE_WITHIN_S:
            return share
        return (Priority.WORK, *share)
