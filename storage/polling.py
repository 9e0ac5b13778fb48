"""Who asks a platform for what happened on an account: one process at a time, under a lease that it renews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import Field, Session

from storage.columns import NEVER, insert, moment
from storage.doors import Key
from storage.queue import Leased


class PollRow(Leased, table=True):
    """One account that is asked. The platform last answered at `answered_at`, and last told something at `heard_at`."""

    __tablename__ = "poll"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    answered_at: datetime | None = moment(nullable=True)
    heard_at: datetime | None = moment(nullable=True)


class Poll(NamedTuple):
    """An account that is or was asked, as it was read."""

    channel: str
    account_id: str
    lease_owner: str
    lease_until: datetime
    answered_at: datetime | None
    heard_at: datetime | None


_poll = PollRow.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_poll.c[name] for name in Poll._fields))


def everyone(session: Session) -> list[Poll]:
    """All accounts that were ever asked."""
    rows = session.connection().execute(_VIEW.order_by(_poll.c.channel, _poll.c.account_id))
    return [Poll._make(row) for row in rows]


def is_free(session: Session, key: Key, owner: str, now: datetime) -> bool:
    """Whether this process asks, or may begin to."""
    row = session.connection().execute(_VIEW.where(*_of(key))).first()
    poll = Poll._make(row) if row else None
    return poll is None or poll.lease_owner == owner or poll.lease_until < now


def take(session: Session, key: Key, owner: str, now: datetime, until: datetime, seen: Mapping[str, datetime]) -> bool:
    """Be the one who asks until then, again or from now on; False where another process is. `seen` are columns."""
    channel, account_id = key
    new = insert(session.get_bind().dialect.name, _poll).values(
        channel=channel, account_id=account_id, lease_owner="", lease_until=NEVER, lease_token=0
    )
    session.connection().execute(new.on_conflict_do_nothing(index_elements=["channel", "account_id"]))
    free = or_(_poll.c.lease_owner == owner, _poll.c.lease_until < now)
    values = {"lease_owner": owner, "lease_until": until, "lease_token": _poll.c.lease_token + 1, **seen}
    return session.connection().execute(update(_poll).where(*_of(key), free).values(**values)).rowcount == 1


def give_back(session: Session, key: Key, owner: str, seen: Mapping[str, datetime]) -> None:
    """Ask no more; another may at once."""
    statement = update(_poll).where(*_of(key), _poll.c.lease_owner == owner)
    session.connection().execute(statement.values(lease_owner="", lease_until=NEVER, **seen))


def _of(key: Key) -> tuple[ColumnElement[bool], ...]:
    return _poll.c.channel == key[0], _poll.c.account_id == key[1]
