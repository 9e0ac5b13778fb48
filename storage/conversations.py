"""Conversations: who answers an identity now, what the bot waits for, how long somebody waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, or_, select, text
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, moment, reference
from storage.queue import set_rows, stands

BOT = "bot"
STAFF = "staff"
ELSEWHERE = "elsewhere"
"""Another app or the platform's own inbox holds it: nothing of ours can be said there."""
BLOCKED = "blocked"
"""Staff want to hear nothing of it: what is written is kept, and nobody answers."""
_HELD = text(f"holder IN ('{STAFF}', '{ELSEWHERE}')")
_ASSIGNED = text("assigned_to IS NOT NULL")
_SNOOZED = text("snoozed_until IS NOT NULL")


class Conversation(SQLModel, table=True):
    """One per identity, under the identity's id. `holder` answers now; `waiting_since` is the oldest unanswered ask.

    `assigned_to` looks after it; `answered_by` is who sent the last answer through us, at `answered_at`; None where
    nothing came of it. `closed_at` is when staff called it done: what the customer writes later opens it again.
    Put off at `snoozed_at`, it is in no list until `snoozed_until`, unless the customer writes before.
    `reason` tells why the customer waits, while they do. `away_until` is the end of the closed time of which they
    were told last.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        Index(
            "ix_conversation_waiting", "waiting_since",
            sqlite_where=text("waiting_since IS NOT NULL"), postgresql_where=text("waiting_since IS NOT NULL"),
        ),
        Index(
            "ix_conversation_held", "handed_over_at", sqlite_where=_HELD, postgresql_where=_HELD,
        ),
        Index("ix_conversation_assigned", "assigned_to", sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED),
        Index("ix_conversation_snoozed", "snoozed_until", sqlite_where=_SNOOZED, postgresql_where=_SNOOZED),
    )  # fmt: skip

    id: int = Field(
        primary_key=True, foreign_key="identity.id", sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    holder: str = Field(default=BOT, max_length=16)
    handed_over_at: datetime | None = moment(nullable=True)
    waiting_since: datetime | None = moment(nullable=True)
    last_staff_at: datetime | None = moment(nullable=True)
    misses: int = 0
    dialog: str = ""
    dialog_data: str = ""
    dialog_until: datetime | None = moment(nullable=True)
    minute: datetime | None = moment(nullable=True)
    minute_count: int = 0
    assigned_to: int | None = reference("staff.id", nullable=True)
    assigned_at: datetime | None = moment(nullable=True)
    answered_by: int | None = reference("staff.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    snoozed_at: datetime | None = moment(nullable=True)
    snoozed_until: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    away_until: datetime | None = moment(nullable=True)
    reason: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})


_conversation = Conversation.__table__  # type: ignore[attr-defined]


def set_conversations(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update conversations by `id`; all mappings hold the same keys."""
    set_rows(session.connection(), _conversation, rows)


class Standing(NamedTuple):
    """A conversation as it stands."""

    id: int
    holder: str
    handed_over_at: datetime | None
    waiting_since: datetime | None
    last_staff_at: datetime | None
    misses: int
    dialog: str
    dialog_data: str
    dialog_until: datetime | None
    minute: datetime | None
    minute_count: int
    away_until: datetime | None
    reason: str


_STANDING = select(*(_conversation.c[name] for name in Standing._fields))


def held(session: Session) -> list[Standing]:
    """The conversations that staff hold, here or elsewhere, or whose customer waits for them, the longest first."""
    statement = _STANDING.where(
        or_(stands(_conversation.c.holder, STAFF, ELSEWHERE), _conversation.c.waiting_since.is_not(None))
    ).order_by(_conversation.c.handed_over_at)
    return [Standing._make(row) for row in session.connection().execute(statement)]


def some(session: Session, ids: Collection[int]) -> list[Standing]:
    """These conversations, by id; those that are not there are left out."""
    statement = _STANDING.where(_conversation.c.id.in_(ids)).order_by(_conversation.c.id)
    return [Standing._make(row) for row in session.connection().execute(statement)]
