"""Looking after conversations: who waits, who takes whom, when a matter is done or put off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from storage import attendance as store
from storage import staff
from storage.attendance import Attended


def waiting(session: Session, now: datetime, most: int) -> list[Attended]:
    """Those whose customer waits for a person, the longest first; what was put off is not among them."""
    return store.waiting(session, now, most)


def count(session: Session, now: datetime) -> int:
    """How many wait."""
    return store.count_waiting(session, now)


def mine(session: Session, staff_id: int, most: int) -> list[Attended]:
    """Those that a member of staff looks after, the longest waiting first."""
    return store.of_staff(session, staff_id, most)


def held(session: Session, most: int) -> list[Attended]:
    """Those in which the bot is silent."""
    return store.held(session, most)


def names(session: Session, staff_ids: Collection[int]) -> dict[int, str]:
    """What these members of staff are called."""
    return {each.id: each.name for each in staff.everyone(session) if each.id in staff_ids} if staff_ids else {}


def minutes(row: Attended, now: datetime) -> int:
    """For how long their customer has waited; 0 where nobody does."""
    return max(0, int((now - row.waiting_since).total_seconds() // 60)) if row.waiting_since else 0
