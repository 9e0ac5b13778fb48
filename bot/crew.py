"""Makes the calls that nobody waits for: in the order of their claims, no more at once than keep the line busy."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from bot.claims import Claimed
from bot.loop import landed

log = logging.getLogger(__name__)

LEAST, MOST = 32, 128
"""How many calls are made at once where the platform answers quickly, since with more each of them costs more; and
where it takes long."""
A_SECOND = 1000
"""For how many calls a second enough are made at once, however long each takes."""
_REMEMBERED = 32
"""Over how many of the last calls their time is averaged."""


class Crew:
    """Callers who take one claimed message after the other. There are more of them where calls take longer."""

    def __init__(self, send: Callable[[Claimed], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[Claimed] = deque()
        self._callers: set[asyncio.Task[None]] = set()
        self._open = 0
        self._took, self._at_once = 0.0, LEAST

    def __len__(self) -> int:
        """How many messages are being sent, or wait for that."""
        return self._open

    @property
    def is_behind(self) -> bool:
        """Whether some wait for a caller."""
        return bool(self._waiting)

    def add(self, claimed: Sequence[Claimed]) -> None:
        """Send these after those that wait already."""
        self._open += len(claimed)
        self._waiting.extend(claimed)
        self._call_up()

    def take_back(self) -> Sequence[Claimed]:
        """Those for whom no call was begun; they are not called any more."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._open -= len(waiting)
        return waiting

    async def drain(self, seconds: float) -> None:
        """Let the calls go on for so long, and break off those that do not end."""
        await landed(self._callers, seconds)

    def _call_up(self) -> None:
        for _ in range(min(len(self._waiting), self._at_once - len(self._callers))):
            self._callers.add(asyncio.create_task(self._call()))

    def _learn(self, seconds: float) -> None:
        """A call took so long: as many are made at once as make enough in a second."""
        self._took += (seconds - self._took) / _REMEMBERED
        self._at_once = min(max(LEAST, int(self._took * A_SECOND)), MOST)
        if self._waiting and len(self._callers) < self._at_once:
            self._call_up()

    async def _call(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        try:
            while self._waiting and len(self._callers) <= self._at_once:
                began = loop.time()
                try:
                    await self._send(self._waiting.popleft())
                except Exception:
                    log.exception("how a send went could not be dealt with; it is looked for")
                finally:
                    self._open -= 1
                self._learn(loop.time() - began)
        finally:
            self._callers.discard(task)
