"""`khachquen backup`: a whole, checked copy of a SQLite database in one file, made beside a running service."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot import archive
from bot.archive import Manifest, Opened, Progress
from bot.commands.report import Refused, Report, opened, shown
from bot.commands.trouble import words_of
from bot.settings import Settings
from storage import backup, engines, errors, marks
from storage.faults import faultpoint

log = logging.getLogger(__name__)

POSTGRESQL = (
    "PostgreSQL is backed up with its own tools: pg_dump for a copy, pg_basebackup for the whole server, and "
    "pg_restore; the commands are in docs/operator.md under Backups on PostgreSQL"
)
_MEGABYTE = 1 << 20
_SHORT = 12

Tell = Callable[[str], None]
"""Shows people one line that takes the place of the one before."""


def run(arguments: Namespace, settings: Settings, now: datetime, tell: Tell) -> Report:
    """Make a backup, or look through one. Raises Refused."""
    if arguments.verify:
        return _verified(arguments, settings, tell)
    if not engines.is_sqlite(settings.database_url):
        raise Refused(POSTGRESQL)
    source = engines.sqlite_path(settings.database_url)
    if not source.exists():
        raise Refused(f"there is no database at {source} yet: run khachquen migrate first")
    words = _sealing_words(arguments, settings)
    target = _target(arguments.target, now, sealed=words is not None)
    _refuse_to_overwrite(target, arguments.force)
    _refuse_without_room(source, target.parent)
    with archive.working(source.parent) as desk, archive.working(target.parent) as folder:
        part = folder / "part"
        found = _made(source, desk, part, words, now, tell)
        _refuse_to_overwrite(target, arguments.force)
        part.replace(target)
    backup.sync_folder(target.parent)
    size = f"{target.stat().st_size / _MEGABYTE:.1f} MB"
    sealed = "sealed" if found.sealed else "not sealed: whoever reads it reads your customers"
    lines = [f"{target} ({size}, {sealed})", *_lines(found.manifest, settings)]
    return Report({"file": str(target), "size": target.stat().st_size, **_data(found)}, lines)


async def noted(settings: Settings, now: datetime) -> None:
    """Let the database know that a backup was made, for the doctor; one at another version's schema is left alone."""
    try:
        async with opened(settings) as database:
            await database.write(partial(marks.done, name=marks.BACKUP, now=now), name="backup.noted")
    except Exception as error:
        if words_of(error) is None:
            raise
        log.warning("that a backup was made could not be noted", extra={"why": errors.named(error)})


def _made(source: Path, desk: Path, part: Path, words: str | None, now: datetime, tell: Tell) -> Opened:
    """Copy, pack into `part`, and look through what was packed; the copy goes before it is unpacked, to save room.

    SQLite works beside the database, where it is known to: the backup may go to a network's disk, where it may not.
    """
    copy = desk / "copy.db"
    census = backup.copied(source, copy, percent(tell, "copying"))
    if backup.checked(copy) != census:
        raise Refused("the copy does not hold what the database held when it was made; nothing was kept: try again")
    manifest = archive.manifest_of(copy, census, now.astimezone(UTC).isoformat(timespec="seconds"))
    archive.pack(copy, part, manifest, words, percent(tell, "packing"))
    copy.unlink()
    faultpoint("backup.packed")
    found = archive.opened(part, desk, [words] if words is not None else [], percent(tell, "checking"))
    faultpoint("backup.checked")
    return found


def _verified(arguments: Namespace, settings: Settings, tell: Tell) -> Report:
    file = Path(arguments.target)
    _refuse_missing(file)
    with archive.working(_desk(settings)) as folder:
        found = archive.opened(file, folder, opening_words(arguments, settings), percent(tell, "checking"))
    lines = [f"{file} is whole, and everything in it is right.", *_lines(found.manifest, settings)]
    return Report({"file": str(file), "size": file.stat().st_size, **_data(found)}, lines)


def _desk(settings: Settings) -> Path:
    """Where a backup is unpacked to be looked through: beside the database, if there is one."""
    if engines.is_sqlite(settings.database_url):
        folder = engines.sqlite_path(settings.database_url).parent
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.gettempdir())


def _refuse_missing(file: Path) -> None:
    if not file.is_file():
        raise Refused(f"there is no file {file}")


def _target(given: str, now: datetime, *, sealed: bool) -> Path:
    """The file itself, or a dated one in the folder that was named."""
    path = Path(given)
    if path.is_dir():
        end = ".tar.gz.sealed" if sealed else ".tar.gz"
        return path / f"khachquen-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{end}"
    if given.endswith(os.sep) or not path.parent.is_dir():
        raise Refused(f"there is no folder {path if given.endswith(os.sep) else path.parent}: make it first")
    return path


def _refuse_to_overwrite(target: Path, force: bool) -> None:
    if target.exists() and not force:
        raise Refused(f"{target} is there already: name another file, or add --force to replace it")


def _refuse_without_room(source: Path, folder: Path) -> None:
    """A copy lies beside the database for a while, and what is packed, which may be as long, where it is to go."""
    log = source.with_name(source.name + "-wal")
    size = source.stat().st_size + (log.stat().st_size if log.exists() else 0)
    one = source.parent.stat().st_dev == folder.stat().st_dev
    for place, needed in ((source.parent, size), (folder, 2 * size if one else size)):
        free = shutil.disk_usage(place).free
        if free < needed:
            raise Refused(
                f"{place} has {free // _MEGABYTE} MB free, and up to {needed // _MEGABYTE + 1} MB are needed meanwhile"
            )


def _sealing_words(arguments: Namespace, settings: Settings) -> str | None:
    if arguments.passphrase_file:
        return _passphrase(arguments.passphrase_file)
    if not arguments.encrypt:
        return None
    return next(part for part in settings.require_secret().split(",") if part)


def opening_words(arguments: Namespace, settings: Settings) -> list[str]:
    """What a sealed backup may be opened with: the passphrase that was named, else every secret key."""
    if arguments.passphrase_file:
        return [_passphrase(arguments.passphrase_file)]
    return [part for part in settings.secret_key.split(",") if part]


def _passphrase(file: Path) -> str:
    words = file.read_text("utf-8", "replace").strip()
    if len(words) < _SHORT:
        raise Refused(f"the passphrase in {file} is shorter than {_SHORT} characters")
    return words


def percent(tell: Tell, doing: str) -> Progress:
    """Tells how far something is, whenever it is a percent further."""
    last = -1

    def progress(done: int, whole: int) -> None:
        nonlocal last
        now = done * 100 // whole if whole else 100
        if now != last:
            last = now
            tell(f"{doing} {now} %")

    return progress


def taken_at(manifest: Manifest, settings: Settings) -> str:
    """When a backup was made, as people of the shop read it."""
    return shown(datetime.fromisoformat(manifest.taken_at), settings.timezone)


def _lines(manifest: Manifest, settings: Settings) -> list[str]:
    census = manifest.census
    return [
        f"made {taken_at(manifest, settings)}, schema {census.revision}, {sum(census.tables.values())} rows in "
        f"{len(census.tables)} tables",
        f"points: {census.points} held by {census.holders} customers",
    ]


def _data(found: Opened) -> dict[str, Any]:
    census = found.manifest.census
    return {
        "sealed": found.sealed, "taken_at": found.manifest.taken_at, "version": found.manifest.version,
        "revision": census.revision, "tables": census.tables,
        "ledger": {"customers": census.holders, "points": census.points, "digest": census.ledger},
        "sha256": found.manifest.sha256,
    }  # fmt: skip
