"""The transcript: every line that was said between an identity and the brand, and how it fared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, Select, and_, delete, exists, func, literal_column, or_, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, moment
from storage.hot import inserting
from storage.outbox import SENT, OutboxMessage


class TranscriptMessage(SQLModel, table=True):
    """One line of a conversation; `message_id` is the channel's own id of it, `reaction` the customer's on it.

    A line that goes out through us has the id of its outbox row, which knows how it went and the channel's id.
    """

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_conversation", "conversation_id", "id"),)

    id: int = given_id()
    conversation_id: int = Field(foreign_key="conversation.id", sa_type=BigInt)
    author: str = Field(max_length=16)
    text: str = ""
    media: str = ""
    message_id: str = ""
    reply_to: str = ""
    at: datetime = moment()
    edited_at: datetime | None = moment(nullable=True)
    revision: int = 0
    unsent_at: datetime | None = moment(nullable=True)
    delivered_at: datetime | None = moment(nullable=True)
    seen_at: datetime | None = moment(nullable=True)
    reaction: str = Field(max_length=64, sa_column_kwargs={"server_default": ""})


_message = TranscriptMessage.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_ADD = inserting(
    _message, ("id", "conversation_id", "author", "text", "media", "message_id", "reply_to", "at", "revision")
)


class NewLine(NamedTuple):
    """A line that the bot says of its own accord."""

    id: int
    conversation_id: int
    text: str
    media: str
    at: datetime


_ADD_SAID = inserting(
    _message,
    NewLine._fields,
    alike={
        "author": literal_column("'bot'"), "message_id": literal_column("''"), "reply_to": literal_column("''"),
        "revision": literal_column("0"),
    },
)  # fmt: skip


def add_messages(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write transcript lines."""
    _ADD.run(session.connection(), rows)


def add_said(session: Session, rows: Sequence[NewLine]) -> None:
    """Write lines that the bot says of its own accord."""
    _ADD_SAID.run(session.connection(), rows)


def remove(session: Session, line_id: int) -> None:
    """Take back a line of ours that was surely not said."""
    session.connection().execute(delete(_message).where(_message.c.id == line_id))


def edit(session: Session, conversation_id: int, message_id: str, words: str, revision: int, at: datetime) -> bool:
    """Put new words on a line, unless a later edit stands there or it was unsent; False where nothing changed."""
    statement = (
        update(_message)
        .where(
            _message.c.message_id == message_id,
            _message.c.conversation_id == conversation_id,
            _message.c.revision < revision,
            _message.c.unsent_at.is_(None),
        )
        .values(text=words, revision=revision, edited_at=at)
    )
    return session.connection().execute(statement).rowcount > 0


def unsend(session: Session, conversation_id: int, message_id: str, at: datetime) -> bool:
    """Take a line's words and media away for good; False where the line is not known."""
    statement = (
        update(_message)
        .where(_message.c.message_id == message_id, _message.c.conversation_id == conversation_id)
        .values(text="", media="", unsent_at=at)
    )
    return session.connection().execute(statement).rowcount > 0


def react(session: Session, conversation_id: int, message_id: str, reaction: str) -> bool:
    """Put the customer's reaction on a line, or take it off (""); False where the line is not known."""
    said = (_message.c.conversation_id == conversation_id, _message.c.message_id == message_id)
    ours = _message.c.id.in_(_named(conversation_id, [message_id]))
    statement = update(_message).where(_message.c.conversation_id == conversation_id, or_(and_(*said), ours))
    return session.connection().execute(statement.values(reaction=reaction[:64])).rowcount > 0


def mark(
    session: Session, conversation_id: int, column: str, at: datetime, message_ids: Sequence[str], upto: datetime | None
) -> list[int]:
    """Note when our lines were delivered (`delivered_at`) or read (`seen_at`): those named, or all up to a moment.

    What has not been sent yet, or never will be, is neither. The ids of the lines for which that is news.
    """
    named = _message.c.id.in_(_named(conversation_id, message_ids))
    unsent = exists().where(_outbox.c.id == _message.c.id, _outbox.c.state != SENT)
    statement = update(_message).where(
        _message.c.conversation_id == conversation_id,
        _message.c[column].is_(None),
        _message.c.author != "customer",
        named if message_ids else and_(_message.c.at <= upto, ~unsent),
    )
    news = statement.values({column: at}).returning(_message.c.id)
    return list(session.connection().execute(news).scalars())


def _named(conversation_id: int, message_ids: Sequence[str]) -> Select[tuple[int]]:
    """Lines of ours that the channel calls so; a conversation's lines are few, so no index of all names is kept."""
    return (
        select(_message.c.id)
        .join(_outbox, _outbox.c.id == _message.c.id)
        .where(_message.c.conversation_id == conversation_id, _outbox.c.message_id.in_(message_ids))
    )


def is_ours(session: Session, conversation_id: int, message_id: str) -> bool:
    """Whether we sent the message that the channel calls so in this conversation."""
    return session.connection().execute(_named(conversation_id, [message_id]).limit(1)).first() is not None


class Line(NamedTuple):
    """One line as it is shown; `state` is the outbox's word on a line of ours, "" on any other."""

    id: int
    author: str
    text: str
    media: str
    state: str
    message_id: str
    at: datetime
    edited_at: datetime | None
    unsent_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    reaction: str


_LINES = select(
    _message.c.id,
    _message.c.author,
    _message.c.text,
    _message.c.media,
    func.coalesce(_outbox.c.state, ""),
    func.coalesce(_outbox.c.message_id, _message.c.message_id),
    *(_message.c[name] for name in ("at", "edited_at", "unsent_at", "delivered_at", "seen_at", "reaction")),
).outerjoin(_outbox, _outbox.c.id == _message.c.id)


class Said(NamedTuple):
    """The brand's last line: its author, the whole message where it went out through us (else ""), when, its words."""

    author: str
    body: str
    at: datetime
    text: str


def last_of_brand(session: Session, conversation_id: int) -> Said | None:
    """What the brand said last in a conversation."""
    statement = select(_message.c.author, func.coalesce(_outbox.c.body, ""), _message.c.at, _message.c.text)
    statement = statement.outerjoin(_outbox, _outbox.c.id == _message.c.id).where(
        _message.c.conversation_id == conversation_id, _message.c.author != "customer"
    )
    row = session.connection().execute(statement.order_by(_message.c.id.desc()).limit(1)).first()
    return Said._make(row) if row else None


def count_said(session: Session, conversation_id: int, since: datetime) -> int:
    """How many lines a customer wrote from then on."""
    statement = select(func.count()).where(
        _message.c.conversation_id == conversation_id, _message.c.author == "customer", _message.c.at >= since
    )
    return int(session.connection().execute(statement).scalar_one())


def latest(session: Session, conversation_id: int, most: int = 50) -> list[Line]:
    """The last lines, oldest of them first."""
    statement = _LINES.where(_message.c.conversation_id == conversation_id).order_by(_message.c.id.desc())
    rows = session.connection().execute(statement.limit(most)).all()
    return [Line._make(row) for row in reversed(rows)]
