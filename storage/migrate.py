"""Brings a database to the schema of this version: one transaction, a copy first, nothing half done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlmodel import Session

from storage import engines

_LOCK = 7_114_000
_PATIENCE_S = 60
"""How long an upgrade waits for another one that began a moment before."""
_HERE = Path(__file__).resolve().parent / "migrations"


class NewerSchema(RuntimeError):
    """The database was written by a newer version of this product; install that one."""


class BrokenReferences(RuntimeError):
    """A migration left rows that point nowhere; it was undone."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did. `copy` is the file kept from before; None where there was nothing to keep."""

    before: str | None
    after: str
    copy: Path | None


def head() -> str:
    """The revision that this version of the product works with."""
    return max(_revisions())


def current(connection: Connection) -> str | None:
    """The revision of the database; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def fits(session: Session) -> bool:
    """Whether the schema is the one that this process was started with."""
    return current(session.connection()) == _head_at_start()


@cache
def _head_at_start() -> str:
    return head()


def is_pending(url: str) -> bool:
    """Whether the database is not at this version's schema."""
    return revision(url) != head()


def revision(url: str) -> str | None:
    """The revision of the database; None where it is empty or not there."""
    if engines.is_sqlite(url) and not engines.sqlite_path(url).exists():
        return None
    engine = engines.reader(url, 1)
    try:
        with engine.connect() as connection:
            return current(connection)
    finally:
        engine.dispose()


def knows(revision: str) -> bool:
    """Whether this version can bring a database of that revision to its own schema."""
    return revision in _revisions()


def upgrade(url: str, target: str = "head") -> Upgrade:
    """Upgrade in one transaction; on SQLite a copy of the file is kept first. Changes nothing where nothing is due."""
    engine = engines.writer(url, "FULL", _PATIENCE_S)
    try:
        sqlite = engines.is_sqlite(url)
        if sqlite:
            engines.sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
        with engine.connect() as connection:
            before = current(connection)
            connection.rollback()
            wanted = head() if target == "head" else target
            if before == wanted:
                return Upgrade(before, wanted, None)
            if before is not None and not knows(before):
                raise NewerSchema(
                    f"the database is at revision {before}, which this version does not know: install the newer version"
                )
            copy = _copy(url, before) if sqlite and before is not None else None
            if sqlite:
                _upgrade_sqlite(connection, target)
            else:
                with connection.begin():
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_S}s'")
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                    _run(connection, target)
        return Upgrade(before, wanted, copy)
    finally:
        engine.dispose()


def _upgrade_sqlite(connection: Connection, target: str) -> None:
    """Foreign keys sleep while tables are rebuilt, and are all checked before the commit."""
    driver = _driver(connection)
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            _run(connection, target)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise BrokenReferences(f"{len(broken)} rows point nowhere, first in table {broken[0][0]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _copy(url: str, revision: str) -> Path:
    path = engines.sqlite_path(url)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    target = path.with_name(f"{path.stem}-before-{revision}-{stamp}{path.suffix}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
    return target


def _revisions() -> set[str]:
    return {path.name.partition("_")[0] for path in (_HERE / "versions").glob("[0-9]*_*.py")}


def _run(connection: Connection, target: str) -> None:
    """Imports Alembic here: a service has no use for it, and it takes a twelfth of a service's memory."""
    import_module("storage.migrations.run").upgrade(connection, _HERE, target)
