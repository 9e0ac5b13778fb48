"""Copies of a SQLite file: made beside a running service, looked through, and put in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from storage import census
from storage.census import Census
from storage.faults import faultpoint

PATIENCE_S = 900.0
"""How long a copy may take: until it is done, the log of the running service only grows."""

_PAGES = 1024
_SYNC_BYTES = 16 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Called with how much of how much is done."""


class Damaged(RuntimeError):
    """A copy is not what it should be, or the database that it was made of is not; the words say what is wrong."""


class TooSlow(RuntimeError):
    """A copy took so long that the running service's log would have grown without end; it was given up."""


class Holder(NamedTuple):
    """An account whose refresh token works once: the pair that a copy holds may be used up."""

    channel: str
    account_id: str
    refreshed_at: str


def copied(source: Path, target: Path, progress: Progress, *, patience_s: float = PATIENCE_S) -> Census:
    """Copy the file as it is at one moment, beside a service that goes on writing; the figures of that moment.

    The pages are read within one read transaction: in WAL mode it holds up no writer, and no later commit makes the
    copy begin again, which without it every commit of another process would. It sleeps as long as it worked. Raises
    TooSlow.
    """
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as reader,
        closing(sqlite3.connect(target, isolation_level=None)) as writer,
        _synced(target) as sync,
    ):
        writer.execute("PRAGMA synchronous=OFF")
        reader.execute("PRAGMA query_only=ON")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        began = rested = time.monotonic()
        size = int(reader.execute("PRAGMA page_size").fetchone()[0])
        synced = 0

        def step(_status: int, remaining: int, total: int) -> None:
            nonlocal rested, synced
            done = (total - remaining) * size
            if done - synced >= _SYNC_BYTES:
                synced = done
                sync()
            now = time.monotonic()
            if now - began > patience_s:
                raise TooSlow(
                    f"the copy was not done within {patience_s:.0f} s, and meanwhile the database's log only grows: "
                    "write it to a faster disk, or at a quieter hour"
                )
            progress(done, total * size)
            time.sleep(min(now - rested, 0.1))
            rested = time.monotonic()

        reader.backup(writer, pages=_PAGES, progress=step)
        faultpoint("backup.copied")
        return census.taken(reader)


@contextmanager
def _synced(path: Path) -> Iterator[Callable[[], None]]:
    """Bring a file to the disk bit by bit: one big sync at the end would make the service's own syncs wait for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lambda: os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checked(path: Path) -> Census:
    """Look through a copy that nobody else uses, and make it one file without a log; its figures. Raises Damaged."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said != "ok":
                raise Damaged(f"the database in it is damaged: {said}")
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            if broken:
                raise Damaged(f"rows of {broken[0]} in it point at rows that are not there")
            return census.taken(connection)
    except sqlite3.DatabaseError as error:
        raise Damaged(f"the database in it is damaged: {error}") from error


def holders(path: Path) -> list[Holder]:
    """The accounts in a copy whose refresh tokens may be used up by now."""
    query = "SELECT channel, account_id, coalesce(refreshed_at, '') FROM account WHERE refresh_token <> '' ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        return [Holder(*row) for row in connection.execute(query)]


STOPPED = (
    "UPDATE broadcast SET state = 'paused', pause_reason = 'restored', resumes_at = NULL "
    "WHERE state IN ('running', 'paused')",
    "UPDATE broadcast SET state = 'cancelled' WHERE state = 'freezing'",
    "UPDATE broadcast SET state = 'draft', tested_at = NULL WHERE state = 'scheduled' AND scheduled_at <= :now",
    "UPDATE recipient SET state = 'unknown', reason = 'restored' "
    "WHERE broadcast_id IS NULL AND state = 'pending' AND due_at <= :now",
)
"""What may have gone out since a backup was made, and nobody asked for: a person decides whether it goes on."""


def doubt(path: Path, now: str) -> int:
    """Note of what waited in a copy that it may have gone out since; how many messages. What was never tried and has
    its time still to come waits on.

    They count as sends whose sender went away, which the next start settles: an answer is looked for and then sent
    once more, marketing never. `now` is UTC as SQLite keeps it.
    """
    statement = (
        "UPDATE outbox SET state = 'sending', lease_owner = 'before the restore' "
        "WHERE state = 'waiting' AND (ready_at <= ? OR error <> '')"
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'recipient'").fetchone():
            for other in STOPPED:
                connection.execute(other, {"now": now})
        return connection.execute(statement, (now,)).rowcount


def switched(new: Path, path: Path, aside: Path) -> bool:
    """Put the file `new` in the place of `path`, by one rename; whether there was one, which then stands at `aside`.

    Whenever this is cut short, `path` is the old database or the new one, whole. Raises sqlite3.OperationalError
    ("locked") where another process has the old one open.
    """
    with _synced(new) as sync:
        sync()
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    there = path.exists()
    with _folded(path) if there else _nothing() as folded:
        if there:
            _linked(path, aside)
        if not folded:
            if log.exists():
                _linked(log, aside.with_name(aside.name + "-wal"))
            log.unlink(missing_ok=True)
            index.unlink(missing_ok=True)
        faultpoint("restore.kept")
        new.replace(path)
    sync_folder(path.parent)
    faultpoint("restore.switched")
    return there


@contextmanager
def _nothing() -> Iterator[bool]:
    yield False


@contextmanager
def _folded(path: Path) -> Iterator[bool]:
    """Hold a database with its log moved into it, so that it is one file; False where it is too damaged for that."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
            yield False
            return
        yield True


def _linked(path: Path, aside: Path) -> None:
    """A second name for a file, or a copy where the file system knows no second names."""
    try:
        os.link(path, aside)
    except OSError:
        shutil.copy2(path, aside)


def sync_folder(folder: Path) -> None:
    """Bring a rename in this folder to the disk, where the file system has such a thing."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
