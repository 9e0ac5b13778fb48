"""Messages that wait for something else than their turn: a template, the next month's budget, a free conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session

from storage.outbox import SENDING, TOPIC, OutboxMessage
from storage.queue import WAITING, set_rows, stands
from storage.work import wake

_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]


class Hold(NamedTuple):
    """A message that waits for something else than its turn, and until when at the latest."""

    id: int
    reason: str
    until: datetime


def hold(session: Session, holds: Sequence[Hold]) -> None:
    """Let these messages wait, each for its reason."""
    rows = [{"id": each.id, "error": each.reason[:500], "ready_at": each.until} for each in holds]
    set_rows(session.connection(), _outbox, rows)


def _held(channel: str, account_id: str, reason: str) -> tuple[ColumnElement[bool], ...]:
    """What waits with an account for a reason that begins so."""
    theirs = (_outbox.c.channel == channel, _outbox.c.account_id == account_id)
    return (stands(_outbox.c.state, WAITING), *theirs, _outbox.c.error.startswith(reason, autoescape=True))


def is_held(session: Session, channel: str, account_id: str, reason: str) -> bool:
    """Whether any message of this account waits for a reason that begins so."""
    statement = select(_outbox.c.id).where(*_held(channel, account_id, reason)).limit(1)
    return session.connection().execute(statement).first() is not None


def release(session: Session, channel: str, account_id: str, reason: str, now: datetime) -> None:
    """What waits with this account for a reason that begins so is due now."""
    found = select(_outbox.c.id).where(*_held(channel, account_id, reason)).order_by(_outbox.c.id)
    mine = _outbox.c.id.in_(found.with_for_update(skip_locked=True))
    session.connection().execute(update(_outbox).where(mine).values(ready_at=now, error=""))
    wake(session, TOPIC)


def hurry_person(session: Session, identity_id: int, now: datetime) -> None:
    """What failed before and waits for this person is tried again now."""
    theirs = (_outbox.c.identity_id == identity_id, stands(_outbox.c.state, WAITING, SENDING))
    failed = (stands(_outbox.c.state, WAITING), _outbox.c.ready_at > now, _outbox.c.error != "")
    session.connection().execute(update(_outbox).where(*theirs, *failed).values(ready_at=now))
    wake(session, TOPIC)
