"""Locks that only one process holds: a file that is locked goes free with its holder, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.commands.report import Refused
from storage import engines


@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Hold this file until the block ends; raises Refused with the words `otherwise` where another process does."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(otherwise) from None
        yield


@contextmanager
def serving(url: str) -> Iterator[None]:
    """Be the one service of a SQLite file until the block ends, by whatever path it is named; raises Refused.

    PostgreSQL takes any number of services. Short commands do not ask: they may run beside.
    """
    if not engines.is_sqlite(url):
        yield
        return
    path = engines.sqlite_path(url).resolve()
    words = (
        f"another khachquen serve is running on {path}: stop that one first, or give this one a file of its own "
        "(DATABASE_URL); only PostgreSQL takes several"
    )
    with alone(_lock(path), words):
        yield


@contextmanager
def unserved(url: str) -> Iterator[None]:
    """Keep services off a SQLite file until the block ends; raises Refused where one is running on it."""
    path = engines.sqlite_path(url).resolve()
    with alone(_lock(path), f"khachquen serve is running on {path}: stop it first; nothing was changed"):
        yield


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
