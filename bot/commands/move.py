"""`khachquen move`: brings everything from a SQLite file into an empty PostgreSQL database, whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import os
import threading
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.alone import unserved
from bot.commands.backup import Tell, percent
from bot.commands.report import NOT_MIGRATED, Refused, Report, opened, table
from bot.settings import Settings
from storage import engines, migrate, move
from storage.fitting import Figures, Note
from storage.move import Survey


async def run(arguments: Namespace, settings: Settings, now: datetime, tell: Tell) -> Report:
    """Move everything with the service stopped. Raises Refused, and Unmoved where nothing was left in the target."""
    _refuse(settings.database_url, arguments.to)
    source = engines.sqlite_path(settings.database_url)
    began = time.monotonic()
    with unserved(settings.database_url), move.held(settings.database_url) as held:
        survey = move.surveyed(held, percent(tell, "reading"))
        notes = arguments.report or source.with_name(f"{source.stem}-moved-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.csv")
        listed = _listed(notes, survey)
        migrate.upgrade(arguments.to)
        found = await _received(replace(settings, database_url=arguments.to), held, survey, tell)
    return _told(arguments.to, survey, found, listed, time.monotonic() - began)


def _refuse(source: str, target: str) -> None:
    if not engines.is_sqlite(source):
        raise Refused("only a SQLite file is moved: DATABASE_URL names PostgreSQL already")
    if engines.is_sqlite(target):
        raise Refused("--to must name PostgreSQL: postgresql+psycopg://user:password@host/name")
    if migrate.is_pending(source):
        raise Refused(NOT_MIGRATED)
    revision = migrate.revision(target)
    if revision not in (None, migrate.head()):
        raise Refused(f"the target is in use, at schema {revision}: name an empty database; nothing was moved")


def _listed(path: Path, survey: Survey) -> Path | None:
    """Write down what is changed, before anything is moved; Refused where something does not fit."""
    notes = survey.misfits or survey.changes
    if not notes:
        return None
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        writer = csv.writer(file)
        writer.writerow(Note._fields)
        writer.writerows(notes)
    if survey.misfits:
        first = survey.misfits[0]
        raise Refused(
            f"values that do not fit into PostgreSQL: {len(survey.misfits)}, the first in {first.table} {first.id}, "
            f"{first.column}: {first.what}; all are listed in {path}; mend them and try again, nothing was moved"
        )
    return path


async def _received(target: Settings, source: Connection, survey: Survey, tell: Tell) -> dict[str, Figures]:
    """Runs in the database's writer; Ctrl-C ends it there, too."""
    stopped = threading.Event()
    shown = percent(tell, "moving")

    def progress(done: int, whole: int) -> None:
        if stopped.is_set():
            raise move.Unmoved("it was interrupted; nothing was moved")
        shown(done, whole)

    async with opened(target) as database:
        try:
            receive = partial(move.received, source=source, survey=survey, progress=progress)
            return await database.write(receive, name="move.received")
        except asyncio.CancelledError:
            stopped.set()
            raise


def _told(target: str, survey: Survey, found: dict[str, Figures], listed: Path | None, seconds: float) -> Report:
    shown = make_url(target).render_as_string()
    changed = {name: sum(note.table == name for note in survey.changes) for name in found}
    rows: Sequence[tuple[str, ...]] = [
        (name, f"{each.rows} rows", each.checksum, "equal", f"values changed: {changed[name]}" if changed[name] else "")
        for name, each in sorted(found.items())
    ]
    lines = [
        *table(rows, "There are no tables."),
        f"{survey.rows} rows were moved and compared in {seconds:.1f} s; the SQLite file is as it was.",
        *([f"What PostgreSQL cannot hold was changed, {len(survey.changes)} values: {listed}"] if listed else []),
        f"Set DATABASE_URL={shown} with the same SECRET_KEY, run khachquen doctor, and start.",
    ]
    data = {
        "to": shown, "seconds": round(seconds, 3), "report": str(listed) if listed else None,
        "tables": {
            name: {
                "rows": each.rows, "source": survey.tables[name].checksum, "target": each.checksum,
                "equal": each == survey.tables[name], "changed": changed[name],
            }
            for name, each in sorted(found.items())
        },
    }  # fmt: skip
    return Report(data, lines)
