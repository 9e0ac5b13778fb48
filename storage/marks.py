"""When something that happens outside of the service was done last, by name: the last backup, for example."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment
from storage.hot import Fetch

BACKUP = "backup"


class MarkRow(SQLModel, table=True):
    """The last time that something was done."""

    __tablename__ = "mark"

    name: str = Field(primary_key=True, max_length=32)
    at: datetime = moment()


_mark = MarkRow.__table__  # type: ignore[attr-defined]
_LAST = Fetch(lambda _among: select(_mark.c.at).where(_mark.c.name == bindparam("name", required=True)))


def done(session: Session, name: str, now: datetime) -> None:
    """Note that it was done now."""
    statement = insert(session.get_bind().dialect.name, _mark).values(name=name, at=now)
    session.connection().execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": now}))


def last(session: Session, name: str) -> datetime | None:
    """When it was done last; None where nobody noted it."""
    rows = _LAST.rows(session.connection(), name=name)
    return rows[0][0] if rows else None
