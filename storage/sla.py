"""The clocks of support requests: what was promised, how much working time is used, when it is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import given_id, moment, reference
from storage.queue import set_rows
from storage.tickets import Ticket, TicketRow

_LOOKED_FOR = text("look_at IS NOT NULL")
_RUNNING = text("ended_at IS NULL")


class TicketClock(SQLModel, table=True):
    """One promise about a ticket, in seconds of working time: `used_s` were used up before `running_since`.

    `warn_at` and `due_at` are when most and all of it is used, None while it stands still. `look_at` is the next of
    them that nobody was told of.
    """

    __tablename__ = "ticket_clock"
    __table_args__ = (
        Index("ix_ticket_clock_look_at", "look_at", sqlite_where=_LOOKED_FOR, postgresql_where=_LOOKED_FOR),
        Index("ix_ticket_clock_running", "ticket_id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_ticket_clock_ticket", "ticket_id", "id"),
        Index("ix_ticket_clock_ended_at", "ended_at"),
        Index("ix_ticket_clock_due_at", "due_at"),
    )

    id: int = given_id()
    ticket_id: int = reference("ticket.id")
    kind: str = Field(max_length=16)
    target_s: int
    used_s: int = 0
    started_at: datetime = moment()
    running_since: datetime | None = moment(nullable=True)
    warn_at: datetime | None = moment(nullable=True)
    due_at: datetime | None = moment(nullable=True)
    look_at: datetime | None = moment(nullable=True)
    warned_at: datetime | None = moment(nullable=True)
    breached_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)


class ClockRow(NamedTuple):
    """A clock as read."""

    id: int
    ticket_id: int
    kind: str
    target_s: int
    used_s: int
    started_at: datetime
    running_since: datetime | None
    warn_at: datetime | None
    due_at: datetime | None
    look_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None


class Looked(NamedTuple):
    """A clock that is to be told of, with its ticket."""

    id: int
    ticket_id: int
    kind: str
    due_at: datetime
    look_at: datetime
    warned_at: datetime | None
    customer_id: int
    conversation_id: int
    priority: str
    summary: str


_clock = TicketClock.__table__  # type: ignore[attr-defined]
_ticket = Ticket.__table__  # type: ignore[attr-defined]
_ROW = select(*(_clock.c[name] for name in ClockRow._fields))


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new clocks."""
    session.connection().execute(_clock.insert(), rows)


def set_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change clocks by `id`; all mappings hold the same keys."""
    set_rows(session.connection(), _clock, rows)


def of_tickets(session: Session, numbers: Collection[int], *, ended: bool = False) -> list[ClockRow]:
    """The clocks of these tickets in the order in which they began; those that ended only on demand."""
    statement = _ROW.where(_clock.c.ticket_id.in_(sorted(numbers))).order_by(_clock.c.ticket_id, _clock.c.id)
    if not ended:
        statement = statement.where(_clock.c.ended_at.is_(None))
    return [ClockRow._make(row) for row in session.connection().execute(statement)]


def unclocked(session: Session, state: str, most: int) -> list[TicketRow]:
    """Tickets in this state that never had a clock, oldest first."""
    has_one = select(_clock.c.id).where(_clock.c.ticket_id == _ticket.c.id).exists()
    statement = select(*(_ticket.c[name] for name in TicketRow._fields)).where(_ticket.c.state == state, ~has_one)
    return [TicketRow._make(row) for row in session.connection().execute(statement.order_by(_ticket.c.id).limit(most))]


def to_look_at(session: Session, now: datetime, most: int) -> list[Looked]:
    """The clocks that are to be told of by now, the most urgent first."""
    columns = [
        *(_clock.c[name] for name in Looked._fields[:6]), *(_ticket.c[name] for name in Looked._fields[6:]),
    ]  # fmt: skip
    statement = (
        select(*columns)
        .join(_ticket, _ticket.c.id == _clock.c.ticket_id)
        .where(_clock.c.look_at <= now)
        .order_by(_clock.c.look_at, _clock.c.id)
        .limit(most)
    )
    return [Looked._make(row) for row in session.connection().execute(statement)]


def mark(session: Session, clock_id: int, looked_at: datetime, values: Mapping[str, Any]) -> bool:
    """Note what was told; False where somebody did so first, or where the clock was stopped or set anew meanwhile."""
    statement = update(_clock).where(_clock.c.id == clock_id, _clock.c.look_at == looked_at)
    return session.connection().execute(statement.values(**values)).rowcount == 1
