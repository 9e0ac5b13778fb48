"""Versions of the programme of points, as they were loaded; one is never changed, a newer one takes its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Index, bindparam, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, serial


class ProgrammeVersion(SQLModel, table=True):
    """A programme as its file says it, and from when it holds; the brand's time zone as it was set then."""

    __tablename__ = "programme_version"
    __table_args__ = (Index("ix_programme_version_effective", "effective_from", "id"),)

    id: int | None = serial()
    effective_from: datetime = moment()
    timezone: str = Field(max_length=64)
    source: str
    loaded_at: datetime = moment()
    actor: str = Field(default="", max_length=64)


class Version(NamedTuple):
    """A version as read."""

    id: int
    effective_from: datetime
    timezone: str
    source: str
    loaded_at: datetime
    actor: str


_version = ProgrammeVersion.__table__  # type: ignore[attr-defined]
_VERSION = select(*(_version.c[name] for name in Version._fields))
_AT = (
    _VERSION.where(_version.c.effective_from <= bindparam("moment"))
    .order_by(_version.c.effective_from.desc(), _version.c.id.desc())
    .limit(1)
)


def add(session: Session, row: Mapping[str, Any]) -> int:
    """Keep a version; its id."""
    statement = _version.insert().values(**row).returning(_version.c.id)
    return cast("int", session.connection().execute(statement).scalar_one())


def at(session: Session, moment: datetime) -> Version | None:
    """The version that held at a moment: of those effective by then the last one loaded; None before the first."""
    row = session.connection().execute(_AT, {"moment": moment}).first()
    return Version._make(row) if row else None


def until(session: Session, moment: datetime) -> Iterator[Version]:
    """The versions that held before a moment, the last first."""
    statement = _VERSION.where(_version.c.effective_from < moment)
    in_order = statement.order_by(_version.c.effective_from.desc(), _version.c.id.desc())
    return map(Version._make, session.connection().execute(in_order))


def hold(session: Session, moment: datetime) -> None:
    """Hold the version of a moment until the transaction ends; it can still be read."""
    session.connection().execute(_AT.with_for_update(key_share=True), {"moment": moment})


def one(session: Session, version: int) -> Version | None:
    """One version."""
    row = session.connection().execute(_VERSION.where(_version.c.id == version)).first()
    return Version._make(row) if row else None


def everyone(session: Session) -> list[Version]:
    """All versions, the newest first."""
    rows = session.connection().execute(_VERSION.order_by(_version.c.effective_from.desc(), _version.c.id.desc()))
    return [Version._make(row) for row in rows]
