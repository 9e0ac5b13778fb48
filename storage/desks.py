"""What a member of staff has before them on one surface: numbers of a list, an entered conversation, a question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, and_, or_, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, reference, serial


class StaffDesk(SQLModel, table=True):
    """The state of a member of staff's talk on one surface: the id of a chat of theirs, or `cli`.

    `entered_id` is the conversation that plain text goes to; `dialog` waits for an answer; until `stepped_up_until` no
    PIN is asked; until `pin_asked_until` digits alone may be one; until `as_customer_until` they are treated as a
    customer there.
    """

    __tablename__ = "staff_desk"
    __table_args__ = (UniqueConstraint("staff_id", "surface"),)

    id: int | None = serial()
    staff_id: int = reference("staff.id")
    surface: str = Field(max_length=24)
    entered_id: int | None = reference("conversation.id", nullable=True)
    entered_until: datetime | None = moment(nullable=True)
    dialog: str = ""
    dialog_data: str = ""
    dialog_until: datetime | None = moment(nullable=True)
    stepped_up_until: datetime | None = moment(nullable=True)
    pin_asked_until: datetime | None = moment(nullable=True)
    as_customer_until: datetime | None = moment(nullable=True)


class ShortId(SQLModel, table=True):
    """What a short number means to one member of staff on one surface."""

    __tablename__ = "short_id"
    __table_args__ = (UniqueConstraint("staff_id", "surface", "number"),)

    id: int | None = serial()
    staff_id: int = reference("staff.id")
    surface: str = Field(max_length=24)
    number: int
    kind: str = Field(max_length=16)
    target_id: int = Field(sa_type=BigInt)
    shown_at: datetime = moment()


class StaffPreview(SQLModel, table=True):
    """A command that waits for `/ok <code>`: with what it was told, and a hash of what was shown."""

    __tablename__ = "staff_preview"
    __table_args__ = (UniqueConstraint("staff_id", "surface", "code"),)

    id: int | None = serial()
    staff_id: int = reference("staff.id")
    surface: str = Field(max_length=24)
    code: str = Field(max_length=8)
    command: str = Field(max_length=32)
    given: str
    digest: str = Field(max_length=64)
    until: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class DeskRow(NamedTuple):
    """A desk as read; what is over may still stand there."""

    entered_id: int | None = None
    entered_until: datetime | None = None
    dialog: str = ""
    dialog_data: str = ""
    dialog_until: datetime | None = None
    stepped_up_until: datetime | None = None
    pin_asked_until: datetime | None = None
    as_customer_until: datetime | None = None


class Binding(NamedTuple):
    """A short number and what it means."""

    number: int
    kind: str
    target_id: int
    shown_at: datetime


class PreviewRow(NamedTuple):
    """A preview as read."""

    code: str
    command: str
    given: str
    digest: str
    until: datetime
    used_at: datetime | None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the command was given."""
        told: dict[str, Any] = json.loads(self.given)
        return told


_desk = StaffDesk.__table__  # type: ignore[attr-defined]
_short = ShortId.__table__  # type: ignore[attr-defined]
_preview = StaffPreview.__table__  # type: ignore[attr-defined]


def find(session: Session, staff_id: int, surface: str) -> DeskRow:
    """The desk; an empty one where there is none yet."""
    statement = select(*(_desk.c[name] for name in DeskRow._fields))
    statement = statement.where(_desk.c.staff_id == staff_id, _desk.c.surface == surface)
    row = session.connection().execute(statement).first()
    return DeskRow._make(row) if row else DeskRow()


def change(session: Session, staff_id: int, surface: str, **values: object) -> None:
    """Change these columns of a desk, which is made at first need."""
    statement = insert(session.get_bind().dialect.name, _desk).values(staff_id=staff_id, surface=surface, **values)
    changed = statement.on_conflict_do_update(index_elements=["staff_id", "surface"], set_=values)
    session.connection().execute(changed)


def leave(session: Session, staff_id: int, surface: str, conversation_id: int | None = None) -> bool:
    """No conversation is entered on this desk any more; False where none was, or only `conversation_id` was."""
    mine = (_desk.c.staff_id == staff_id, _desk.c.surface == surface, _desk.c.entered_id.is_not(None))
    statement = update(_desk).where(*mine)
    if conversation_id is not None:
        statement = statement.where(_desk.c.entered_id != conversation_id)
    changed = statement.values(entered_id=None, entered_until=None)
    return session.connection().execute(changed).rowcount == 1


def bindings(session: Session, staff_id: int, surface: str) -> list[Binding]:
    """Every short number there, the one shown longest ago first."""
    statement = select(*(_short.c[name] for name in Binding._fields))
    statement = statement.where(_short.c.staff_id == staff_id, _short.c.surface == surface)
    ordered = statement.order_by(_short.c.shown_at, _short.c.id)
    return [Binding._make(row) for row in session.connection().execute(ordered)]


def bind(session: Session, staff_id: int, surface: str, rows: Sequence[Binding], until: datetime) -> None:
    """Let these numbers mean this from now on; one that was shown after `until` for something else stays so."""
    if not rows:
        return
    statement = insert(session.get_bind().dialect.name, _short)
    new = statement.excluded
    told = {name: new[name] for name in ("kind", "target_id", "shown_at")}
    is_same = and_(_short.c.kind == new.kind, _short.c.target_id == new.target_id)
    added = statement.on_conflict_do_update(
        index_elements=["staff_id", "surface", "number"], set_=told, where=or_(is_same, _short.c.shown_at <= until)
    )
    session.connection().execute(added, [{"staff_id": staff_id, "surface": surface, **row._asdict()} for row in rows])


def add_preview(session: Session, staff_id: int, surface: str, row: PreviewRow) -> None:
    """Keep a preview, in the place of one with the same code."""
    values = row._asdict()
    statement = insert(session.get_bind().dialect.name, _preview).values(staff_id=staff_id, surface=surface, **values)
    kept = statement.on_conflict_do_update(index_elements=["staff_id", "surface", "code"], set_=values)
    session.connection().execute(kept)


def find_preview(session: Session, staff_id: int, surface: str, code: str) -> PreviewRow | None:
    """The preview with this code."""
    statement = select(*(_preview.c[name] for name in PreviewRow._fields)).where(
        _preview.c.staff_id == staff_id, _preview.c.surface == surface, _preview.c.code == code
    )
    row = session.connection().execute(statement).first()
    return PreviewRow._make(row) if row else None


def use_preview(session: Session, staff_id: int, surface: str, code: str, now: datetime) -> bool:
    """Use a preview up; False where that was done before, or its time is over."""
    statement = update(_preview).where(
        _preview.c.staff_id == staff_id, _preview.c.surface == surface, _preview.c.code == code,
        _preview.c.used_at.is_(None), _preview.c.until > now,
    )  # fmt: skip
    return session.connection().execute(statement.values(used_at=now)).rowcount == 1
