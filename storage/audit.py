"""What staff did, as a list that only grows: who, when, from where, to what; never the words of a message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, moment, reference, serial


class AuditEntry(SQLModel, table=True):
    """One thing that a member of staff did; `staff_id` is None for what the owner did on the command line."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject", "subject_id", "id"),)

    id: int | None = serial()
    at: datetime = moment()
    staff_id: int | None = reference("staff.id", nullable=True, index=True)
    surface: str = Field(default="", max_length=24)
    action: str = Field(max_length=48)
    subject: str = Field(default="", max_length=16)
    subject_id: int | None = Field(default=None, sa_type=BigInt)
    details: str = ""


class Entry(NamedTuple):
    """An entry as read."""

    id: int
    at: datetime
    staff_id: int | None
    surface: str
    action: str
    subject: str
    subject_id: int | None
    details: str


_audit = AuditEntry.__table__  # type: ignore[attr-defined]


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Write an entry."""
    session.connection().execute(_audit.insert(), [row])


def latest(session: Session, most: int = 50) -> list[Entry]:
    """The last entries, newest first."""
    statement = select(*(_audit.c[name] for name in Entry._fields)).order_by(_audit.c.id.desc()).limit(most)
    return [Entry._make(row) for row in session.connection().execute(statement)]
