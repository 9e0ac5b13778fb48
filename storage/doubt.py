"""Messages out whose outcome is in doubt: those of senders that went away, those that an echo or a look may settle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, case, literal, or_, select, text, update
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from storage import recipients
from storage.backup import STOPPED
from storage.columns import NEVER
from storage.outbox import SENDING, UNKNOWN, OutboxMessage
from storage.queue import WAITING, stands

_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]


def sweep(session: Session, now: datetime, look_at: Mapping[str, datetime], owner: str | None = None) -> int:
    """Messages whose sender went away become unknown; with `owner`, those of every other sender at once.

    `look_at` says by purpose when they are looked into: an echo may still settle them until then.
    """
    lost = _outbox.c.lease_until < now if owner is None else _outbox.c.lease_owner != owner
    in_doubt = stands(_outbox.c.state, SENDING, UNKNOWN)
    found = select(_outbox.c.id).where(in_doubt, stands(_outbox.c.state, SENDING), lost).order_by(_outbox.c.id)
    statement = update(_outbox).where(_outbox.c.id.in_(found.with_for_update(skip_locked=True)))
    moments = {purpose: literal(at, _outbox.c.ready_at.type) for purpose, at in look_at.items()}
    ready_at = case(moments, value=_outbox.c.purpose, else_=literal(now, _outbox.c.ready_at.type))
    values = {"state": UNKNOWN, "ready_at": ready_at, "lease_until": NEVER, "error": "the sender went away"}
    lost_ids = session.connection().execute(statement.values(**values).returning(_outbox.c.id)).scalars().all()
    if lost_ids:
        recipients.in_doubt(session, lost_ids)
    return len(lost_ids)


def restored(session: Session, now: datetime) -> int:
    """The same as `storage.backup.doubt`, for a database that other tools put in place; how many messages."""
    due = (stands(_outbox.c.state, WAITING), or_(_outbox.c.ready_at <= now, _outbox.c.error != ""))
    statement = update(_outbox).where(*due).values(state=SENDING, lease_owner="before the restore", lease_until=NEVER)
    for other in map(text, STOPPED):
        dated = other.bindparams(bindparam("now", now, UTCDateTime())) if ":now" in other.text else other
        session.connection().execute(dated)
    return session.connection().execute(statement).rowcount


class Unsettled(NamedTuple):
    """A message that the platform may have taken."""

    id: int
    identity_id: int
    channel: str
    account_id: str
    user_id: str
    purpose: str
    body: str
    resent: bool
    lease_token: int
    ready_at: datetime
    created_at: datetime


def unsettled(session: Session, now: datetime, most: int) -> list[Unsettled]:
    """Messages of unknown outcome whose time to be looked into has come."""
    statement = (
        select(*(_outbox.c[name] for name in Unsettled._fields))
        .where(stands(_outbox.c.state, UNKNOWN), _outbox.c.ready_at <= now)
        .order_by(_outbox.c.ready_at)
    )
    return [Unsettled._make(row) for row in session.connection().execute(statement.limit(most))]


def in_doubt(session: Session, identity_id: int, since: datetime) -> list[tuple[int, str]]:
    """(id, body) of this person's messages that are out or unknown, oldest first: an echo may settle one."""
    statement = (
        select(_outbox.c.id, _outbox.c.body)
        .where(
            _outbox.c.identity_id == identity_id,
            stands(_outbox.c.state, SENDING, UNKNOWN),
            _outbox.c.created_at >= since,
        )
        .order_by(_outbox.c.id)
    )
    return [(row.id, row.body) for row in session.connection().execute(statement)]


class Tracked(NamedTuple):
    """Whom a message went to, and from which account."""

    identity_id: int
    channel: str
    account_id: str


def tracked(session: Session, outbox_id: int) -> Tracked | None:
    """Where a message went that a receipt names."""
    statement = select(*(_outbox.c[name] for name in Tracked._fields)).where(_outbox.c.id == outbox_id)
    row = session.connection().execute(statement).first()
    return Tracked._make(row) if row else None


def owner_of(session: Session, outbox_id: int) -> int | None:
    """The identity that a message goes to."""
    return (
        session.connection()
        .execute(select(_outbox.c.identity_id).where(_outbox.c.id == outbox_id))
        .scalar_one_or_none()
    )
