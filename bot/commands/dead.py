"""`khachquen dead`: events, messages and jobs that were given up, and how they are tried again."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlmodel import Session

from bot.commands.report import Refused, Report, shown, stamp, table
from bot.settings import Settings
from crm.given_up import MARKETING
from crm.words import clipped
from storage import inbox, jobs, outbox
from storage.database import Database
from storage.queue import QueueRow, Replayed, dead_ids
from storage.work import Priority

_LONGEST = 300
_RANGE = 100
_PAUSE_S = 0.02


class _Queue(NamedTuple):
    """One of the three queues: its rows, how they are replayed, and why one may be kept as it is."""

    rows: type[QueueRow]
    replay: Callable[[Session, Sequence[int], datetime], Replayed]
    kept: str


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """List what was given up, or let it be tried again. Raises Refused."""
    if arguments.action == "list":
        return await _listed(database, settings, max(1, arguments.most))
    if arguments.all == bool(arguments.ids):
        raise Refused("name the ids that `khachquen dead list` shows, or say --all")
    queues = _queues(force=arguments.force)
    if arguments.all:
        found = await _replay_all(database, queues, now)
    else:
        found = await _replay(database, queues, arguments.ids, now)
    return _told(found, arguments.ids, queues)


def _queues(*, force: bool) -> dict[str, _Queue]:
    messages = partial(outbox.replay, but_not=() if force else MARKETING)
    return {
        "event": _Queue(inbox.InboxEvent, inbox.replay, "its body is gone (it is older than RAW_BODY_DAYS)"),
        "message": _Queue(
            outbox.OutboxMessage, messages, "care and broadcasts may have gone out already: add --force to send anyway"
        ),
        "job": _Queue(jobs.Job, jobs.replay, ""),
    }


async def _replay(
    database: Database, queues: dict[str, _Queue], ids: Sequence[int], now: datetime
) -> dict[str, Replayed]:
    return {name: await database.write(_again(queue, ids, now), name="dead.replay") for name, queue in queues.items()}


def _again(queue: _Queue, ids: Sequence[int], now: datetime) -> Callable[[Session], Replayed]:
    return lambda session: queue.replay(session, ids, now)


async def _replay_all(database: Database, queues: dict[str, _Queue], now: datetime) -> dict[str, Replayed]:
    """Range by range, with pauses for a service that may be running beside."""
    found = {name: Replayed([], []) for name in queues}
    for name, queue in queues.items():
        cursor = 0
        while ids := await database.read(partial(dead_ids, queue=queue.rows, after_id=cursor, most=_RANGE)):
            replayed = await database.write(_again(queue, ids, now), priority=Priority.BULK, name="dead.replay")
            found[name].again.extend(replayed.again)
            found[name].kept.extend(replayed.kept)
            cursor = ids[-1]
            await asyncio.sleep(_PAUSE_S)
    return found


def _told(found: dict[str, Replayed], wanted: Sequence[int], queues: dict[str, _Queue]) -> Report:
    kept = [
        {"id": key, "kind": name, "why": queues[name].kept} for name, replayed in found.items() for key in replayed.kept
    ]
    again = {name: replayed.again for name, replayed in found.items()}
    seen = {key for replayed in found.values() for key in (*replayed.again, *replayed.kept)}
    unknown = [key for key in wanted if key not in seen]
    count = sum(map(len, again.values()))
    lines = [f"{count} will be tried again." if count else "Nothing is tried again."]
    lines += [f"{row['kind']} {row['id']} stays: {row['why']}" for row in kept]
    lines += [f"{key}: nothing that was given up has this id" for key in unknown]
    return Report({"again": again, "kept": kept, "unknown": unknown}, lines, ok=not (kept or unknown))


async def _listed(database: Database, settings: Settings, most: int) -> Report:
    rows = await database.read(partial(_dead, most=most))
    zone = settings.timezone
    data = [{**row, "at": stamp(row["at"], zone)} for row in rows]
    lines = [
        (str(row["id"]), row["kind"], shown(row["at"], zone), row["about"], clipped(row["error"], _LONGEST))
        for row in rows
    ]
    return Report(data, table(lines, "Nothing was given up."))


def _dead(session: Session, most: int) -> list[dict[str, Any]]:
    """The given-up rows of all queues as plain data, newest first."""
    rows: list[dict[str, Any]] = [
        {
            "id": event.id, "kind": "event", "at": event.received_at, "about": f"{event.channel} {event.account_id}",
            "error": event.error, "can_replay": event.body is not None,
        }
        for event in inbox.dead(session, most)
    ]  # fmt: skip
    rows += [
        {
            "id": message.id, "kind": "message", "at": message.created_at,
            "about": f"{message.channel} {message.account_id} {message.purpose}", "error": message.error,
            "can_replay": message.purpose not in MARKETING,
        }
        for message in outbox.dead(session, most)
    ]  # fmt: skip
    rows += [
        {"id": job.id, "kind": "job", "at": job.created_at, "about": job.kind, "error": job.error, "can_replay": True}
        for job in jobs.dead(session, most)
    ]
    return sorted(rows, key=lambda row: -row["id"])
