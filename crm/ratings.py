"""Asking customers how content they were: when they may be asked, why not, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm.reach import Reach
from storage import ratings as store
from storage.ratings import RatingRow as RatingRow

DELAY = timedelta(minutes=30)
"""How long after the end of a request its customer is asked, if the reply window does not close before."""
MARGIN = timedelta(minutes=10)
"""So long before the window closes the question goes out at the latest."""
LOOKS_AGAIN = timedelta(minutes=5)
GIVES_UP_AFTER = timedelta(hours=24)
LOW = 2
LONGEST_COMMENT = 1000


class Reason(StrEnum):
    """Why a customer was not asked."""

    WINDOW_CLOSED = "window_closed"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now: ask (`asks`), look again at `look_at`, or give it up for a reason."""

    asks: bool = False
    look_at: datetime | None = None
    reason: Reason | None = None


def next_step(closed_at: datetime, window: Reach, is_busy: bool, now: datetime) -> Step:
    """Whether to ask now. Pure.

    `window` is whether a bot's reply may go out, and until when; `is_busy` is true while staff hold the conversation,
    another request of it is open, or another question waits: nobody is asked then. What stays busy until the free
    window closes, or for a day, is given up. A window that costs counts as closed.
    """
    if not window.allowed or window.cost:
        return Step(reason=Reason.WINDOW_CLOSED)
    last = closed_at + GIVES_UP_AFTER
    if window.until is not None:
        last = min(last, window.until - MARGIN)
    wanted = min(closed_at + DELAY, last)
    if now < wanted:
        return Step(look_at=wanted)
    if not is_busy:
        return Step(asks=True)
    if now >= last:
        return Step(reason=Reason.BUSY)
    return Step(look_at=min(now + LOOKS_AGAIN, last))


def rate(session: Session, ticket_id: int, conversation_id: int, score: int, now: datetime) -> bool:
    """Note a score from 1 to 5; a low one is to be told to a lead. False where this conversation was not asked that.

    The latest score counts.
    """
    found = store.find(session, ticket_id)
    if found is None or found.conversation_id != conversation_id or found.asked_at is None or not 1 <= score <= 5:
        return False
    alert_at = (found.alert_at or now) if score <= LOW else None
    store.change(session, ticket_id, {"state": "given", "score": score, "given_at": now, "alert_at": alert_at})
    return True


def comment(session: Session, ticket_id: int, words: str) -> None:
    """Note what the customer says to their score."""
    store.change(session, ticket_id, {"comment": words[:LONGEST_COMMENT]})


def find(session: Session, ticket_id: int) -> RatingRow | None:
    """What became of a ticket's question; None where none was planned."""
    return store.find(session, ticket_id)


def alerts(session: Session, most: int = 50) -> list[RatingRow]:
    """The low scores of which a lead is still to be told, oldest first; `alerted` notes that they were."""
    return store.alerts(session, most)


def alerted(session: Session, ticket_id: int) -> None:
    """A lead was told."""
    store.change(session, ticket_id, {"alert_at": None})
