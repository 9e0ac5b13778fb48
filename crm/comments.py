"""Public comments and the one private answer that each may get: whether, with which words, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from crm.events import Commented
from storage import comments

ANSWERED_WITHIN = timedelta(days=7) - timedelta(minutes=10)
"""How long the platform lets us answer, less a margin."""
APART = timedelta(seconds=5)
"""Time between two answers of one account: 720 an hour, where Facebook takes 750."""
KEPT = timedelta(days=8)
"""How long a comment is remembered; an older one is too old to be answered anyway."""


def hear(session: Session, event: Commented, now: datetime) -> datetime | None:
    """Write a comment down that is to be answered; when, or None where none is: nobody set any words, it is too old, or
    this person has an answer under this post already. May be called twice."""
    channel, account_id = event.address.channel, event.address.account_id
    if is_too_late(event.at, now) or not comments.words_for(session, channel, account_id):
        return None
    last = comments.last_due(session, channel, account_id)
    due = max(now, last + APART) if last else now
    row = {
        "channel": channel, "account_id": account_id, "comment_id": event.comment_id, "post_id": event.post_id,
        "author_id": event.author_id, "at": event.at, "due_at": due,
    }  # fmt: skip
    return due if comments.add(session, row) else None


def is_too_late(at: datetime, now: datetime) -> bool:
    """Whether a comment of then can be answered no more."""
    return now - at >= ANSWERED_WITHIN
