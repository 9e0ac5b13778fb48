"""Stops a broadcast of which too many fail, and tells the marketer."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from functools import partial

from sqlmodel import Session

from crm import broadcasts, notices
from crm.broadcasts import Pause
from crm.messages import Message
from storage import alarms

ALARM = "broadcast_errors"
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
        count = sum(ends)
        if not failed or count <= MOST_FAILED:
            return 0
        del self._ends[broadcast]
        return count


def stop(session: Session, broadcast: int, failed: int, why: str, now: datetime) -> None:
    """Pause it until a person has looked, ring, and tell who wrote it."""
    words = f"{failed}/{WINDOW}: {why}"
    if not broadcasts.pause(session, broadcast, Pause.ERRORS, broadcasts.SYSTEM, now, words=words):
        return
    found = broadcasts.get(session, broadcast)
    told = (
        f"Broadcast {broadcast} is paused: of its last {WINDOW} messages {failed} failed ({why}). See why, then resume "
        f"or cancel it: khachquen broadcast show {broadcast}"
    )
    alarms.ring(session, ALARM, str(broadcast), told, now)
    kind, _, key = found.created_by.partition(":")
    if kind == "staff" and key.isdecimal():
        say = partial(_told, broadcast=broadcast, name=found.name, failed=failed, why=why)
        notices.tell(session, int(key), "broadcast", say, now)


def _told(_number: int, broadcast: int, name: str, failed: int, why: str) -> Message:
    return Message(
        f"⚠ Tin gửi loạt #{broadcast} “{name}” đã tạm dừng: {failed} trong {WINDOW} tin gần nhất bị lỗi ({why}). "
        f"Xem lý do rồi gửi tiếp hoặc huỷ."
    )
