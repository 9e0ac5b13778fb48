"""Stops a broadcast of which too many fail, and lets one rest that the platform does not take just now."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from enum import Enum

from sqlmodel import Session

from crm import broadcasts
from crm.broadcasts import Pause

WINDOW = 50
"""How many of the last sends are looked at."""
MOST_FAILED = WINDOW // 5
RESTS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""How long one rests that the platform does not take, the first time, the second, and from the third on."""


class End(Enum):
    """How a send ended: it went; it failed; or it was surely not taken, for the platform is busy or out of reach."""

    WENT = 0
    FAILED = 1
    NOT_TAKEN = 2


class Breaker:
    """Counts how the last sends of each broadcast ended, in this process."""

    def __init__(self) -> None:
        self._ends: dict[int, deque[End]] = {}
        self._rests: dict[int, int] = {}

    def went(self, broadcast: int) -> None:
        """A send went through."""
        self._noted(broadcast, End.WENT)
        if self._rests:
            self._rests.pop(broadcast, None)

    def trips(self, broadcast: int, end: End) -> int:
        """Note how a send ended that did not go; how many of the last ones ended so, once that is too many, else 0."""
        count = self._noted(broadcast, end).count(end)
        if count <= MOST_FAILED:
            return 0
        del self._ends[broadcast]
        return count

    def rest(self, broadcast: int) -> timedelta:
        """For how long to let it rest now; longer each time, until a send goes through."""
        times = self._rests.get(broadcast, 0)
        self._rests[broadcast] = times + 1
        return RESTS[min(times, len(RESTS) - 1)]

    def _noted(self, broadcast: int, end: End) -> deque[End]:
        ends = self._ends.get(broadcast)
        if ends is None:
            ends = self._ends[broadcast] = deque(maxlen=WINDOW)
        ends.append(end)
        return ends


def stop(session: Session, broadcast: int, failed: int, why: str, now: datetime) -> None:
    """Pause it until a person has looked."""
    broadcasts.pause(session, broadcast, Pause.ERRORS, broadcasts.SYSTEM, now, words=_words(failed, why))


def rest(session: Session, broadcast: int, failed: int, why: str, now: datetime, until: datetime) -> None:
    """Pause it until then."""
    words = _words(failed, why)
    broadcasts.pause(session, broadcast, Pause.NOT_TAKEN, broadcasts.SYSTEM, now, words=words, until=until)


def _words(failed: int, why: str) -> str:
    return f"{failed}/{WINDOW}: {why}"
