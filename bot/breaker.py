"""Stops a broadcast of which too many fail, and tells the marketer."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from sqlmodel import Session

from bot import broadcast_notices
from crm import broadcasts
from crm.broadcasts import Pause
from crm.care_rules import Words
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
    told = Words(
        f"⚠ Tin gửi loạt #{broadcast} “{found.name}” đã tạm dừng: {failed} trong {WINDOW} tin gần nhất bị lỗi "
        f"({why}).\n"
        f"Xem lý do: /gui {broadcast}, rồi gửi tiếp (/gui {broadcast} tiep) hoặc hủy (/gui {broadcast} huy).",
        f"⚠ Broadcast {broadcast} “{found.name}” is paused: of its last {WINDOW} messages {failed} failed ({why}).\n"
        f"See why: /broadcast {broadcast}, then go on (/broadcast {broadcast} resume) or cancel it "
        f"(/broadcast {broadcast} cancel).",
    )
    rung = (
        f"Broadcast {broadcast} is paused: of its last {WINDOW} messages {failed} failed ({why}). See why, then resume "
        f"or cancel it: khachquen broadcast report {broadcast}"
    )
    alarms.ring(session, ALARM, str(broadcast), rung, now)
    broadcast_notices.tell_writer(session, found, told, now)
