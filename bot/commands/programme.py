"""`khachquen programme`: the programme of points, looked through, loaded and shown."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.commands import files
from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from bot.upkeep import PLACE
from crm import programme_file, programmes
from crm.programme_file import Problem
from storage import jobs
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Check or load a file, or show what was loaded. Raises CrmError and Refused."""
    match arguments.action:
        case "check":
            return _checked(files.text(arguments.file), settings, now)
        case "load":
            load = partial(_load, source=files.text(arguments.file), settings=settings, now=now)
            return await database.write(load, name="programme.load")
        case "show":
            number = arguments.version
            return await database.read(partial(_shown, number=number, settings=settings, now=now))
    return await database.read(partial(_listed, settings=settings, now=now))


def _checked(text: str, settings: Settings, now: datetime) -> Report:
    draft = programme_file.read(text, settings.timezone, now.astimezone(settings.timezone).date())
    data = {"fits": draft.fits, "problems": [_plain(problem) for problem in draft.problems]}
    lines = [_line(problem) for problem in draft.problems]
    return Report(data, [*lines, "It can be loaded." if draft.fits else "It cannot be loaded."], ok=draft.fits)


def _load(session: Session, source: str, settings: Settings, now: datetime) -> Report:
    number, draft = programmes.load(session, source, settings.timezone, now, "cli")
    found, programme = programmes.version(session, number)
    jobs.add_many(session, [jobs.row(PLACE, str(number), {}, now, max(now, found.effective_from))])
    data = {
        "version": number, "name": programme.name, "effective_from": stamp(found.effective_from, settings.timezone),
        "warnings": [_plain(problem) for problem in draft.problems],
    }  # fmt: skip
    lines = [_line(problem) for problem in draft.problems]
    return Report(
        data, [*lines, f"Version {number} holds from {shown(found.effective_from, settings.timezone)} on."]
    )  # fmt: skip


def _shown(session: Session, number: int | None, settings: Settings, now: datetime) -> Report:
    if number is None:
        number = programmes.at(session, now).version
    if number is None:
        return Report(None, ["No programme is loaded: a delivered order earns a point for every 10.000đ."])
    found, programme = programmes.version(session, number)
    data = {
        "version": number, "name": programme.name, "effective_from": stamp(found.effective_from, settings.timezone),
        "timezone": found.timezone, "source": found.source,
    }  # fmt: skip
    return Report(data, [f"# version {number}, from {shown(found.effective_from, settings.timezone)} on", found.source])


def _listed(session: Session, settings: Settings, now: datetime) -> Report:
    zone, current = settings.timezone, programmes.at(session, now).version
    found = programmes.versions(session)
    data = [
        {
            "version": each.id, "effective_from": stamp(each.effective_from, zone),
            "loaded_at": stamp(each.loaded_at, zone), "holds": each.id == current,
        }
        for each in found
    ]  # fmt: skip
    rows = [
        (str(each.id), f"from {shown(each.effective_from, zone)}", "holds now" if each.id == current else "")
        for each in found
    ]
    return Report(data, table(rows, "No programme is loaded."))


def _plain(problem: Problem) -> dict[str, object]:
    return {"place": problem.place, "words": problem.words, "warning": problem.is_warning}


def _line(problem: Problem) -> str:
    kind = "warning" if problem.is_warning else "error"
    return f"{kind}: {problem.place or 'file'}: {problem.words}"
