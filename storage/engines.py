"""How connections are made: SQLite with a write-ahead log, PostgreSQL through psycopg; no query stands here."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

BUSY_S = 1.5
LONG_LOG_BYTES = 8 * 1024 * 1024
BY_INDEX = "".join(
    f" -c {setting}=off"
    for setting in ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit")
)
"""What writes on PostgreSQL finds its few rows by an index, whatever the engine believes of tables that were empty or
full a minute ago. A plain scan of an index also forgets the entries of dead rows, of which a queue leaves many; a
bitmap of them does not, and reads all that was ever sent until the next vacuum."""
IDLE_S = 30
"""PostgreSQL ends a writer's transaction in which nothing was asked for so long: its process stands still, and the
others wait for what it holds."""
SYNCHRONOUS = frozenset({"OFF", "NORMAL", "FULL", "EXTRA"})


class BadUrl(ValueError):
    """The DATABASE_URL names no database that this product runs on."""


def is_sqlite(url: str) -> bool:
    """Whether the URL is SQLite's; raises BadUrl where it is neither SQLite's nor PostgreSQL's."""
    name = make_url(url).get_backend_name()
    if name not in ("sqlite", "postgresql"):
        raise BadUrl(f"DATABASE_URL names {name!r}; use sqlite:///path or postgresql+psycopg://user:password@host/name")
    return name == "sqlite"


def sqlite_path(url: str) -> Path:
    """Where the SQLite file lives; raises BadUrl for a database in memory, which no second connection can see."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise BadUrl("DATABASE_URL must name a file: sqlite:///data/khachquen.db")
    return Path(name)


def writer(url: str, synchronous: str, patience_s: float = BUSY_S) -> Engine:
    """The engine that writes. On SQLite every transaction begins IMMEDIATE, so that it never fails half way.

    `patience_s` is how long it waits for another process that holds the SQLite file.
    """
    if not is_sqlite(url):
        return _postgresql(url, size=8, options=f"{BY_INDEX} -c idle_in_transaction_session_timeout={IDLE_S}s")
    if synchronous.upper() not in SYNCHRONOUS:
        raise BadUrl(f"SQLITE_SYNCHRONOUS is {synchronous!r}; use one of {', '.join(sorted(SYNCHRONOUS))}")
    return _sqlite(
        url,
        [
            "PRAGMA journal_mode=WAL",
            f"PRAGMA synchronous={synchronous.upper()}",
            "PRAGMA foreign_keys=ON",
            "PRAGMA wal_autocheckpoint=0",
            "PRAGMA cache_size=-4000",
            "PRAGMA temp_store=MEMORY",
        ],
        "BEGIN IMMEDIATE",
        patience_s,
    )


def reader(url: str, size: int) -> Engine:
    """The engine that only reads."""
    if not is_sqlite(url):
        return _postgresql(url, size=size, options="-c default_transaction_read_only=on")
    return _sqlite(url, ["PRAGMA query_only=ON", "PRAGMA cache_size=-2000"], "BEGIN", BUSY_S)


def _sqlite(url: str, pragmas: list[str], begin: str, patience_s: float) -> Engine:
    sqlite_path(url)
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=5,
        connect_args={"check_same_thread": False, "timeout": patience_s, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        execute(connection, begin)

    return engine


def _postgresql(url: str, *, size: int, options: str = "") -> Engine:
    full = make_url(url).set(drivername="postgresql+psycopg")
    arguments = {"options": f"{options} -c lock_timeout=3000 -c timezone=UTC".strip(), "connect_timeout": 10}
    return create_engine(
        full, hide_parameters=True, pool_size=size, max_overflow=4, pool_pre_ping=True, connect_args=arguments
    )


def backends(engine: Engine) -> set[int]:
    """The ids of PostgreSQL's backends that serve an engine, kept up to date as connections come and go."""
    found: set[int] = set()

    @event.listens_for(engine, "connect")
    def opened(driver: Any, record: object) -> None:
        found.add(driver.info.backend_pid)

    @event.listens_for(engine, "close")
    def closed(driver: Any, record: object) -> None:
        found.discard(driver.info.backend_pid)

    return found


def log_bytes(url: str) -> int:
    """The size of SQLite's write-ahead log; 0 on PostgreSQL."""
    if not is_sqlite(url):
        return 0
    path = sqlite_path(url)
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def free_bytes(url: str) -> int | None:
    """The room on the disk of a SQLite file; None on PostgreSQL, whose disk is not ours to see."""
    return shutil.disk_usage(sqlite_path(url).parent).free if is_sqlite(url) else None


def checkpoint(url: str) -> bool:
    """Move SQLite's log into its file without holding anybody up; True where the log is so long that it should fold."""
    size = log_bytes(url)
    if size:
        with closing(sqlite3.connect(sqlite_path(url), timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return size > LONG_LOG_BYTES


def fold_log(connection: Connection) -> None:
    """Move what came into the log since, from the writer itself, so that the next write begins at the log's start.

    Writing over a log costs the disk less than letting it grow; done right after `checkpoint`, little is left to move.
    """
    execute(connection, "PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def execute(connection: Connection, text: str, values: Sequence[Any] = ()) -> Any:
    """One statement on the driver itself, in SQLAlchemy's transaction and with its errors: for what runs all the time.

    Placeholders are the engine's own: `?` on SQLite, `$1` on PostgreSQL. Returns the driver's cursor.
    """
    driver: Any = connection.connection.driver_connection
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        return (driver if connection.dialect.name == "sqlite" else dbapi.RawCursor(driver)).execute(text, values)
    except dbapi.Error as error:
        raise _wrapped(connection, text, error) from None


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """What is executed in this block shares round trips on PostgreSQL: only a fetch waits for its answer.

    Counts of rows are not known inside. What a statement did wrong may be raised at the block's end.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        with driver.pipeline():
            yield
    except dbapi.Error as error:
        raise _wrapped(connection, "a pipeline", error) from None


def _wrapped(connection: Connection, text: str, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy raises it, without the values."""
    base = connection.dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, base, hide_parameters=True, dialect=connection.dialect)
