"""What a database shows of its own condition: its clock, its newest event."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlmodel import Session

from storage.inbox import InboxEvent

_inbox = InboxEvent.__table__  # type: ignore[attr-defined]


def clock(session: Session) -> datetime | None:
    """The time of PostgreSQL's computer; None on SQLite, which has no other clock than ours."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    return cast("datetime", session.connection().exec_driver_sql("SELECT clock_timestamp()").scalar_one())


def newest_event(session: Session) -> datetime | None:
    """When the newest event was received, by the clock of that moment."""
    statement = select(func.max(_inbox.c.received_at))
    return cast("datetime | None", session.connection().execute(statement).scalar_one())
