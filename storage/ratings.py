"""How content customers were with the end of their support requests, and why some were not asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, delete, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, reference
from storage.queue import stands

PLANNED = "planned"
_PLANNED = text(f"state = '{PLANNED}'")
_ALERTED = text("alert_at IS NOT NULL")


class Rating(SQLModel, table=True):
    """One per ticket: `planned`, `asked`, `given`, or `skipped` with the reason.

    `look_at` is when a planned one is looked at next; `alert_at` is set as long as a lead is to be told of it.
    """

    __tablename__ = "rating"
    __table_args__ = (
        Index("ix_rating_look_at", "look_at", sqlite_where=_PLANNED, postgresql_where=_PLANNED),
        Index("ix_rating_given_at", "given_at"),
        Index("ix_rating_alert_at", "alert_at", sqlite_where=_ALERTED, postgresql_where=_ALERTED),
    )

    ticket_id: int = Field(
        primary_key=True, foreign_key="ticket.id", sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    conversation_id: int = reference("conversation.id", index=True)
    state: str = Field(default=PLANNED, max_length=16)
    reason: str = Field(default="", max_length=32)
    closed_at: datetime = moment()
    look_at: datetime = moment()
    asked_at: datetime | None = moment(nullable=True)
    score: int | None = None
    comment: str = ""
    given_at: datetime | None = moment(nullable=True)
    alert_at: datetime | None = moment(nullable=True)


class RatingRow(NamedTuple):
    """A rating as read."""

    ticket_id: int
    conversation_id: int
    state: str
    reason: str
    closed_at: datetime
    look_at: datetime
    asked_at: datetime | None
    score: int | None
    comment: str
    given_at: datetime | None
    alert_at: datetime | None


_rating = Rating.__table__  # type: ignore[attr-defined]
_ROW = select(*(_rating.c[name] for name in RatingRow._fields))


def plan(session: Session, ticket_id: int, conversation_id: int, now: datetime) -> None:
    """Let this customer be asked; one that was asked, or not, for this ticket before, is not again."""
    row = {
        "ticket_id": ticket_id, "conversation_id": conversation_id, "state": PLANNED, "reason": "", "closed_at": now,
        "look_at": now, "comment": "",
    }  # fmt: skip
    statement = insert(session.get_bind().dialect.name, _rating).values(**row)
    session.connection().execute(statement.on_conflict_do_nothing(index_elements=["ticket_id"]))


def unplan(session: Session, ticket_id: int) -> None:
    """Ask nothing of a ticket that goes on; what was asked already stays."""
    session.connection().execute(
        delete(_rating).where(_rating.c.ticket_id == ticket_id, stands(_rating.c.state, PLANNED))
    )


def planned(session: Session, now: datetime, most: int) -> list[RatingRow]:
    """Those that are to be looked at by now."""
    statement = _ROW.where(stands(_rating.c.state, PLANNED), _rating.c.look_at <= now)
    statement = statement.order_by(_rating.c.look_at, _rating.c.ticket_id).limit(most)
    return [RatingRow._make(row) for row in session.connection().execute(statement)]


def find(session: Session, ticket_id: int) -> RatingRow | None:
    """A ticket's rating."""
    row = session.connection().execute(_ROW.where(_rating.c.ticket_id == ticket_id)).first()
    return RatingRow._make(row) if row else None


def change(session: Session, ticket_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a rating."""
    session.connection().execute(update(_rating).where(_rating.c.ticket_id == ticket_id).values(**values))


def alerts(session: Session, most: int) -> list[RatingRow]:
    """The low ones of which a lead is still to be told, oldest first."""
    statement = _ROW.where(_rating.c.alert_at.is_not(None)).order_by(_rating.c.alert_at).limit(most)
    return [RatingRow._make(row) for row in session.connection().execute(statement)]
