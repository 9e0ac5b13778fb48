"""Requests of customers about their own data, with their clocks; and what was left of who was erased."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, reference, serial
from storage.queue import stands

OPEN = "open"
_OPEN = text(f"state = '{OPEN}'")


class DataRequest(SQLModel, table=True):
    """A request about one's own data: by when it must be answered and done, and what came of it.

    `look_at` is when staff must be told next; NULL where there is nothing more to tell.
    """

    __tablename__ = "data_request"
    __table_args__ = (
        Index("ix_data_request_due", "state", "due_at"),
        Index("ix_data_request_look", "look_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int | None = serial()
    customer_id: int = reference("customer.id", index=True)
    identity_id: int | None = reference("identity.id", nullable=True)
    kind: str = Field(max_length=16)
    wording: str = Field(default="", sa_column_kwargs={"server_default": ""})
    message_id: str = Field(default="", sa_column_kwargs={"server_default": ""})
    requested_at: datetime = moment()
    answer_by: datetime | None = moment(nullable=True)
    due_at: datetime = moment()
    look_at: datetime | None = moment(nullable=True)
    state: str = Field(max_length=16)
    answered_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    ended_by: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    outcome: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Erasure(SQLModel, table=True):
    """That a customer was erased: when, by whom, and how many rows of which table (JSON); nothing of who it was."""

    __tablename__ = "erasure"

    id: int | None = serial()
    customer_id: int = reference("customer.id", index=True)
    request_id: int | None = reference("data_request.id", nullable=True)
    at: datetime = moment()
    actor: str = Field(max_length=64)
    touched: str


class Request(NamedTuple):
    """A request as read."""

    id: int
    customer_id: int
    identity_id: int | None
    kind: str
    wording: str
    message_id: str
    requested_at: datetime
    answer_by: datetime | None
    due_at: datetime
    look_at: datetime | None
    state: str
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    outcome: str


class Certificate(NamedTuple):
    """An erasure as read."""

    id: int
    customer_id: int
    request_id: int | None
    at: datetime
    actor: str
    touched: str


_request = DataRequest.__table__  # type: ignore[attr-defined]
_erasure = Erasure.__table__  # type: ignore[attr-defined]
_ROW = select(*(_request.c[name] for name in Request._fields))
_CERTIFICATE = select(*(_erasure.c[name] for name in Certificate._fields))


def add(session: Session, row: Mapping[str, Any]) -> int:
    """Write a request; its id."""
    return int(session.connection().execute(_request.insert().values(**row).returning(_request.c.id)).scalar_one())


def find(session: Session, request_id: int, *, lock: bool = False) -> Request | None:
    """One request; `lock` holds it until the transaction ends."""
    statement = _ROW.where(_request.c.id == request_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    return Request._make(row) if row else None


def open_of(session: Session, customer_id: int, kind: str) -> Request | None:
    """The oldest open request of this kind."""
    theirs = (_request.c.customer_id == customer_id, _request.c.kind == kind, stands(_request.c.state, OPEN))
    row = session.connection().execute(_ROW.where(*theirs).order_by(_request.c.id).limit(1)).first()
    return Request._make(row) if row else None


def page(session: Session, states: Collection[str], after: int, most: int) -> list[Request]:
    """Requests in these states with an id above `after`, by id."""
    statement = _ROW.where(_request.c.state.in_(sorted(states)), _request.c.id > after)
    return [Request._make(row) for row in session.connection().execute(statement.order_by(_request.c.id).limit(most))]


def open_requests(session: Session) -> list[Request]:
    """All open requests, the soonest due first."""
    statement = _ROW.where(stands(_request.c.state, OPEN)).order_by(_request.c.due_at, _request.c.id)
    return [Request._make(row) for row in session.connection().execute(statement)]


def open_requests_of(session: Session, customer_id: int) -> list[Request]:
    """The open requests of one customer, by id."""
    statement = _ROW.where(_request.c.customer_id == customer_id, stands(_request.c.state, OPEN))
    return [Request._make(row) for row in session.connection().execute(statement.order_by(_request.c.id))]


def due(session: Session, now: datetime, most: int) -> list[Request]:
    """Open requests of which staff must be told by now."""
    statement = _ROW.where(stands(_request.c.state, OPEN), _request.c.look_at <= now)
    return [
        Request._make(row) for row in session.connection().execute(statement.order_by(_request.c.look_at).limit(most))
    ]


def change(session: Session, request_id: int, **values: object) -> bool:
    """Set columns of an open request; False where it is open no more."""
    statement = update(_request).where(_request.c.id == request_id, stands(_request.c.state, OPEN))
    return session.connection().execute(statement.values(**values)).rowcount == 1


def move(session: Session, source: int, target: int) -> None:
    """Requests of one customer become another's."""
    theirs = _request.c.customer_id == source
    session.connection().execute(update(_request).where(theirs).values(customer_id=target))


def certify(session: Session, row: Mapping[str, Any]) -> int:
    """Write that somebody was erased; the certificate's id."""
    return int(session.connection().execute(_erasure.insert().values(**row).returning(_erasure.c.id)).scalar_one())


def certificate(session: Session, customer_id: int, request_id: int | None = None) -> Certificate | None:
    """The last erasure of this customer, or the one that a request came to."""
    statement = _CERTIFICATE.where(_erasure.c.customer_id == customer_id)
    if request_id is not None:
        statement = statement.where(_erasure.c.request_id == request_id)
    row = session.connection().execute(statement.order_by(_erasure.c.id.desc()).limit(1)).first()
    return Certificate._make(row) if row else None
