"""Notices to staff: what was told to whom about which conversation, and by which message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, and_, func, or_, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import given_id, id_at, moment, reference
from storage.conversations import Conversation
from storage.outbox import SENT, UNKNOWN, WITHDRAWN, OutboxMessage
from storage.queue import DEAD, stands
from storage.tickets import OPEN, Ticket

QUEUED = "queued"
HELD = "held"
VOID = "void"

_OPEN = text("state IN ('queued', 'held')")


class Notice(SQLModel, table=True):
    """One notice. `outbox_id` is the message that carries it, so that a quote of that message finds it.

    States: queued → sent, or held where the platform did not let it through, and queued again when they write; void
    where nobody needs it any more.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_staff", "staff_id", "id"),
        Index("ix_notice_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int = given_id()
    staff_id: int = reference("staff.id")
    conversation_id: int | None = reference("conversation.id", nullable=True, index=True)
    ticket_id: int | None = reference("ticket.id", nullable=True)
    kind: str = Field(max_length=24)
    surface: str = Field(default="", max_length=24)
    outbox_id: int | None = reference("outbox.id", nullable=True)
    body: str
    state: str = Field(max_length=16)
    created_at: datetime = moment()


class NoticeRow(NamedTuple):
    """A notice as read."""

    id: int
    staff_id: int
    conversation_id: int | None
    ticket_id: int | None
    kind: str
    surface: str
    outbox_id: int | None
    body: str
    state: str
    created_at: datetime


_conversation = Conversation.__table__  # type: ignore[attr-defined]
_notice = Notice.__table__  # type: ignore[attr-defined]
_ticket = Ticket.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_ROW = select(*(_notice.c[name] for name in NoticeRow._fields))


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Keep a notice."""
    session.connection().execute(_notice.insert(), [row])


def quoted(session: Session, staff_id: int, identity_id: int, message_id: str, since: datetime) -> NoticeRow | None:
    """The notice that the channel's message `message_id` carried to this chat of theirs, told after `since`."""
    statement = _ROW.join(_outbox, _outbox.c.id == _notice.c.outbox_id).where(
        _notice.c.staff_id == staff_id,
        _notice.c.id >= id_at(since),
        _outbox.c.identity_id == identity_id,
        _outbox.c.message_id == message_id,
    )
    row = session.connection().execute(statement.order_by(_notice.c.id.desc()).limit(1)).first()
    return NoticeRow._make(row) if row else None


def held(session: Session, staff_id: int, most: int) -> list[NoticeRow]:
    """What this member of staff could not be told yet, oldest first."""
    open_one = (stands(_notice.c.state, QUEUED, HELD), stands(_notice.c.state, HELD))
    statement = _ROW.where(*open_one, _notice.c.staff_id == staff_id).order_by(_notice.c.id)
    return [NoticeRow._make(row) for row in session.connection().execute(statement.limit(most))]


def count_held(session: Session, staff_id: int) -> int:
    """How many there are of those."""
    open_one = (stands(_notice.c.state, QUEUED, HELD), stands(_notice.c.state, HELD))
    statement = select(func.count()).select_from(_notice).where(*open_one, _notice.c.staff_id == staff_id)
    return int(session.connection().execute(statement).scalar_one())


class Ended(NamedTuple):
    """A notice whose message came to an end, and how."""

    id: int
    outbox_id: int
    message_state: str


def ended(session: Session, most: int) -> list[Ended]:
    """Notices that are still queued whose message came to an end, oldest first.

    One whose end is unknown even after it was sent once more has come to one.
    """
    is_lost = and_(_outbox.c.state == UNKNOWN, _outbox.c.resent.is_(True))
    statement = (
        select(_notice.c.id, _outbox.c.id, _outbox.c.state)
        .join(_outbox, _outbox.c.id == _notice.c.outbox_id)
        .where(
            stands(_notice.c.state, QUEUED, HELD),
            stands(_notice.c.state, QUEUED),
            or_(_outbox.c.state.in_((SENT, DEAD, WITHDRAWN)), is_lost),
        )
        .order_by(_notice.c.id)
        .limit(most)
    )
    return [Ended._make(row) for row in session.connection().execute(statement)]


def states(
    session: Session, conversation_ids: Collection[int], kind: str, since: datetime
) -> list[tuple[int, datetime, str]]:
    """How the notices of this kind stand that were made since then: conversation, when made, state."""
    statement = select(_notice.c.conversation_id, _notice.c.created_at, _notice.c.state).where(
        _notice.c.conversation_id.in_(conversation_ids), _notice.c.kind == kind, _notice.c.created_at >= since
    )
    return [(row[0], row[1], row[2]) for row in session.connection().execute(statement)]


def needless(session: Session, kind: str, most: int) -> list[tuple[int, int | None]]:
    """Notices of this kind that nobody was told yet and nobody needs any more, with the message that carries each:

    Nobody waits in their conversation now, or only since later.
    """
    statement = (
        select(_notice.c.id, _notice.c.outbox_id)
        .join(_conversation, _conversation.c.id == _notice.c.conversation_id)
        .where(
            stands(_notice.c.state, QUEUED, HELD), _notice.c.kind == kind,
            or_(_conversation.c.waiting_since.is_(None), _conversation.c.waiting_since > _notice.c.created_at),
        )
        .order_by(_notice.c.id)
        .limit(most)
    )  # fmt: skip
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


def settled(session: Session, kind: str, most: int) -> list[tuple[int, int | None]]:
    """Notices of this kind that nobody was told yet, about tickets that wait for nobody of us now; likewise."""
    statement = (
        select(_notice.c.id, _notice.c.outbox_id)
        .join(_ticket, _ticket.c.id == _notice.c.ticket_id)
        .where(stands(_notice.c.state, QUEUED, HELD), _notice.c.kind == kind, _ticket.c.state != OPEN)
        .order_by(_notice.c.id)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


def passed_by(session: Session, kinds: Collection[str], most: int) -> list[tuple[int, int | None]]:
    """Notices of these kinds that nobody was told yet, of conversations that were closed since or are another's now;
    likewise."""
    taken = and_(_conversation.c.assigned_to.is_not(None), _conversation.c.assigned_to != _notice.c.staff_id)
    statement = (
        select(_notice.c.id, _notice.c.outbox_id)
        .join(_conversation, _conversation.c.id == _notice.c.conversation_id)
        .where(
            stands(_notice.c.state, QUEUED, HELD), _notice.c.kind.in_(kinds),
            or_(_conversation.c.closed_at > _notice.c.created_at, taken),
        )
        .order_by(_notice.c.id)
        .limit(most)
    )  # fmt: skip
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


def supersede(session: Session, kind: str) -> None:
    """Of the held notices of this kind to one member of staff about one conversation only the last is needed."""
    later = _notice.alias()
    is_followed = (
        select(later.c.id)
        .where(
            later.c.state == HELD, later.c.kind == kind, later.c.staff_id == _notice.c.staff_id,
            later.c.conversation_id == _notice.c.conversation_id, later.c.id > _notice.c.id,
        )
        .exists()
    )  # fmt: skip
    held = (stands(_notice.c.state, QUEUED, HELD), stands(_notice.c.state, HELD), _notice.c.kind == kind)
    session.connection().execute(update(_notice).where(*held, is_followed).values(state=VOID))


def change(session: Session, notice_ids: Sequence[int], **values: object) -> None:
    """Set columns of these notices."""
    if not notice_ids:
        return
    session.connection().execute(update(_notice).where(_notice.c.id.in_(notice_ids)).values(**values))


def set_aside(session: Session, outbox_ids: Sequence[int]) -> None:
    """Given-up messages whose notices are held need no person any more."""
    if outbox_ids:
        mine = (_outbox.c.id.in_(outbox_ids), stands(_outbox.c.state, DEAD))
        session.connection().execute(update(_outbox).where(*mine).values(state=WITHDRAWN))
