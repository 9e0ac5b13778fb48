"""Stops a broadcast of which too many fail."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from sqlmodel import Session

from crm import broadcasts
from crm.broadcasts import Pause

WINDOW = 50
"""How many of the last sends are looked at."""
MOST_FAILED = WINDOW // 5


class Breaker:
    """Counts how the last sends of each broadcast ended, in this process."""

    def __init__(self) -> None:
        self._ends: dict[int, deque[bool]] = {}

    def trips(self, broadcast: int, *, failed: bool) -> int:
        """Note how a send ended; how many of the last ones failed, once that is too many, else 0."""
        ends = self._ends.setdefault(broadcast, deque(maxlen=WINDOW))
        ends.append(failed)
        if not failed or (count := sum(ends)) <= MOST_FAILED:
            return 0
        del self._ends[broadcast]
        return count


def stop(session: Session, broadcast: int, failed: int, why: str, now: datetime) -> None:
    """Pause it until a person has looked."""
    words = f"{failed}/{WINDOW}: {why}"
    broadcasts.pause(session, broadcast, Pause.ERRORS, broadcasts.SYSTEM, now, words=words)
