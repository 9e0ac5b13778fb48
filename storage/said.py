"""What was said, looked through from the newest line on, a bounded piece at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlmodel import Session

from storage.customers import Customer, Identity
from storage.outbox import WITHDRAWN, OutboxMessage
from storage.queue import DEAD
from storage.transcripts import TranscriptMessage


class Line(NamedTuple):
    """A line of a conversation with a customer, with whose it is."""

    id: int
    conversation_id: int
    name: str
    external_id: str | None
    channel: str
    author: str
    text: str
    at: datetime


_message = TranscriptMessage.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]


def piece(session: Session, before: int, most: int) -> list[tuple[int, str]]:
    """The ids and words of up to so many lines of all conversations before this id, the newest first."""
    statement = select(_message.c.id, _message.c.text).where(_message.c.id < before)
    rows = session.connection().execute(statement.order_by(_message.c.id.desc()).limit(most))
    return [(row[0], row[1]) for row in rows]


def some(session: Session, ids: Collection[int]) -> list[Line]:
    """These lines, the newest first; left out are staff's own chats, what was unsent, and what never went out."""
    statement = (
        select(
            _message.c.id, _message.c.conversation_id,
            func.coalesce(func.nullif(_customer.c.name, ""), _identity.c.name), _customer.c.external_id,
            _identity.c.channel, _message.c.author, _message.c.text, _message.c.at,
        )
        .join(_identity, _identity.c.id == _message.c.conversation_id)
        .join(_customer, _customer.c.id == _identity.c.customer_id)
        .outerjoin(_outbox, _outbox.c.id == _message.c.id)
        .where(
            _message.c.id.in_(ids), _identity.c.staff_id.is_(None), _identity.c.staff_only.is_(False),
            _message.c.unsent_at.is_(None),
            or_(_outbox.c.id.is_(None), _outbox.c.state.not_in((WITHDRAWN, DEAD))),
        )
        .order_by(_message.c.id.desc())
    )  # fmt: skip
    return [Line._make(row) for row in session.connection().execute(statement)]
