"""When something that happens outside of the service was done last, by name: the last backup, for example."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment

BACKUP = "backup"


class MarkRow(SQLModel, table=True):
    """The last time that something was done."""

    __tablename__ = "mark"

    name: str = Field(primary_key=True, max_length=32)
    at: datetime = moment()


_mark = MarkRow.__table__  # type: ignore[attr-defined]


def done(session: Session, name: str, now: datetime) -> None:
    """Note that it was done now."""
    statement = insert(session.get_bind().dialect.name, _mark).values(name=name, at=now)
    session.connection().execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": now}))


def last(session: Session, name: str) -> datetime | None:
    """When it was done last; None where nobody noted it."""
    statement = select(_mark.c.at).where(_mark.c.name == name)
    return cast("datetime | None", session.connection().execute(statement).scalar_one_or_none())
