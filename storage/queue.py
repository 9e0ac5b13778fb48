"""What every durable queue shares: lease with a token, done, retry, snooze, dead, sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, literal_column, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import NEVER, moment
from storage.hot import Hot, updating

WAITING = "waiting"
DONE = "done"
DEAD = "dead"

MAX_ATTEMPTS = 8
MAX_DELAY = timedelta(hours=1)


class Leased(SQLModel):
    """A row that one worker holds at a time. `lease_token` grows with every lease, so that a late worker is noticed."""

    lease_owner: str = ""
    lease_until: datetime = moment()
    lease_token: int = 0


class QueueRow(SQLModel):
    """A row that waits until `ready_at` and ends done or dead. `attempts` counts tries that failed."""

    state: str = Field(default=WAITING, max_length=16)
    ready_at: datetime = moment()
    attempts: int = 0
    error: str = ""


def stands(column: ColumnElement[str], *states: str) -> ColumnElement[bool]:
    """Whether a state is one of these; written out in the statement, since SQLite's partial indexes need to see it."""
    written: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in states]
    return column == written[0] if len(written) == 1 else column.in_(written)


class Replayed(NamedTuple):
    """What came of a replay: these rows wait again, those stay given up."""

    again: list[int]
    kept: list[int]


def dead_ids(session: Session, queue: type[QueueRow], after_id: int, most: int) -> list[int]:
    """Rows with an id above `after_id` that were given up, by id."""
    table: Table = queue.__table__  # type: ignore[attr-defined]
    statement = select(table.c.id).where(stands(table.c.state, DEAD), table.c.id > after_id).order_by(table.c.id)
    return list(session.connection().execute(statement.limit(most)).scalars())


def dead_among(session: Session, table: Table, ids: Sequence[int]) -> list[int]:
    """Those of these rows that are given up, by id."""
    statement = select(table.c.id).where(table.c.id.in_(ids), stands(table.c.state, DEAD)).order_by(table.c.id)
    return list(session.connection().execute(statement).scalars())


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: 1 s, 16 s, 81 s … (attempts to the fourth), an hour at most."""
    return min(timedelta(seconds=min(attempts, 100) ** 4), MAX_DELAY)


@cache
def _update_many(table: Table, keys: tuple[str, ...]) -> Hot:
    return updating(table, keys)


def set_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update many rows by `id` with one statement; all mappings hold the same keys."""
    if not rows:
        return
    hot = _update_many(table, tuple(key for key in rows[0] if key != "id"))
    hot.run(connection, sorted(rows, key=lambda row: row["id"]))


def free_leases(session: Session, leased: type[Leased], owner: str) -> None:
    """Free every lease that somebody else than `owner` holds: for the one process that works on a file."""
    table: Table = leased.__table__  # type: ignore[attr-defined]
    lost = update(table).where(table.c.lease_owner.not_in(("", owner)))
    session.connection().execute(lost.values(lease_owner="", lease_until=NEVER))
