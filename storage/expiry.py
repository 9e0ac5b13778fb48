"""A walk through the messages that wait: the queries that find what will never go out."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from storage.customers import Identity
from storage.outbox import OutboxMessage
from storage.queue import WAITING, stands

Place = tuple[int, int]
"""Where the walk stands: priority and id of the last message it saw."""

START: Place = (-1, 0)


class Queued(NamedTuple):
    """A message that waits, with what decides whether it may still go out."""

    priority: int
    id: int
    channel: str
    account_id: str
    user_id: str
    purpose: str
    typed_by_person: bool
    ready_at: datetime
    last_interaction_at: datetime | None
    unreachable_since: datetime | None
    customer_id: int
    body: str


_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]


def waited_for(session: Session) -> set[tuple[str, str]]:
    """The accounts (channel, id) that messages wait for, known or not."""
    statement = select(_outbox.c.channel, _outbox.c.account_id).where(stands(_outbox.c.state, WAITING)).distinct()
    return {(channel, account_id) for channel, account_id in session.connection().execute(statement)}


def queued(session: Session, after: Place, most: int) -> list[Queued]:
    """Messages of one priority that wait, due or not, behind this place in the queue; in its order, none at the end."""
    priority, last = after
    found = _within(session, priority, last, most)
    if found:
        return found
    lower = select(func.min(_outbox.c.priority)).where(stands(_outbox.c.state, WAITING), _outbox.c.priority > priority)
    below = session.connection().execute(lower).scalar_one()
    return [] if below is None else _within(session, below, 0, most)


def _within(session: Session, priority: int, after_id: int, most: int) -> list[Queued]:
    """One priority by itself: SQLite would compare (priority, id) by priority alone and read the rest in vain."""
    statement = (
        select(
            _outbox.c.priority, _outbox.c.id, _outbox.c.channel, _outbox.c.account_id, _outbox.c.user_id,
            _outbox.c.purpose, _outbox.c.typed_by_person, _outbox.c.ready_at, _identity.c.last_interaction_at,
            _identity.c.unreachable_since, _identity.c.customer_id, _outbox.c.body,
        )
        .join(_identity, _identity.c.id == _outbox.c.identity_id)
        .where(stands(_outbox.c.state, WAITING), _outbox.c.priority == priority, _outbox.c.id > after_id)
        .order_by(_outbox.c.id)
        .limit(most)
    )  # fmt: skip
    return [Queued._make(row) for row in session.connection().execute(statement)]
