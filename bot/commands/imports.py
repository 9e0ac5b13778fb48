"""`khachquen import`: balances of an older system, looked through, loaded as one batch and taken back as one."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlmodel import Session

from bot.commands.loyalty import SURFACE
from bot.commands.report import Refused, Report
from bot.settings import Settings
from crm import audit, opening, staff
from crm.opening import Plan, Problem
from storage.database import Database

_SHOWN = 20
_LONGEST = 64 * 1024 * 1024


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Look through, load or take back a file of points. Raises CrmError and Refused."""
    if arguments.undo is not None:
        return await _undone(arguments, database, now)
    if arguments.file is None:
        raise Refused("name the FILE to load, or --undo ID")
    plan = opening.read(_text(arguments.file), now.astimezone(settings.timezone).date())
    problems = [*plan.problems, *await _missing(database, plan)]
    if arguments.report:
        _write_report(arguments.report, problems)
    if problems:
        shown = [f"line {each.line}: {each.field}: {each.words}" for each in problems[:_SHOWN]]
        more = [f"… and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        return Report(_data(plan, problems, None), [*shown, *more, "Nothing was loaded."], ok=False)
    totals = f"{len(plan.rows)} customers, {plan.points} points"
    if arguments.dry_run:
        return Report(_data(plan, problems, None), [f"{totals}. Nothing was loaded; without --dry-run it would be."])
    batch = await _loaded(arguments, database, plan, now)
    line = f"{totals}. All of it goes back with: khachquen import points --undo {batch}"
    return Report(_data(plan, problems, batch), [line])


async def _missing(database: Database, plan: Plan) -> list[Problem]:
    found: list[Problem] = []
    for start in range(0, len(plan.rows), 1000):
        found += await database.read(partial(opening.missing, rows=plan.rows[start : start + 1000]))
    return found


async def _loaded(arguments: Namespace, database: Database, plan: Plan, now: datetime) -> int:
    actor = await database.read(lambda session: staff.one_actor(session, arguments.by, SURFACE))

    def opened(session: Session) -> int:
        batch = opening.open_batch(session, plan, arguments.file.name, actor, now)
        details = f"{len(plan.rows)} rows, {plan.points:+d}"
        audit.by(session, actor, SURFACE, "points.import", now, subject="batch", subject_id=batch, details=details)
        return batch

    batch = await database.write(opened, name="import.begin")

    def step(session: Session, start: int, size: int) -> int | None:
        opening.load(session, batch, plan.rows[start : start + size], now, actor)
        return start + size if start + size < len(plan.rows) else None

    await database.bulk(step, 0, size=100)
    return batch


async def _undone(arguments: Namespace, database: Database, now: datetime) -> Report:
    batch = arguments.undo

    def ended(session: Session) -> str:
        found, actor = opening.find(session, batch), staff.one_actor(session, arguments.by, SURFACE)
        details = f"{found.rows} rows, {-found.points:+d}"
        audit.by(session, actor, SURFACE, "points.undo", now, subject="batch", subject_id=batch, details=details)
        return actor

    actor = await database.write(ended, name="import.undo")

    def step(session: Session, after: int, size: int) -> int | None:
        return opening.undo(session, batch, after, size, now, actor)

    await database.bulk(step, 0, size=50)
    return Report({"batch": batch, "undone": True}, [f"Batch {batch} is taken back; what was spent already is owed."])


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > _LONGEST:
            raise Refused(f"{path} is longer than {_LONGEST} bytes: cut it into several files")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8: save it as CSV UTF-8") from None


def _write_report(path: Path, problems: Iterable[Problem]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "field", "problem"))
        writer.writerows((each.line, each.field, each.words) for each in problems)


def _data(plan: Plan, problems: list[Problem], batch: int | None) -> dict[str, object]:
    return {
        "rows": len(plan.rows), "points": plan.points, "batch": str(batch) if batch is not None else None,
        "problems": [{"line": each.line, "field": each.field, "words": each.words} for each in problems],
    }  # fmt: skip
