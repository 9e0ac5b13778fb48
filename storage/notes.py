"""Notes that staff keep about customers; one that was taken away stays, marked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, reference, serial
from storage.staff import Staff


class CustomerNote(SQLModel, table=True):
    """What a member of staff wrote down about a customer; `gone_at` is when they took it away."""

    __tablename__ = "customer_note"
    __table_args__ = (Index("ix_customer_note_customer", "customer_id", "id"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    staff_id: int = reference("staff.id")
    text: str = Field(max_length=1000)
    at: datetime = moment()
    gone_at: datetime | None = moment(nullable=True)


class Note(NamedTuple):
    """A note as read, with who wrote it."""

    id: int
    text: str
    at: datetime
    staff_id: int
    by: str


_note = CustomerNote.__table__  # type: ignore[attr-defined]
_staff = Staff.__table__  # type: ignore[attr-defined]
_ROW = (
    select(_note.c.id, _note.c.text, _note.c.at, _note.c.staff_id, _staff.c.name)
    .join(_staff, _staff.c.id == _note.c.staff_id)
    .where(_note.c.gone_at.is_(None))
)


def add(session: Session, customer_id: int, staff_id: int, text: str, at: datetime) -> int:
    """Keep a note; its id."""
    row = {"customer_id": customer_id, "staff_id": staff_id, "text": text, "at": at}
    added = _note.insert().values(**row).returning(_note.c.id)
    return int(session.connection().execute(added).scalar_one())


def latest(session: Session, customer_id: int, most: int) -> list[Note]:
    """A customer's last notes, the newest first."""
    statement = _ROW.where(_note.c.customer_id == customer_id).order_by(_note.c.id.desc()).limit(most)
    return [Note._make(row) for row in session.connection().execute(statement)]


def take_away(session: Session, customer_id: int, staff_id: int, at: datetime) -> int | None:
    """The last note that this member of staff wrote about them is gone; its id, None where there was none."""
    mine = (_note.c.customer_id == customer_id, _note.c.staff_id == staff_id, _note.c.gone_at.is_(None))
    last = select(_note.c.id).where(*mine).order_by(_note.c.id.desc()).limit(1).scalar_subquery()
    gone = update(_note).where(_note.c.id == last).values(gone_at=at).returning(_note.c.id)
    return session.connection().execute(gone).scalar_one_or_none()


def move(session: Session, source: int, target: int) -> None:
    """All notes about one customer are about another."""
    session.connection().execute(update(_note).where(_note.c.customer_id == source).values(customer_id=target))
