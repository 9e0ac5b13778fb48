"""In which order those of a broadcast who wait are looked at: when the next is due, and who comes first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlmodel import Session

from storage.customers import Customer
from storage.hot import Among, Fetch
from storage.queue import stands
from storage.recipients import OPEN, PENDING, Recipient
from storage.turns import Waiting

_recipient = Recipient.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_MOMENT = _recipient.c.due_at.type
_THEIRS = (_recipient.c.broadcast_id == bindparam("broadcast", required=True), stands(_recipient.c.state, PENDING))


class Near(NamedTuple):
    """Who waits, for what and until when."""

    id: int
    reason: str
    due_at: datetime


def _due(_among: Among) -> Select[Any]:
    return (
        select(
            *(_recipient.c[name] for name in Waiting._fields[:11]),
            *(_customer.c[name] for name in Waiting._fields[11:]),
        )
        .join(_customer, _customer.c.id == _recipient.c.customer_id)
        .where(
            *_THEIRS,
            _recipient.c.customer_id > bindparam("after", required=True),
            _recipient.c.customer_id <= bindparam("until", required=True),
            _recipient.c.due_at <= bindparam("now", type_=_MOMENT, required=True),
        )
        .order_by(_recipient.c.customer_id)
    )


def _next(_among: Among) -> Select[Any]:
    later = _recipient.c.due_at > bindparam("now", type_=_MOMENT, required=True)
    return (
        select(_recipient.c.due_at)
        .where(*_THEIRS, stands(_recipient.c.state, *OPEN), later)
        .order_by(_recipient.c.due_at)
        .limit(1)
    )


_DUE, _NEXT = Fetch(_due), Fetch(_next)


def due_between(session: Session, broadcast_id: int, now: datetime, after: int, until: int) -> list[Waiting]:
    """Those of a broadcast who are due, of the customers above `after` and up to `until`; nobody is held."""
    rows = _DUE.rows(session.connection(), broadcast=broadcast_id, now=now, after=after, until=until)
    return [Waiting._make(row) for row in rows]


def next_due(session: Session, broadcast_id: int, now: datetime) -> datetime | None:
    """When the next one of a broadcast is due of those who are not yet."""
    rows = _NEXT.rows(session.connection(), broadcast=broadcast_id, now=now)
    found: datetime | None = rows[0][0] if rows else None
    return found


def due_near(
    session: Session, broadcast_id: int, without: Collection[str], after: datetime, until: datetime, most: int
) -> list[Near]:
    """Up to so many of a broadcast who were put off, for other reasons than these, to a moment above `after` and up to
    `until`, the first ones first."""
    moments = (_recipient.c.due_at > after, _recipient.c.due_at <= until)
    statement = (
        select(*(_recipient.c[name] for name in Near._fields))
        .where(_recipient.c.broadcast_id == broadcast_id, stands(_recipient.c.state, PENDING), *moments)
        .where(stands(_recipient.c.state, *OPEN), _recipient.c.reason.not_in(["", *sorted(without)]))
        .order_by(_recipient.c.due_at)
        .limit(most)
    )
    return [Near._make(row) for row in session.connection().execute(statement)]


def bring_forward(session: Session, recipient_ids: Collection[int], due_at: datetime) -> None:
    """Let these be due from this moment on, and so be looked at before those who are due later."""
    theirs = (_recipient.c.id.in_(sorted(recipient_ids)), stands(_recipient.c.state, PENDING))
    session.connection().execute(update(_recipient).where(*theirs).values(due_at=due_at))
