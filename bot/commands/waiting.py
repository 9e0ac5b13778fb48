"""`khachquen waiting`: the customers who wait for a person."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from storage import conversations, customers, transcripts
from storage.database import Database

_LINES_LOOKED_AT = 10
_LONGEST = 60


class Waiting(NamedTuple):
    """Somebody who waits, and the last thing they said."""

    name: str
    channel: str
    since: datetime
    line: str


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Who waits, the longest first."""
    people = await database.read(_waiting)
    minutes = [max(0, int((now - each.since).total_seconds() // 60)) for each in people]
    zone = settings.timezone
    data = [
        {**each._asdict(), "since": stamp(each.since, zone), "minutes": waited}
        for each, waited in zip(people, minutes, strict=True)
    ]
    rows = [
        (each.name or "khách", each.channel, shown(each.since, zone), f"{waited} min", each.line)
        for each, waited in zip(people, minutes, strict=True)
    ]
    return Report(data, table(rows, "Nobody waits for a person."))


def _waiting(session: Session) -> list[Waiting]:
    found = []
    for held in conversations.held(session):
        person = customers.person(session, held.id)
        if person is None or held.waiting_since is None:
            continue
        name = person.customer_name or person.identity_name
        found.append(Waiting(name, person.channel, held.waiting_since, _last_line(session, held.id)))
    return sorted(found, key=lambda each: each.since)


def _last_line(session: Session, conversation_id: int) -> str:
    """The last thing the customer said, on one short line."""
    lines = transcripts.latest(session, conversation_id, _LINES_LOOKED_AT)
    said = next((line for line in reversed(lines) if line.author == "customer"), None)
    words = " ".join(said.text.split()) if said else ""
    if said and not words:
        words = "[media]" if said.media else ""
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
