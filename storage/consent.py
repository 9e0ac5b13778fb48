"""What customers agreed to and took back, and their requests about their own data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, reference, serial


class ConsentEntry(SQLModel, table=True):
    """One yes or no to one purpose: where it was said, to which wording, in which message."""

    __tablename__ = "consent_entry"
    __table_args__ = (Index("ix_consent_entry_latest", "customer_id", "purpose", "at"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    purpose: str = Field(max_length=32)
    granted: bool
    channel: str = Field(default="", max_length=32)
    wording: str = ""
    message_id: str = ""
    at: datetime = moment()


class DataRequest(SQLModel, table=True):
    """A request about one's own data, with the day by which it must be done."""

    __tablename__ = "data_request"
    __table_args__ = (Index("ix_data_request_due", "state", "due_at"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id", index=True)
    identity_id: int | None = reference("identity.id", nullable=True)
    kind: str = Field(max_length=16)
    requested_at: datetime = moment()
    due_at: datetime = moment()
    state: str = Field(max_length=16)


class Consent(NamedTuple):
    """A consent entry as read."""

    id: int
    purpose: str
    granted: bool
    channel: str
    wording: str
    message_id: str
    at: datetime


class RequestRow(NamedTuple):
    """A data request as read."""

    id: int
    customer_id: int
    identity_id: int | None
    kind: str
    requested_at: datetime
    due_at: datetime
    state: str


_consent = ConsentEntry.__table__  # type: ignore[attr-defined]
_request = DataRequest.__table__  # type: ignore[attr-defined]
_REQUEST_ROW = select(*(_request.c[name] for name in RequestRow._fields))


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Write a consent entry."""
    session.connection().execute(_consent.insert().values(**row))


def last_word(session: Session, customer_id: int, purpose: str) -> bool | None:
    """What the customer said last about this purpose (no before yes in the same moment); None where nothing."""
    statement = select(_consent.c.granted).where(_consent.c.customer_id == customer_id, _consent.c.purpose == purpose)
    statement = statement.order_by(_consent.c.at.desc(), _consent.c.granted, _consent.c.id.desc()).limit(1)
    return session.connection().execute(statement).scalar_one_or_none()


def entries(session: Session, customer_id: int) -> list[Consent]:
    """Everything that a customer agreed to and took back, oldest first."""
    statement = select(*(_consent.c[name] for name in Consent._fields)).where(_consent.c.customer_id == customer_id)
    return [Consent(*row) for row in session.connection().execute(statement.order_by(_consent.c.at, _consent.c.id))]


def open_request(session: Session, customer_id: int, kind: str, state: str) -> RequestRow | None:
    """The oldest request of this kind and state."""
    statement = _REQUEST_ROW.where(
        _request.c.customer_id == customer_id, _request.c.kind == kind, _request.c.state == state
    )
    row = session.connection().execute(statement.order_by(_request.c.id).limit(1)).first()
    return RequestRow(*row) if row else None


def add_request(session: Session, row: Mapping[str, Any]) -> int:
    """Write a request; its id."""
    return int(session.connection().execute(_request.insert().values(**row).returning(_request.c.id)).scalar_one())


def set_requests(session: Session, customer_id: int, kind: str, before: str, after: str) -> int:
    """Give a customer's requests of this kind another state; how many stood in the one before."""
    statement = update(_request).where(
        _request.c.customer_id == customer_id, _request.c.kind == kind, _request.c.state == before
    )
    return session.connection().execute(statement.values(state=after)).rowcount


def requests(session: Session, state: str) -> list[RequestRow]:
    """All requests in one state, the soonest due first."""
    statement = _REQUEST_ROW.where(_request.c.state == state).order_by(_request.c.due_at, _request.c.id)
    return [RequestRow(*row) for row in session.connection().execute(statement)]


def move(session: Session, source: int, target: int) -> None:
    """Consent entries and requests of one customer become another's."""
    for table in (_consent, _request):
        session.connection().execute(update(table).where(table.c.customer_id == source).values(customer_id=target))
