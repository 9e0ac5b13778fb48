"""When each account's door was open: the last beat of any process that answers webhooks, the last webhook heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment

Key = tuple[str, str]
"""A channel, and the id of an OA or Page on it."""


class DoorRow(SQLModel, table=True):
    """One account's door. It was open from `open_since` to `open_at`, and took its last webhook at `heard_at`."""

    __tablename__ = "door"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    open_since: datetime = moment()
    open_at: datetime = moment()
    heard_at: datetime | None = moment(nullable=True)


class Door(NamedTuple):
    """A door as it was read."""

    channel: str
    account_id: str
    open_since: datetime
    open_at: datetime
    heard_at: datetime | None


_door = DoorRow.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_door.c[name] for name in Door._fields))


def everyone(session: Session) -> list[Door]:
    """All doors that were ever open."""
    return [
        Door._make(row) for row in session.connection().execute(_VIEW.order_by(_door.c.channel, _door.c.account_id))
    ]


def opened(session: Session, keys: Iterable[Key], now: datetime, at_most: timedelta) -> dict[Key, datetime]:
    """These doors open now: those that nobody kept open for longer than `at_most`, with when they were last open.

    A door that was never open was not shut either.
    """
    before = {(row.channel, row.account_id): row for row in map(Door._make, _locked(session))}
    shut = {key: row.open_at for key, row in before.items() if now - row.open_at > at_most}
    rows = [
        {
            "channel": key[0], "account_id": key[1], "open_at": now,
            "open_since": now if key in shut or key not in before else before[key].open_since,
        }
        for key in sorted(keys)
    ]  # fmt: skip
    _keep(session, rows, "open_at", "open_since")
    return {key: at for key, at in shut.items() if key in set(keys)}


def beat(session: Session, keys: Iterable[Key], heard: Mapping[Key, datetime], now: datetime) -> None:
    """These doors are still open; of some of them a webhook was heard since the last beat."""
    for some, more in ((sorted(set(keys) - heard.keys()), False), (sorted(heard), True)):
        rows = [
            {"channel": key[0], "account_id": key[1], "open_since": now, "open_at": now}
            | ({"heard_at": heard[key]} if more else {})
            for key in some
        ]
        _keep(session, rows, "open_at", *(["heard_at"] if more else []))


def _locked(session: Session) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.connection().execute(_VIEW.with_for_update())]


def _keep(session: Session, rows: list[dict[str, object]], *columns: str) -> None:
    if rows:
        statement = insert(session.get_bind().dialect.name, _door)
        new = {name: statement.excluded[name] for name in columns}
        statement = statement.on_conflict_do_update(index_elements=["channel", "account_id"], set_=new)
        session.connection().execute(statement, rows)
