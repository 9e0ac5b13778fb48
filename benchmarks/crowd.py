"""The people who write: who waits for what, when the next webhook leaves, and everything that is measured of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import page, process
from benchmarks.wire import Ticket, WebhookConnection

SPIN_SECONDS = 0.0015
STALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to load which system; `messages` ends the window early, 0 means by time alone. With `others`, people who
    never wrote get messages, too."""

    mode: str
    port: int
    stub_port: int
    pid: int
    seconds: float
    warm_up: float
    outstanding: int
    rate: float
    messages: int
    others: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running totals at one moment."""

    at: float
    acks: int
    replies: int
    others: int
    own_cpu: float
    system_cpu: float


class Crowd:
    """The people, what each of them waits for, and everything that was measured."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.sending = True
        self._stalled = False
        self.sent = self.acks = self.replies = self.others = self.bad_acks = self.extra_replies = self.outstanding = 0
        self.ack_seconds: list[float] = []
        self.reply_seconds: list[float] = []
        self.late_seconds: list[float] = []
        self._measured_from = float("inf")
        self._unanswered = 0
        self._waiting = [0] * page.PEOPLE
        self._since = [0.0] * page.PEOPLE
        self._free = list(range(page.PEOPLE))
        self._shelves: list[list[bytes]] = [[] for _ in range(page.PEOPLE)]
        self._signed = 0
        self._idle: list[WebhookConnection] = []
        self._queue: deque[tuple[bytes, Ticket]] = deque()
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._due = 0.0
        self._settled_by_ack = options.mode == "ack"
        self._closed_loop = options.mode != "rate"

    def sign_ahead(self, messages: int) -> None:
        """Put signed requests on every person's shelf, so that signing costs nothing while the clock runs."""
        for number in range(messages):
            self._sign(number % page.PEOPLE)

    def _sign(self, person: int) -> None:
        self._shelves[person].append(page.request(self._signed, person))
        self._signed += 1

    async def connect(self) -> None:
        """Open one more connection to the system, trying again while it refuses."""
        while self.sending:
            try:
                _, connection = await self.loop.create_connection(
                    lambda: WebhookConnection(self._answered, self._broken), "127.0.0.1", self.options.port
                )
            except OSError:
                await asyncio.sleep(0.2)
            else:
                self._next_on(connection)
                return

    def begin(self) -> None:
        """Start sending: all that may be outstanding at once, or the first tick of the open loop."""
        if self._closed_loop:
            for _ in range(self.options.outstanding):
                self._dispatch(self.loop.time())
        else:
            self._due = self.loop.time() + 0.01
            self._tick()

    def measure(self) -> Snapshot:
        """The warm-up is over: from here on latencies count."""
        self._measured_from = self.loop.time()
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """The totals now."""
        system_cpu = process.cpu_seconds(self.options.pid)
        return Snapshot(self.loop.time(), self.acks, self.replies, self.others, time.process_time(), system_cpu)

    @property
    def quiet(self) -> bool:
        """Nothing more will be sent, and nothing is awaited."""
        return not self._may_send() and not self.outstanding and not self._unanswered

    @property
    def never_answered(self) -> int:
        """Webhooks that still wait for their HTTP answer."""
        return self._unanswered

    def _may_send(self) -> bool:
        return self.sending and not (self.options.messages and self.sent >= self.options.messages)

    def _tick(self) -> None:
        """Send what is due, then sleep until shortly before the next one and spin: a timer alone may be 1 ms late."""
        now = self.loop.time()
        while self._due <= now and self._may_send():
            self._dispatch(self._due)
            self._due += 1 / self.options.rate
        if not self._may_send():
            return
        if self._due - now > SPIN_SECONDS:
            self.loop.call_at(self._due - SPIN_SECONDS, self._tick)
        else:
            self.loop.call_soon(self._tick)

    def _dispatch(self, intended: float) -> None:
        person = self._choose()
        self._waiting[person] += 1
        self._since[person] = intended
        if not self._shelves[person]:
            self._sign(person)
        self.sent += 1
        self.outstanding += 1
        self._unanswered += 1
        self.late_seconds.append(self.loop.time() - intended)
        self._queue.append((self._shelves[person].pop(), Ticket(person, intended)))
        if self._idle:
            self._next_on(self._idle.pop())

    def _choose(self) -> int:
        """Anyone who waits for nothing; when all wait, which only an open loop can cause, anyone at all."""
        at = int(random.random() * len(self._free))
        if not self._free:
            return random.randrange(page.PEOPLE)
        self._free[at], self._free[-1] = self._free[-1], self._free[at]
        return self._free.pop()

    def _next_on(self, connection: WebhookConnection) -> None:
        if self._queue:
            connection.send(*self._queue.popleft())
        else:
            self._idle.append(connection)

    def _answered(self, connection: WebhookConnection, ticket: Ticket, status: int) -> None:
        self.acks += 1
        self._unanswered -= 1
        if ticket.intended >= self._measured_from:
            self.ack_seconds.append(self.loop.time() - ticket.intended)
        self._next_on(connection)
        if status != 200:
            self.bad_acks += 1
        if (status != 200 or self._settled_by_ack) and self._waiting[ticket.person]:
            self._settle(ticket.person)

    def _broken(self, connection: WebhookConnection, ticket: Ticket | None) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if ticket is not None:
            self._unanswered -= 1
            self.bad_acks += 1
            if self._waiting[ticket.person]:
                self._settle(ticket.person)
        if self.sending:
            task = self.loop.create_task(self.connect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)

    def replied(self, recipient_id: str) -> None:
        """A message has reached the stub: a reply, or where that is looked for one to somebody who never wrote."""
        person = page.person(recipient_id)
        if person is None and self.options.others:
            self.others += 1
            return
        self.replies += 1
        if self._settled_by_ack:
            return
        if person is None or not self._waiting[person]:
            self.extra_replies += 1
            return
        if self._since[person] >= self._measured_from:
            self.reply_seconds.append(self.loop.time() - self._since[person])
        self._settle(person)

    def _settle(self, person: int) -> None:
        self.outstanding -= 1
        self._waiting[person] -= 1
        if not self._waiting[person]:
            self._free.append(person)
        if self._closed_loop and self._may_send():
            self._dispatch(self.loop.time())

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait for `done`, or until nothing has moved for `STALL_SECONDS`: that ends the whole run."""
        moved, seen = self.loop.time(), (self.acks, self.replies)
        while not (done() or self._stalled):
            await asyncio.sleep(0.02)
            if (now := (self.acks, self.replies)) != seen:
                moved, seen = self.loop.time(), now
            elif self.loop.time() - moved > STALL_SECONDS:
                self._stalled = True
                self.sending = False
