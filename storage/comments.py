"""Public comments that get a private answer: each is written down once, and answered once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, delete, func, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.accounts import AccountRow
from storage.columns import insert, moment
from storage.queue import WAITING

ANSWERED = "answered"
GIVEN_UP = "given_up"


class Comment(SQLModel, table=True):
    """A comment, by its id at the platform. `author_id` is no messaging id; one person gets one answer under a post."""

    __tablename__ = "comment"
    __table_args__ = (
        Index(
            "uq_comment_author", "channel", "account_id", "post_id", "author_id", unique=True,
            sqlite_where=text("author_id <> ''"), postgresql_where=text("author_id <> ''"),
        ),
        Index("ix_comment_due", "channel", "account_id", "due_at"),
        Index("ix_comment_at", "at"),
    )  # fmt: skip

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    comment_id: str = Field(primary_key=True, max_length=64)
    post_id: str = Field(max_length=64)
    author_id: str = Field(max_length=64)
    state: str = Field(default=WAITING, max_length=16)
    error: str = ""
    at: datetime = moment()
    due_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class Waiting(NamedTuple):
    """A comment that is to be answered, when it was written, and with which words; "" where no longer with any."""

    at: datetime
    words: str


class Totals(NamedTuple):
    """How many comments of an account stand where, of those that are still kept."""

    waiting: int
    answered: int
    given_up: int
    last_error: str


_comment: Any = Comment.__table__  # type: ignore[attr-defined]
_account: Any = AccountRow.__table__  # type: ignore[attr-defined]


def words_for(session: Session, channel: str, account_id: str) -> str:
    """What comments on this account are answered with; "" where they are not."""
    statement = select(_account.c.comment_reply).where(
        _account.c.channel == channel, _account.c.account_id == account_id
    )
    return session.connection().execute(statement).scalar() or ""


def last_due(session: Session, channel: str, account_id: str) -> datetime | None:
    """When the last of an account's comments is or was to be answered."""
    found: datetime | None = (
        session.connection()
        .execute(
            select(func.max(_comment.c.due_at)).where(
                _comment.c.channel == channel, _comment.c.account_id == account_id
            )
        )
        .scalar_one()
    )
    return found


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Write a comment down; False where it, or another of this person under the same post, is there already."""
    statement = insert(session.get_bind().dialect.name, _comment).values(state=WAITING, error="", **row)
    added = session.connection().execute(statement.on_conflict_do_nothing().returning(_comment.c.comment_id))
    return added.first() is not None


def waiting(session: Session, channel: str, account_id: str, comment_id: str) -> Waiting | None:
    """A comment that is still to be answered."""
    statement = select(_comment.c.at).where(*_this(channel, account_id, comment_id), _comment.c.state == WAITING)
    at = session.connection().execute(statement).scalar()
    return Waiting(at, words_for(session, channel, account_id)) if at else None


def end(
    session: Session, channel: str, account_id: str, comment_id: str, state: str, error: str, now: datetime
) -> None:
    """A comment was answered, or given up and why."""
    values = {"state": state, "error": error[:500], "ended_at": now}
    session.connection().execute(update(_comment).where(*_this(channel, account_id, comment_id)).values(**values))


def totals(session: Session, channel: str, account_id: str) -> Totals:
    """How the comments of an account stand."""
    mine = (_comment.c.channel == channel, _comment.c.account_id == account_id)
    run = session.connection().execute
    grouped = select(_comment.c.state, func.count()).where(*mine).group_by(_comment.c.state)
    counted = {row[0]: int(row[1]) for row in run(grouped)}
    failed = select(_comment.c.error).where(*mine, _comment.c.state == GIVEN_UP).order_by(_comment.c.ended_at.desc())
    error = run(failed.limit(1)).scalar() or ""
    return Totals(counted.get(WAITING, 0), counted.get(ANSWERED, 0), counted.get(GIVEN_UP, 0), error)


def purge(session: Session, before: datetime, most: int) -> int:
    """Forget up to `most` comments that were written before then; how many it were."""
    old = select(_comment.c.comment_id).where(_comment.c.at < before).limit(most)
    statement = delete(_comment).where(_comment.c.at < before, _comment.c.comment_id.in_(old))
    return session.connection().execute(statement).rowcount


def _this(channel: str, account_id: str, comment_id: str) -> tuple[Any, ...]:
    return (
        _comment.c.channel == channel,
        _comment.c.account_id == account_id,
        _comment.c.comment_id == comment_id,
    )
