"""What happened within a time, counted: new customers, answers of staff, tickets, their clocks, ratings."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session

from storage.customers import Customer
from storage.outbox import SENT, OutboxMessage
from storage.ratings import Rating
from storage.replies import StaffSend
from storage.served import is_served
from storage.sla import TicketClock
from storage.tickets import Ticket


class Answer(NamedTuple):
    """What a member of staff sent and the platform took; `waited_since`: since when the customer had waited for it."""

    staff_id: int
    conversation_id: int
    waited_since: datetime | None
    at: datetime


class Tickets(NamedTuple):
    """How many were opened and closed in that time, and how many are not closed now."""

    opened: int
    closed: int
    open_now: int


class Ratings(NamedTuple):
    """How many customers told how content they were, the sum of their scores, and how many were low."""

    given: int
    total: int
    low: int


_customer = Customer.__table__  # type: ignore[attr-defined]
_send = StaffSend.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_ticket = Ticket.__table__  # type: ignore[attr-defined]
_clock = TicketClock.__table__  # type: ignore[attr-defined]
_rating = Rating.__table__  # type: ignore[attr-defined]


def _within(column: ColumnElement[datetime], start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(column >= start, column < end)


def new_customers(session: Session, start: datetime, end: datetime) -> int:
    """How many customers came in that time; staff and those who turned out to be others are left out."""
    statement = select(func.count()).where(
        _within(_customer.c.created_at, start, end), _customer.c.merged_into.is_(None), is_served(_customer.c.id)
    )
    return int(session.connection().execute(statement).scalar_one())


def answers(session: Session, start: datetime, end: datetime) -> list[Answer]:
    """What staff sent in that time, each once however many parts it had, in order; what did not go out is left out."""
    statement = (
        select(*(_send.c[name] for name in Answer._fields))
        .join(_outbox, _outbox.c.id == _send.c.id)
        .where(_within(_send.c.at, start, end), _send.c.part_of == _send.c.id, _outbox.c.state == SENT)
        .order_by(_send.c.at, _send.c.id)
    )
    return [Answer._make(row) for row in session.connection().execute(statement)]


def tickets(session: Session, start: datetime, end: datetime, closed: str) -> Tickets:
    """The tickets of that time; `closed` is the state of those that are done."""
    opened = select(func.count()).where(_within(_ticket.c.created_at, start, end)).scalar_subquery()
    done = select(func.count()).where(_within(_ticket.c.closed_at, start, end)).scalar_subquery()
    left = select(func.count()).where(_ticket.c.state != closed).scalar_subquery()
    return Tickets._make(session.connection().execute(select(opened, done, left)).one())


def breaches(session: Session, start: datetime, end: datetime, now: datetime) -> dict[str, int]:
    """How many promises were broken in that time, by kind: kept too late, or not kept by now though due then."""
    late = and_(_within(_clock.c.ended_at, start, end), _clock.c.used_s > _clock.c.target_s)
    overdue = and_(_clock.c.ended_at.is_(None), _within(_clock.c.due_at, start, end), _clock.c.due_at <= now)
    statement = select(_clock.c.kind, func.count()).where(or_(late, overdue)).group_by(_clock.c.kind)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def ratings(session: Session, start: datetime, end: datetime, low: int) -> Ratings:
    """The scores given in that time; `low` is the highest that counts as one."""
    score = _rating.c.score
    statement = select(
        func.count(score),
        func.coalesce(func.sum(score), 0),
        func.coalesce(func.sum(case((score <= low, 1), else_=0)), 0),
    ).where(_within(_rating.c.given_at, start, end))
    given, total, bad = session.connection().execute(statement).one()
    return Ratings(int(given), int(total), int(bad))
