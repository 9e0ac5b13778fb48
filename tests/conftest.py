"""Databases to test on: SQLite and a real PostgreSQL, empty for each test; and a clock to move."""

from __future__ import annotations

import shutil
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from hypothesis import settings
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlmodel import Session

import main
from storage import engines, migrate
from storage.database import Database
from tests import forked
from tests.postgresql import Server, serving

settings.register_profile("suite", parent=settings.default, max_examples=50)
settings.register_profile("thorough", parent=settings.default, max_examples=2000, deadline=None)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest, which mostly wait for other processes, begin, so that nothing has to wait for them at the end."""
    items.sort(key=lambda item: "trials" not in item.path.parts)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: spare the collector of garbage looking at it again and again."""
    main.calm_collector()


_COMPILED: dict[object, object] = {}


def _share_what_is_compiled(dialect: type) -> None:
    """Let engines of this dialect be alike, so that a statement is compiled once and not once a test."""
    dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[assignment]
    dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[assignment]


_share_what_is_compiled(SQLiteDialect_pysqlite)
_share_what_is_compiled(PGDialect_psycopg)


@event.listens_for(Engine, "engine_connect")
def _with_what_is_compiled(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_COMPILED)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Tests run on the loop that the service runs on."""
    return {"uvloop": uvloop.new_event_loop}


class Clock:
    """The time that tests decide: `clock()` reads it, `pass_by` moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> datetime:
        """Let so much time pass; the new time."""
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time that this test decides."""
    return Clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing in it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    engines.checkpoint(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server of our own, for all tests of this process."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def forks() -> None:
    """What `tests.forked` forks is there, whatever folder and environment a test has."""
    forked.ready()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test's own, on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.lent() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with the schema and nothing in it."""
    database = Database(database_url, synchronous="OFF")
    await database.open()
    yield database
    await database.close()


@pytest.fixture(scope="session")
def sqlite_engine(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on a SQLite file to which nothing is ever committed."""
    path = tmp_path_factory.mktemp("sqlite") / "uncommitted.db"
    shutil.copy(sqlite_template, path)
    engine = engines.writer(f"sqlite:///{path}", "OFF")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_engine(postgresql: Server) -> Iterator[Engine]:
    """An engine on a PostgreSQL database to which nothing is ever committed."""
    with postgresql.made() as url:
        engine = engines.writer(url, "OFF")
        yield engine
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session in one transaction that is never committed, on each engine: for what needs no second connection."""
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    with engine.connect() as connection, Session(bind=connection, expire_on_commit=False) as session:
        connection.begin()
        yield session
