"""A time limit for many calls, kept by one timer: a timer of its own is a tenth of what a call costs."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any


class Patience:
    """How many seconds a call may take in all, for tasks that make one at a time.

    `with patience:` raises TimeoutError where what stands within takes longer.
    """

    def __init__(self, total: float) -> None:
        self._total = total
        self._running: asyncio.AbstractEventLoop | None = None
        self._until: dict[asyncio.Task[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop = self._loop
        task = asyncio.current_task(loop)
        assert task is not None and task not in self._until
        until = self._until[task] = loop.time() + self._total
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = asyncio.current_task(self._loop)
        assert task is not None
        was_late = self._until.pop(task, None) is None
        if was_late and task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop of all these calls; asked for once, for on Python 3.11 that is a call of the system."""
        if self._running is None:
            self._running = asyncio.get_running_loop()
        return self._running

    def _look(self) -> None:
        """End what is late, and look again when the next one is: the oldest stand first."""
        loop = self._loop
        self._timer = None
        for task, until in list(self._until.items()):
            if until > loop.time():
                self._timer = loop.call_at(until, self._look)
                break
            del self._until[task]
            task.cancel()
