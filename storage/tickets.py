"""Support tickets and the photos that customers sent to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, func, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import blob, hashed, insert, moment, reference, serial

OPEN = "open"
"""The state of a ticket that waits for us."""


class Ticket(SQLModel, table=True):
    """A support request. Its id is the number that people see; `cause` is why it was needed, told at its end."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_customer", "customer_id", "id"),
        Index("ix_ticket_state", "state", "id"),
        Index("ix_ticket_created_at", "created_at"),
        Index("ix_ticket_closed_at", "closed_at"),
    )

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    conversation_id: int = reference("conversation.id", index=True)
    state: str = Field(max_length=16)
    category: str = Field(default="other", max_length=16)
    priority: str = Field(default="normal", max_length=16)
    order_id: int | None = reference("sales_order.id", nullable=True)
    cause: str = ""
    summary: str = ""
    created_at: datetime = moment()
    updated_at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)


class TicketPhoto(SQLModel, table=True):
    """A picture that belongs to a ticket. The channel's address of it expires, our copy does not.

    `trouble` says why there is none.
    """

    __tablename__ = "ticket_photo"
    __table_args__ = (UniqueConstraint("dedup"),)

    id: int | None = serial()
    ticket_id: int = reference("ticket.id", index=True)
    dedup: bytes = blob()
    url: str
    message_id: str = ""
    media_id: str | None = Field(default=None, foreign_key="media.id", max_length=64, nullable=True)
    trouble: str = ""
    at: datetime = moment()


class TicketRow(NamedTuple):
    """A ticket as read."""

    id: int
    customer_id: int
    conversation_id: int
    state: str
    category: str
    priority: str
    order_id: int | None
    cause: str
    summary: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class Photo(NamedTuple):
    """A ticket's photo as read."""

    url: str
    message_id: str
    at: datetime
    media_id: str | None
    trouble: str


_ticket = Ticket.__table__  # type: ignore[attr-defined]
_photo = TicketPhoto.__table__  # type: ignore[attr-defined]
_ROW = select(*(_ticket.c[name] for name in TicketRow._fields))


def add(session: Session, row: Mapping[str, Any]) -> int:
    """Write a new ticket; its number."""
    return int(session.connection().execute(_ticket.insert().values(**row).returning(_ticket.c.id)).scalar_one())


def find(session: Session, number: int) -> TicketRow | None:
    """One ticket."""
    row = session.connection().execute(_ROW.where(_ticket.c.id == number)).first()
    return TicketRow(*row) if row else None


def set_state(session: Session, number: int, state: str, now: datetime, values: Mapping[str, Any]) -> bool:
    """Give a ticket another state and what comes with it; False where it has it already, or where there is none."""
    statement = update(_ticket).where(_ticket.c.id == number, _ticket.c.state != state)
    return session.connection().execute(statement.values(state=state, updated_at=now, **values)).rowcount == 1


def change(session: Session, number: int, values: Mapping[str, Any]) -> None:
    """Set columns of a ticket that say nothing of its state."""
    session.connection().execute(update(_ticket).where(_ticket.c.id == number).values(**values))


def add_photo(session: Session, number: int, url: str, message_id: str, at: datetime) -> int | None:
    """Keep a photo's address; its id, None where the ticket has it already."""
    dedup = hashed(str(number), message_id, url)
    row = {"ticket_id": number, "dedup": dedup, "url": url, "message_id": message_id, "trouble": "", "at": at}
    statement = insert(session.get_bind().dialect.name, _photo).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["dedup"]).returning(_photo.c.id)
    found: int | None = session.connection().execute(added).scalar()
    return found


def set_photo(session: Session, photo_id: int, values: Mapping[str, Any]) -> None:
    """Note where our copy of a photo is, or why there is none."""
    session.connection().execute(update(_photo).where(_photo.c.id == photo_id).values(**values))


def photos(session: Session, number: int) -> list[Photo]:
    """A ticket's photos in the order they came."""
    statement = select(*(_photo.c[name] for name in Photo._fields)).where(_photo.c.ticket_id == number)
    return [Photo(*row) for row in session.connection().execute(statement.order_by(_photo.c.id))]


def of_customer(session: Session, customer_id: int, states: Collection[str], most: int) -> list[TicketRow]:
    """A customer's tickets in these states, newest first."""
    statement = _ROW.where(_ticket.c.customer_id == customer_id, _ticket.c.state.in_(sorted(states)))
    return [
        TicketRow(*row) for row in session.connection().execute(statement.order_by(_ticket.c.id.desc()).limit(most))
    ]


def in_state(session: Session, state: str, most: int) -> list[TicketRow]:
    """Tickets of all customers in one state, oldest first."""
    statement = _ROW.where(_ticket.c.state == state).order_by(_ticket.c.id).limit(most)
    return [TicketRow(*row) for row in session.connection().execute(statement)]


def of_conversation(session: Session, conversation_id: int, states: Collection[str]) -> list[TicketRow]:
    """A conversation's tickets in these states, oldest first."""
    statement = _ROW.where(_ticket.c.conversation_id == conversation_id, _ticket.c.state.in_(sorted(states)))
    return [TicketRow(*row) for row in session.connection().execute(statement.order_by(_ticket.c.id))]


def earliest(session: Session, conversation_id: int, state: str, since: datetime) -> datetime | None:
    """When the first of a conversation's tickets came into the state in which it stands, not earlier than `since`.

    None where there is none.
    """
    moments = select(func.min(_ticket.c.updated_at)).where(
        _ticket.c.conversation_id == conversation_id, _ticket.c.state == state, _ticket.c.updated_at >= since
    )
    found: datetime | None = session.connection().execute(moments).scalar_one()
    return found


def move(session: Session, source: int, target: int, only: int | None = None) -> None:
    """All tickets of one customer become another's; or those of one conversation alone."""
    these = _ticket.c.customer_id == source if only is None else _ticket.c.conversation_id == only
    session.connection().execute(update(_ticket).where(these).values(customer_id=target))
