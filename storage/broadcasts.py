"""Broadcasts: one message to many, as it was written, scheduled, frozen, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Index, bindparam, exists, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, serial
from storage.hot import Fetch, updating
from storage.queue import stands
from storage.recipients import OPEN, PENDING, Recipient

DRAFT = "draft"
SCHEDULED = "scheduled"
FREEZING = "freezing"
RUNNING = "running"
PAUSED = "paused"
CANCELLED = "cancelled"

_LIVING = text(f"state IN ('{SCHEDULED}', '{FREEZING}', '{RUNNING}', '{PAUSED}')")
_KEYED = text("key IS NOT NULL")


class Broadcast(SQLModel, table=True):
    """One message to the members of a segment.

    `content` is JSON; `segment` the text whose members are meant, as it stood when the broadcast was written.
    `resumes_at` is when a pause ends by itself; None where a person must end it. The audience is frozen `as_of` a
    moment, up to the customer `cursor`; `frozen_at` is None until all of it is. `closed_at`: cancelled, and no row is
    open any more. `key` is its writer's own name for it, by which it is written once. `approved_of`
    is what a second person saw who agreed, see `crm.broadcast_versions`. `sought_at`: when those were last
    looked for who go another way than the one that is shut.
    """

    __tablename__ = "broadcast"
    __table_args__ = (
        Index("ix_broadcast_living", "state", sqlite_where=_LIVING, postgresql_where=_LIVING),
        Index("uq_broadcast_key", "key", unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED),
    )

    id: int | None = serial()
    name: str = Field(max_length=80)
    purpose: str = Field(max_length=16)
    content: str
    segment: str
    state: str = Field(default=DRAFT, max_length=16)
    pause_reason: str = Field(default="", max_length=32)
    pause_words: str = ""
    resumes_at: datetime | None = moment(nullable=True)
    created_by: str = Field(max_length=64)
    tested_at: datetime | None = moment(nullable=True)
    approved_by: str = Field(default="", max_length=64)
    approved_of: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    scheduled_at: datetime | None = moment(nullable=True)
    as_of: datetime | None = moment(nullable=True)
    cursor: int = Field(default=0, sa_type=BigInt)
    audience: int = 0
    digest: str = Field(default="", max_length=64)
    created_at: datetime = moment()
    changed_at: datetime = moment()
    frozen_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    key: str | None = Field(default=None, max_length=160)
    sought_at: datetime | None = moment(nullable=True)


class BroadcastView(NamedTuple):
    """A broadcast as read."""

    id: int
    name: str
    purpose: str
    content: str
    segment: str
    state: str
    pause_reason: str
    pause_words: str
    resumes_at: datetime | None
    created_by: str
    tested_at: datetime | None
    approved_by: str
    approved_of: str
    scheduled_at: datetime | None
    as_of: datetime | None
    cursor: int
    audience: int
    digest: str
    created_at: datetime
    changed_at: datetime
    frozen_at: datetime | None
    closed_at: datetime | None
    sought_at: datetime | None


_broadcast = Broadcast.__table__  # type: ignore[attr-defined]
_recipient = Recipient.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_broadcast.c[name] for name in BroadcastView._fields))
_ALIVE = stands(_broadcast.c.state, SCHEDULED, FREEZING, RUNNING, PAUSED)
_HELD = Fetch(lambda _among: _VIEW.where(_broadcast.c.id == bindparam("broadcast", required=True)).with_for_update())
_ADVANCED = updating(_broadcast, ("cursor", "audience"))


def _somebody_is_open(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    theirs = _recipient.c.broadcast_id == _broadcast.c.id
    return exists().where(theirs, stands(_recipient.c.state, *OPEN), *conditions)


_IS_DUE = (
    stands(_recipient.c.state, PENDING),
    _recipient.c.due_at <= bindparam("now", type_=_recipient.c.due_at.type, required=True),
)
_LIVE = Fetch(
    lambda _among: _VIEW.where(_ALIVE, _broadcast.c.frozen_at.is_(None) | _somebody_is_open()).order_by(_broadcast.c.id)
)
_GOES = stands(_broadcast.c.state, RUNNING) | (
    stands(_broadcast.c.state, PAUSED)
    & (_broadcast.c.resumes_at <= bindparam("now", type_=_recipient.c.due_at.type, required=True))
)
_RUNNING = Fetch(
    lambda _among: (
        _VIEW.where(_ALIVE, _GOES, _somebody_is_open(*_IS_DUE)).order_by(_broadcast.c.id).with_for_update(read=True)
    )
)


def add(session: Session, row: Mapping[str, Any]) -> int | None:
    """Write a new broadcast; its id, None where one of its key is there already."""
    statement = insert(session.get_bind().dialect.name, _broadcast).values(**row)
    statement = statement.on_conflict_do_nothing(index_elements=["key"], index_where=_KEYED)
    return session.connection().execute(statement.returning(_broadcast.c.id)).scalar_one_or_none()


def of_key(session: Session, key: str) -> BroadcastView | None:
    """The broadcast that its writer calls so."""
    row = session.connection().execute(_VIEW.where(_broadcast.c.key == key)).first()
    return BroadcastView._make(row) if row else None


def find(session: Session, broadcast_id: int) -> BroadcastView | None:
    """One broadcast."""
    row = session.connection().execute(_VIEW.where(_broadcast.c.id == broadcast_id)).first()
    return BroadcastView._make(row) if row else None


def hold(session: Session, broadcast_id: int) -> BroadcastView | None:
    """One broadcast, which nobody else changes until the transaction ends."""
    rows = _HELD.rows(session.connection(), broadcast=broadcast_id)
    return BroadcastView._make(rows[0]) if rows else None


def latest(session: Session, most: int = 20) -> list[BroadcastView]:
    """The last broadcasts, newest first."""
    rows = session.connection().execute(_VIEW.order_by(_broadcast.c.id.desc()).limit(most))
    return [BroadcastView._make(row) for row in rows]


def living(session: Session) -> list[BroadcastView]:
    """Those that are scheduled, being frozen, running or paused and not over, oldest first.

    All that ever ran to their end are asked in this one statement.
    """
    return [BroadcastView._make(row) for row in _LIVE.rows(session.connection())]


def running(session: Session, now: datetime) -> list[BroadcastView]:
    """Those that run, or whose rest is over, and of which somebody is due, oldest first; they cannot be stopped before
    the transaction ends.

    All that ever ran to their end are asked in this one statement.
    """
    return [BroadcastView._make(row) for row in _RUNNING.rows(session.connection(), now=now)]


def advance(session: Session, broadcast_id: int, cursor: int, audience: int) -> None:
    """So far it is frozen, and so many are meant."""
    _ADVANCED.run(session.connection(), [{"id": broadcast_id, "cursor": cursor, "audience": audience}])


def change(session: Session, broadcast_id: int, **values: Any) -> None:
    """Set columns of one broadcast."""
    session.connection().execute(update(_broadcast).where(_broadcast.c.id == broadcast_id).values(**values))
