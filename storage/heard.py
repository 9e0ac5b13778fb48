"""Which kinds of events each account ever delivered, and when the first of each came: tells which are turned off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment

Kind = tuple[str, str, str]
"""A channel, the id of an OA or Page on it, and the name of a kind of event."""


class HeardRow(SQLModel, table=True):
    """A kind of event that came from an account at least once."""

    __tablename__ = "heard"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(primary_key=True, max_length=32)
    first_at: datetime = moment()


_heard = HeardRow.__table__  # type: ignore[attr-defined]


def note(session: Session, kinds: Iterable[Kind], now: datetime) -> None:
    """Remember these kinds; those that are known already stay as they are."""
    rows = [
        {"channel": channel, "account_id": account_id, "kind": kind, "first_at": now}
        for channel, account_id, kind in sorted(kinds)
    ]
    if rows:
        statement = insert(session.get_bind().dialect.name, _heard)
        statement = statement.on_conflict_do_nothing(index_elements=["channel", "account_id", "kind"])
        session.connection().execute(statement, rows)


class Heard(NamedTuple):
    """What came from one account: the kinds, and when the first of them came."""

    kinds: frozenset[str]
    since: datetime


def everything(session: Session) -> Mapping[tuple[str, str], Heard]:
    """What came, for each channel and account that ever delivered something."""
    found: dict[tuple[str, str], Heard] = {}
    for channel, account_id, kind, at in session.connection().execute(select(*_heard.c)):
        before = found.get((channel, account_id), Heard(frozenset(), at))
        found[channel, account_id] = Heard(before.kinds | {kind}, min(before.since, at))
    return found
