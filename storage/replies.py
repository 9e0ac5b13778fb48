"""What staff sent to customers: which messages are whose, and whether they were told how it went."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, and_, or_, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, moment, reference
from storage.outbox import SENDING, SENT, UNKNOWN, WITHDRAWN, OutboxMessage
from storage.queue import DEAD, WAITING

_UNTOLD = text("told_at IS NULL")


class StaffSend(SQLModel, table=True):
    """A message of the outbox that a member of staff let go out; `part_of` is the first message of the same words.

    `waited_since` is since when the customer had waited: they wait on where nothing comes of it, nor of what else was
    said to them since.
    """

    __tablename__ = "staff_send"
    __table_args__ = (
        Index("ix_staff_send_untold", "id", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
        Index("ix_staff_send_staff", "staff_id", "id"),
        Index("ix_staff_send_at", "at"),
    )

    id: int = Field(
        primary_key=True, foreign_key="outbox.id", sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    part_of: int = Field(sa_type=BigInt)
    staff_id: int = reference("staff.id")
    surface: str = Field(max_length=24)
    conversation_id: int = reference("conversation.id", index=True)
    waited_since: datetime | None = moment(nullable=True)
    at: datetime = moment()
    told_at: datetime | None = moment(nullable=True)


class SendRow(NamedTuple):
    """A staff member's message as read, with how it stands."""

    id: int
    part_of: int
    staff_id: int
    surface: str
    conversation_id: int
    waited_since: datetime | None
    at: datetime
    state: str
    error: str


_send = StaffSend.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_ROW = select(
    *(_send.c[name] for name in SendRow._fields[:-2]), _outbox.c.state, _outbox.c.error
).join(_outbox, _outbox.c.id == _send.c.id)  # fmt: skip


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note whose messages these are."""
    session.connection().execute(_send.insert(), rows)


def latest(session: Session, staff_id: int, surface: str, since: datetime) -> list[SendRow]:
    """All parts of what this member of staff sent last from this surface and did not take back, after `since`."""
    mine = (_send.c.staff_id == staff_id, _send.c.surface == surface, _send.c.at > since)
    standing = (*mine, _outbox.c.state != WITHDRAWN)
    last = select(_send.c.part_of).join(_outbox, _outbox.c.id == _send.c.id).where(*standing)
    newest = last.order_by(_send.c.id.desc()).limit(1).scalar_subquery()
    statement = _ROW.where(*standing, _send.c.part_of == newest).order_by(_send.c.id)
    return [SendRow._make(row) for row in session.connection().execute(statement)]


def ended(session: Session, most: int) -> list[SendRow]:
    """Messages that came to an end of which their senders were not told yet, oldest first.

    One whose end is unknown even after it was sent once more stays so.
    """
    is_over = or_(
        _outbox.c.state.in_((SENT, DEAD, WITHDRAWN)), and_(_outbox.c.state == UNKNOWN, _outbox.c.resent.is_(True))
    )
    statement = _ROW.where(_send.c.told_at.is_(None), is_over).order_by(_send.c.id).limit(most)
    return [SendRow._make(row) for row in session.connection().execute(statement)]


def parts(session: Session, first_ids: Collection[int]) -> list[SendRow]:
    """All parts of these messages, named by their first, in order; `first_ids` names at least one."""
    these = (_send.c.id >= min(first_ids), _send.c.part_of.in_(first_ids))
    statement = _ROW.where(*these).order_by(_send.c.id)
    return [SendRow._make(row) for row in session.connection().execute(statement)]


def answers(session: Session, conversation_id: int, since: datetime) -> bool:
    """Whether something that staff sent there since then went out, or still may."""
    may_reach = or_(
        _outbox.c.state.in_((WAITING, SENDING, SENT)), and_(_outbox.c.state == UNKNOWN, _outbox.c.resent.is_(False))
    )
    statement = select(_send.c.id).join(_outbox, _outbox.c.id == _send.c.id)
    statement = statement.where(_send.c.conversation_id == conversation_id, _send.c.at >= since, may_reach)
    return session.connection().execute(statement.limit(1)).first() is not None


def unanswered_since(session: Session, conversation_id: int) -> datetime | None:
    """Since when the customer had waited for what staff sent there last; None where that went out."""
    statement = select(_send.c.waited_since, _outbox.c.state).join(_outbox, _outbox.c.id == _send.c.id)
    last = statement.where(_send.c.conversation_id == conversation_id).order_by(_send.c.id.desc()).limit(1)
    row = session.connection().execute(last).first()
    return row[0] if row is not None and row[1] != SENT else None


def told(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Their senders know how these went."""
    if ids:
        session.connection().execute(update(_send).where(_send.c.id.in_(ids)).values(told_at=now))
