"""What a SQLite file holds, in figures: rows of every table, and a digest of what each customer's points come to."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' "
    "AND name <> 'alembic_version' ORDER BY name"
)
_BALANCES = "SELECT customer_id, sum(points) FROM ledger_entry {} GROUP BY customer_id ORDER BY customer_id"
_HAS_CURRENCIES = "SELECT 1 FROM pragma_table_info('ledger_entry') WHERE name = 'currency'"


@dataclass(frozen=True, slots=True)
class Census:
    """Two files with equal figures hold as many rows, and the same points for the same customers.

    `holders` counts the customers with entries, `points` is the sum of all, `ledger` stands for every single balance.
    """

    revision: str
    tables: dict[str, int]
    holders: int
    points: int
    ledger: str


def taken(connection: sqlite3.Connection) -> Census:
    """The figures of this moment, whatever revision the file is at; inside of a transaction they are of one moment."""
    names = [name for (name,) in connection.execute(_TABLES)]
    tables = {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}
    digest, holders, points = hashlib.sha256(), 0, 0
    for customer, balance in _balances(connection) if "ledger_entry" in tables else ():
        digest.update(f"{customer}:{balance}\n".encode())
        holders, points = holders + 1, points + balance
    return Census(_revision(connection), tables, holders, points, digest.hexdigest())


def _balances(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Points that can be spent; before there were currencies, all of them could."""
    among = "WHERE currency = 'spend'" if connection.execute(_HAS_CURRENCIES).fetchone() else ""
    return connection.execute(_BALANCES.format(among))


def _revision(connection: sqlite3.Connection) -> str:
    """ "" where the file has no schema of ours."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else ""
