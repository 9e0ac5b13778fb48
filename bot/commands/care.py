"""`khachquen care`: the rules by which care messages go out by themselves; looked through, loaded, on, off, tried."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlmodel import Session

from bot import audience, failures
from bot.commands import files
from bot.commands.report import Outside, Refused, Report, shown, stamp, table
from bot.service import sender_of
from bot.settings import Settings
from bot.staff.context import CLI
from crm import audit, care, care_about, care_preview, care_report, customers, staff, times, unsent
from crm.care_preview import Step
from crm.segments import AsOf
from crm.toml_reader import Problem
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Check, load, list, turn on or off, or try rules. Raises CrmError and Refused."""
    now = outside.clock()
    match arguments.action:
        case "check" | "load":
            sources, at = _sources(arguments), audience.as_of(now, settings.timezone, settings.locale)
            if arguments.action == "check":
                return await database.read(partial(_checked, sources=sources, at=at))
            return await database.write(partial(_load, sources=sources, by=arguments.by, at=at), name="care.load")
        case "activate" | "pause" | "off":
            change = partial(_change, arguments=arguments, settings=settings, now=now)
            return await database.write(change, name="care.change")
        case "show":
            return await database.read(partial(_shown, name=arguments.rule, version=arguments.version))
        case "report":
            return await database.read(partial(_reported, name=arguments.rule))
        case "preview":
            return await database.read(partial(_previewed, arguments=arguments, settings=settings, outside=outside))
    return await database.read(partial(_listed, settings=settings))


def _sources(arguments: Namespace) -> list[tuple[str, str]]:
    """Names and texts of the files; those that come with the product with --shipped."""
    paths: list[Path] = [*(care.shipped() if getattr(arguments, "shipped", False) else []), *arguments.files]
    if not paths:
        raise Refused("name a FILE")
    return [(path.name, files.text(path)) for path in paths]


def _checked(session: Session, sources: Sequence[tuple[str, str]], at: AsOf) -> Report:
    data, lines = [], []
    for name, text in sources:
        draft = care.check(session, text, at)
        data.append({"file": name, "fits": draft.fits, "problems": [_plain(each) for each in draft.problems]})
        lines += [f"{name}: {_line(each)}" for each in draft.problems]
        lines.append(f"{name}: it can be loaded." if draft.fits else f"{name}: it cannot be loaded.")
    return Report(data, lines, ok=all(each["fits"] for each in data))


def _load(session: Session, sources: Sequence[tuple[str, str]], by: str, at: AsOf) -> Report:
    data, lines, actor = [], [], staff.one_actor(session, by, CLI)
    for _, text in sources:
        version, draft = care.load(session, text, actor, at.now, at)
        audit.note(session, "care.load", at.now, surface=CLI, subject="care_rule", subject_id=version.id)
        warnings = [_plain(each) for each in draft.problems]
        data.append({"rule": version.name, "version": version.version, "warnings": warnings})
        lines += [_line(each) for each in draft.problems]
        state = care.named(session, version.name).state
        lines.append(f"{version.name}: version {version.version} is kept; the rule is {state}.")
    return Report(data, lines)


def _change(session: Session, arguments: Namespace, settings: Settings, now: datetime) -> Report:
    name, actor = arguments.rule, staff.one_actor(session, arguments.by, CLI)
    if arguments.action == "activate":
        standing = care.turn_on(session, name, actor, now)
    else:
        standing = (care.pause if arguments.action == "pause" else care.turn_off)(session, name, actor, now)
    audit.note(session, f"care.{arguments.action}", now, surface=CLI, subject="care_rule", subject_id=standing.rule_id)
    known = care.named(session, name)
    is_on = arguments.action == "activate"
    warned = care.warnings(session, known, audience.as_of(now, settings.timezone, settings.locale)) if is_on else []
    data = {
        "rule": name, "state": known.state, "since": stamp(standing.since, settings.timezone),
        "warnings": [_plain(each) for each in warned],
    }  # fmt: skip
    at = shown(standing.since if is_on else standing.changed_at, settings.timezone)
    lines = [*(_line(each) for each in warned), f"{name} is {known.state}, since {at}."]
    if not is_on:
        lines.append(f"To go on: khachquen care activate {name}")
    return Report(data, lines)


def _listed(session: Session, settings: Settings) -> Report:
    found = [(each, care_report.counts(session, each.rule.name)) for each in care.everything(session)]
    data = [
        {
            "rule": each.rule.name, "title": each.rule.title.of(settings.locale), "version": each.version.version,
            "state": each.state, "since": stamp(each.standing.since if each.standing else None, settings.timezone),
            "waiting": counted.waiting, "sent": counted.sent, "skipped": counted.skipped,
        }
        for each, counted in found
    ]  # fmt: skip
    rows = [
        (
            each.rule.name, each.rule.title.en, f"v{each.version.version}", each.state,
            f"{counted.waiting} waiting, {counted.sent} sent, {counted.skipped} not sent",
        )
        for each, counted in found
    ]  # fmt: skip
    return Report(data, table(rows, "No rule is loaded: khachquen care load --shipped loads those of the product."))


def _shown(session: Session, name: str, version: int | None) -> Report:
    known = care.named(session, name)
    found = known.version if version is None else care.version_of(session, name, version)
    data = {"rule": name, "version": found.version, "state": known.state, "source": found.source}
    return Report(data, [f"# {name}, version {found.version}; the rule is {known.state}", found.source.rstrip()])


def _reported(session: Session, name: str) -> Report:
    care.named(session, name)
    found = care_report.tally(session, name)
    data = [{"state": each.state, "reason": each.reason, "people": each.people} for each in found]
    rows = [
        (unsent.state(each.state).en, str(each.people), each.reason and failures.words(each.reason).en)
        for each in found
    ]
    return Report(data, table(rows, f"No message of {name} is planned, and none was sent yet."))


def _previewed(session: Session, arguments: Namespace, settings: Settings, outside: Outside) -> Report:
    now, zone = outside.clock(), settings.timezone
    customer = customers.find(session, arguments.customer, field="customer")
    until = care_preview.until(_end_of(arguments.at, settings) if arguments.at else None, now)
    driven = sender_of(settings, outside.channels).driven(now, until)
    steps = care_preview.timeline(session, arguments.rule, customer.id, driven)
    data = [_told(session, step, settings) for step in steps]
    heading = f"{arguments.rule} for {customer.name or arguments.customer}, until {times.told(until, zone, now, 'en')}:"
    lines = [line for step in steps for line in _lines(session, step, settings, now)]
    return Report(data, [heading, *lines] if lines else [heading, "  nothing goes out."])


def _end_of(day: str, settings: Settings) -> datetime:
    """The end of a day, or the moment that was named."""
    try:
        read = datetime.fromisoformat(day)
    except ValueError:
        raise Refused(f"{day!r} is no day such as 2027-03-01") from None
    end = read.replace(hour=23, minute=59, second=59, tzinfo=settings.timezone) if len(day) == 10 else read
    return (end if end.tzinfo else end.replace(tzinfo=settings.timezone)).astimezone(UTC)


def _told(session: Session, step: Step, settings: Settings) -> dict[str, object]:
    return {
        "rule": step.rule, "about": step.subject, "words": care_about.words(session, step.subject).en,
        "happens_at": stamp(step.happened_at, settings.timezone),
        "at": stamp(step.at, settings.timezone), "state": step.state, "reason": step.reason,
        "text": step.message.text if step.message else "",
    }  # fmt: skip


def _lines(session: Session, step: Step, settings: Settings, now: datetime) -> list[str]:
    is_over = step.state != care_preview.PLANNED
    what = unsent.state(step.state).en if is_over else "goes out" if step.goes else "is not sent"
    about = care_about.words(session, step.subject).en
    why = f": {unsent.words(step.reason).en}" if step.reason else ""
    first = f"  {times.told(step.at, settings.timezone, now, 'en')}  {step.rule} ({about}) {what}{why}"
    return [first, *(f"      {line}" for line in (step.message.text.splitlines() if step.message else ()))]


def _plain(problem: Problem) -> dict[str, object]:
    return {"place": problem.place, "words": problem.words, "warning": problem.is_warning}


def _line(problem: Problem) -> str:
    kind = "warning" if problem.is_warning else "error"
    return f"{kind}: {problem.place or 'file'}: {problem.words}"
