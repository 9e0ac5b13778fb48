"""`khachquen broadcast`: written, tested, approved, scheduled, watched, paused, cancelled, told person by person."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlmodel import Session

from bot import audience, broadcasting, failures, lanes, previews, recipient_table, trial_sends
from bot.broadcasting import Sender
from bot.commands import files
from bot.commands.report import Outside, Refused, Report, stamp, table
from bot.recipient_table import CSV, XLSX, Row
from bot.service import sender_of
from bot.settings import Settings
from bot.templates import Templates
from crm import broadcast_moves, broadcast_versions, broadcasts, segments, staff, times
from crm.broadcasts import FINISHED, Pause
from crm.content import Content
from crm.errors import Conflict, NotFound
from crm.messages import Button, ButtonKind, Purpose
from crm.staff import Permission
from storage import recipient_pages
from storage.broadcasts import CANCELLED, DRAFT, PAUSED, SCHEDULED, BroadcastView
from storage.database import Database

SURFACE = "cli"
_NOW = "now"
_NONE = "-"
_WIDTH = 30
_LOOKED = 1.0
_OPEN = ("pending", "sending")
_COLUMNS = ("customer", "name", "state", "reason", "lane", "sent_at")


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Do what is asked with broadcasts. Raises CrmError and Refused."""
    action, sender = arguments.action, sender_of(settings, outside.channels)
    given: dict[str, Any] = {"arguments": arguments, "sender": sender, "now": outside.clock()}
    if action == "recipients" and arguments.out is not None:
        return await _written(arguments, database, sender)
    if action in _READ:
        return await database.read(partial(_READ[action], **given))
    if action == "preview":
        return await _preview(arguments, database, sender, given["now"])
    if action == "watch":
        return await _watch(arguments, database, sender, outside)
    if action == "approve":
        return await _approve(arguments, database, sender, given["now"])
    if action == "schedule":
        meant = partial(broadcasting.people, broadcast_id=arguments.id, sender=sender, now=given["now"])
        put = partial(_schedule, **given, people=await database.read_long(meant))
        return await database.write(put, name="broadcast.schedule")
    return await database.write(partial(_WRITE[action], **given), name=f"broadcast.{action}")


def _list(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    found = broadcasts.latest(session)
    rows = [
        (
            f"{each.id}",
            state,
            _moment(each.scheduled_at, sender, now),
            f"{each.audience}" if each.frozen_at else "",
            each.name,
        )
        for each, state in found
    ]
    return Report([_plain(each, state, sender) for each, state in found], table(rows, "No broadcast yet."))


def _report(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    found = broadcasts.report(session, arguments.id)
    each = broadcast_versions.as_approved(session, found.broadcast)
    data = {
        **_plain(each, found.state, sender), "version": broadcast_versions.version(session, each),
        "people": dict(found.people), "lanes": dict(found.lanes),
        "reasons": [{"state": state, "reason": why, "people": n} for (state, why), n in found.reasons.items()],
    }  # fmt: skip
    people = f", {each.audience} {'person' if each.audience == 1 else 'people'}" if each.frozen_at else ""
    head = [f"{each.id} {each.name}: {found.state}", f"  to {segments.told(each.segment, 'en')}{people}"]
    if each.scheduled_at:
        begins = "begins" if found.state in (DRAFT, SCHEDULED) else "began"
        head.append(f"  {begins} {_moment(each.scheduled_at, sender, now)}")
    if found.state == PAUSED:
        head.append(f"  paused: {failures.stopped(each).en}")
    if each.pause_reason == Pause.APPROVAL:
        head.append(f"  to approve it: khachquen broadcast approve {each.id} {data['version']} --as NAME")
    rows = [(f"  {state}", f"{people}", "") for state, people in sorted(found.people.items())]
    rows += [
        (f"  {state}", f"{people}", failures.coded(why).en) for (state, why), people in sorted(found.reasons.items())
    ]
    return Report(data, [*head, *table(rows, "  nobody yet")])


async def _preview(arguments: Namespace, database: Database, sender: Sender, now: datetime) -> Report:
    """What it would come to: how many get it by which way at which cost, who does not and why, what three read."""
    each = await database.read(partial(broadcasts.get, broadcast_id=arguments.id))
    found = await previews.estimate(database, sender, each.id, now)
    seen = found.preview
    data = {
        "id": each.id, "segment": each.segment, "at": stamp(seen.at, sender.zone), "people": seen.people,
        "ways": [{**way._asdict(), "people": n, "cost": seen.costs[way]} for way, n in seen.ways.items()],
        "waits": dict(seen.waits), "skips": dict(seen.skips), "without_picture": dict(seen.bare), "cost": seen.cost,
        "budget_left": found.least_left, "needs_second_person": found.by_two, "version": found.version,
        "samples": [{"name": one.name, "text": one.text, "picture": one.picture} for one in seen.samples],
    }  # fmt: skip
    words = previews.words(Templates(sender.zone, {}), found, sender, now, "en")
    lines = [f"{each.id} {each.name}: to {segments.told(each.segment, 'en')}", *words.splitlines()]
    if found.by_two:
        lines.append(f"To approve what you see: khachquen broadcast approve {each.id} {found.version} --as NAME")
    return Report(data, lines)


def _draft(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    actor = _actor(session, arguments)
    wording = _content(arguments, Content(language=sender.locale))
    number = broadcasts.draft(
        session,
        arguments.name,
        Purpose(arguments.purpose),
        wording,
        _pinned(session, arguments.to, sender, now),
        actor,
        now,
    )
    return _said(session, number, sender, now)


def _edit(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    actor, each = _actor(session, arguments), broadcast_moves.hold(session, arguments.id)
    before = Content.loads(each.content)
    wording = _content(arguments, before)
    broadcasts.edit(
        session, each.id, actor, now, name=arguments.name, content=None if wording == before else wording,
        segment=_pinned(session, arguments.to, sender, now) if arguments.to else None,
    )  # fmt: skip
    return _said(session, each.id, sender, now)


def _test(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    """Send it to the chats of who asks, as customers would get it there."""
    member = staff.named(session, arguments.by)
    _check(session, arguments)
    chats = trial_sends.send(session, sender, arguments.id, member.id, now)
    report = _said(session, arguments.id, sender, now)
    return replace(report, lines=[*report.lines, f"It went to {chats} of {member.name}'s chats."])


def _schedule(session: Session, arguments: Namespace, sender: Sender, now: datetime, people: int) -> Report:
    actor = _actor(session, arguments)
    words = " ".join(arguments.when)
    when = None if words == _NOW else times.understand_time(words, now, sender.zone)
    if when is None and words != _NOW:
        raise Refused(f"“{words}” is no moment; write 20h thứ 6, or 20:00 04/12/2026, or {_NOW}")
    broadcasting.schedule(session, sender, arguments.id, when.at if when else now, actor, now, people)
    return _said(session, arguments.id, sender, now)


async def _approve(arguments: Namespace, database: Database, sender: Sender, now: datetime) -> Report:
    actor = await database.read(partial(_actor, arguments=arguments))
    await broadcasting.approve(database, sender, arguments.id, actor, now, arguments.version)
    said = await database.read(partial(_said, number=arguments.id, sender=sender, now=now))
    return replace(said, lines=[*said.lines, "What you saw of it is approved."])


def _move(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    broadcasting.move(session, sender, arguments.action, arguments.id, _actor(session, arguments), now)
    return _said(session, arguments.id, sender, now)


async def _watch(arguments: Namespace, database: Database, sender: Sender, outside: Outside) -> Report:
    """Show how far it is until it is over, paused, or not begun."""
    shown = ""
    while True:
        found = await database.read(partial(broadcasts.report, broadcast_id=arguments.id))
        line = _bar(found.people, found.state)
        if line != shown and not arguments.json:
            outside.tell(line)
        shown = line
        if found.state in (FINISHED, CANCELLED, DRAFT, PAUSED) or arguments.once:
            break
        await asyncio.sleep(_LOOKED)
    given: dict[str, Any] = {"arguments": arguments, "sender": sender, "now": outside.clock()}
    return await database.read(partial(_report, **given))


def _recipients(session: Session, arguments: Namespace, sender: Sender, now: datetime) -> Report:
    """The first ones."""
    broadcasts.get(session, arguments.id)
    found = recipient_pages.page(
        session, arguments.id, 0, arguments.most, arguments.state or "", arguments.reason or ""
    )  # fmt: skip
    data = [dict(zip(_COLUMNS, _row(each, each.lane, sender), strict=True)) for each in found]
    return Report(data, table([_row(each, lanes.words(each.lane).en, sender) for each in found], "Nobody."))


async def _written(arguments: Namespace, database: Database, sender: Sender) -> Report:
    """All of them, or those that are asked for, as a file of the kind that its name ends in."""
    path = Path(arguments.out)
    if path.suffix not in (CSV, XLSX):
        raise Refused(f"{path}: name a file that ends in {CSV} or {XLSX}")
    await database.read(partial(broadcasts.get, broadcast_id=arguments.id))
    pages = recipient_table.pages(
        database, arguments.id, sender.zone, sender.locale, arguments.state or "", arguments.reason or ""
    )
    count = await (_workbook if path.suffix == XLSX else _csv)(path, pages, sender.locale)
    return Report({"file": str(path), "rows": count}, [f"{count} recipients: {path}"])


async def _workbook(path: Path, pages: AsyncIterator[list[Row]], locale: str) -> int:
    rows = [row async for page in pages for row in page]
    await files.workbook(path, [(recipient_table.title(locale), [recipient_table.head(locale), *rows])])
    return len(rows)


async def _csv(path: Path, pages: AsyncIterator[list[Row]], locale: str) -> int:
    count = 0
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            recipient_table.write(file, [recipient_table.head(locale)])
            async for page in pages:
                recipient_table.write(file, page)
                count += len(page)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error
    return count


_READ = {"list": _list, "report": _report, "recipients": _recipients}
_WRITE = {
    "draft": _draft, "edit": _edit, "test": _test, "unschedule": _move,
    "pause": _move, "resume": _move, "cancel": _move,
}  # fmt: skip

_NEEDS = {
    "draft": Permission.WRITE_BROADCASTS, "edit": Permission.WRITE_BROADCASTS, "test": Permission.WRITE_BROADCASTS,
    "pause": Permission.REPORT, "unschedule": Permission.REPORT,
}  # fmt: skip
"""What takes less than letting one go out: writing, and stopping."""


def _actor(session: Session, arguments: Namespace) -> str:
    _check(session, arguments)
    return staff.one_actor(session, arguments.by, SURFACE)


def _check(session: Session, arguments: Namespace) -> None:
    """Somebody of the staff needs the role for it; who has this computer's command line may else."""
    try:
        member = staff.named(session, arguments.by)
    except NotFound:
        return
    if not staff.may(member, _NEEDS.get(arguments.action, Permission.BROADCAST)):
        raise Conflict(f"{member.name} không được làm việc này.", f"{member.name} may not do this to broadcasts.")


def _pinned(session: Session, text: str, sender: Sender, now: datetime) -> str:
    """A segment as it is kept. Raises CrmError, also where it names what is not there."""
    segment = segments.named(session, text)
    segments.members(session, segment, audience.as_of(now, sender.zone, sender.locale))
    return segment.text


def _content(arguments: Namespace, before: Content) -> Content:
    """What stands there with what is given in its place."""
    values: dict[str, Any] = {}
    if arguments.text is not None:
        values["text"] = arguments.text
    if arguments.picture is not None:
        values["picture"] = "" if arguments.picture == _NONE else arguments.picture
    if arguments.button == [_NONE]:
        values["buttons"] = ()
    elif arguments.button:
        values["buttons"] = tuple(
            Button(title.strip(), address.strip(), ButtonKind.URL)
            for title, _, address in (each.partition("=") for each in arguments.button)
        )
    return replace(before, **values)


def _said(session: Session, number: int, sender: Sender, now: datetime) -> Report:
    each = broadcast_versions.as_approved(session, broadcasts.get(session, number))
    state = broadcasts.state(session, each)
    lines = [f"{each.id} {each.name}: {state}"]
    if each.scheduled_at:
        begins = "begins" if state in (DRAFT, SCHEDULED) else "began"
        lines.append(f"It {begins} {_moment(each.scheduled_at, sender, now)}.")
    return Report(_plain(each, state, sender), lines)


def _moment(at: datetime | None, sender: Sender, now: datetime) -> str:
    return times.told(at, sender.zone, now, "en") if at else ""


def _plain(each: BroadcastView, state: str, sender: Sender) -> dict[str, Any]:
    zone = sender.zone
    return {
        "id": each.id, "name": each.name, "state": state, "purpose": each.purpose, "segment": each.segment,
        "audience": broadcasts.audience(each), "pause_reason": each.pause_reason, "created_by": each.created_by,
        "approved_by": each.approved_by, "tested_at": stamp(each.tested_at, zone),
        "scheduled_at": stamp(each.scheduled_at, zone), "as_of": stamp(each.as_of, zone), "digest": each.digest,
    }  # fmt: skip


def _bar(people: Mapping[str, int], state: str) -> str:
    """ "[#####     ] 50 % of 10 · finished · sent 4, skipped 1"."""
    every = sum(people.values())
    done = every - sum(people.get(each, 0) for each in _OPEN)
    filled = _WIDTH * done // every if every else 0
    told = ", ".join(f"{name} {count}" for name, count in sorted(people.items()))
    percent = 100 * done // every if every else 0
    return f"[{'#' * filled}{' ' * (_WIDTH - filled)}] {percent} % of {every} · {state}{' · ' if told else ''}{told}"


def _row(each: recipient_pages.Told, way: str, sender: Sender) -> tuple[str, ...]:
    return (
        each.external_id or str(each.customer_id), each.name, each.state, each.reason, way,
        stamp(each.sent_at, sender.zone) or "",
    )  # fmt: skip
