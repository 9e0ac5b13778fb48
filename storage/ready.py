"""What staff keep ready under a name: replies with gaps, and macros."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import UniqueConstraint, delete, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, reference, serial


class ReadyText(SQLModel, table=True):
    """A reply or a macro, by `kind`; `folded` is how its name is compared. `picture` goes with a reply."""

    __tablename__ = "ready_text"
    __table_args__ = (UniqueConstraint("kind", "folded"),)

    id: int | None = serial()
    kind: str = Field(max_length=16)
    name: str = Field(max_length=30)
    folded: str = Field(max_length=30)
    text: str
    picture: str = ""
    edited_by: int = reference("staff.id")
    edited_at: datetime = moment()


class ReadyRow(NamedTuple):
    """One of them as read."""

    id: int
    kind: str
    name: str
    folded: str
    text: str
    picture: str
    edited_by: int
    edited_at: datetime


_ready = ReadyText.__table__  # type: ignore[attr-defined]
_ROW = select(*(_ready.c[name] for name in ReadyRow._fields))


def find(session: Session, kind: str, folded: str) -> ReadyRow | None:
    """The one with this name."""
    row = session.connection().execute(_ROW.where(_ready.c.kind == kind, _ready.c.folded == folded)).first()
    return ReadyRow._make(row) if row else None


def everything(session: Session, kind: str) -> list[ReadyRow]:
    """All of a kind, by name."""
    statement = _ROW.where(_ready.c.kind == kind).order_by(_ready.c.folded)
    return [ReadyRow._make(row) for row in session.connection().execute(statement)]


def put(session: Session, kind: str, folded: str, **values: object) -> None:
    """Keep one under this name, in the place of one that is there; what is not given of that stays."""
    given = {"name": folded, "text": "", "picture": "", **values}
    statement = insert(session.get_bind().dialect.name, _ready).values(kind=kind, folded=folded, **given)
    session.connection().execute(statement.on_conflict_do_update(index_elements=["kind", "folded"], set_=values))


def remove(session: Session, ready_id: int) -> None:
    """It is gone."""
    session.connection().execute(delete(_ready).where(_ready.c.id == ready_id))
