"""Segments that were saved under a name: a new version whenever one changes, and none is ever lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, func, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, serial


class SavedSegment(SQLModel, table=True):
    """One version of a segment: its text, and who saved it when."""

    __tablename__ = "segment"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: int | None = serial()
    name: str = Field(max_length=40)
    version: int
    text: str
    created_by: str = Field(default="", max_length=64)
    created_at: datetime = moment()


class SegmentRow(NamedTuple):
    """A version as read."""

    id: int
    name: str
    version: int
    text: str
    created_by: str
    created_at: datetime


_segment = SavedSegment.__table__  # type: ignore[attr-defined]
_ROW = select(*(_segment.c[name] for name in SegmentRow._fields))


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Keep a version; False where the name has one of this number."""
    statement = insert(session.get_bind().dialect.name, _segment).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["name", "version"]).returning(_segment.c.id)
    return session.connection().execute(added).first() is not None


def find(session: Session, name: str, version: int | None = None) -> SegmentRow | None:
    """One version of a segment, the last one where none is named."""
    statement = _ROW.where(_segment.c.name == name)
    if version is not None:
        statement = statement.where(_segment.c.version == version)
    row = session.connection().execute(statement.order_by(_segment.c.version.desc()).limit(1)).first()
    return SegmentRow._make(row) if row else None


def everyone(session: Session) -> list[SegmentRow]:
    """The last version of each, by name."""
    last = select(func.max(_segment.c.id)).group_by(_segment.c.name)
    statement = _ROW.where(_segment.c.id.in_(last)).order_by(_segment.c.name)
    return [SegmentRow._make(row) for row in session.connection().execute(statement)]


def versions(session: Session, name: str) -> list[SegmentRow]:
    """All versions of a segment, the newest first."""
    statement = _ROW.where(_segment.c.name == name).order_by(_segment.c.version.desc())
    return [SegmentRow._make(row) for row in session.connection().execute(statement)]
