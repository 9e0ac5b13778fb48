"""`khachquen waiting`: the customers who wait for a person, or to be forgotten."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import attendance, privacy
from crm.words import clipped
from storage import conversations, customers, transcripts
from storage.database import Database

_LINES_LOOKED_AT = 10
_WANTS = {"erase": "erasure", "see": "data", "correct": "correction", "withdraw": "withdrawal"}
_ASKS = {
    "erasure": "wants to be forgotten", "data": "wants to see their data", "correction": "wants their data corrected",
    "withdrawal": "takes consent back",
}  # fmt: skip
_ELSEWHERE = "handled elsewhere: in the Page's inbox or another app"


class Waiting(NamedTuple):
    """Somebody who waits, what for (`person`, or what they ask about their data), the last thing they said, who may
    answer them, and the number of their conversation."""

    name: str
    channel: str
    since: datetime
    line: str
    wants: str = "person"
    due: datetime | None = None
    held_by: str = conversations.BOT
    conversation: int | None = None
    put_off_until: datetime | None = None


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Who waits, the longest first."""
    people = await database.read(partial(_everyone, now=now))
    minutes = [max(0, int((now - each.since).total_seconds() // 60)) for each in people]
    zone = settings.timezone
    data = [
        {
            **each._asdict(),
            "since": stamp(each.since, zone),
            "due": stamp(each.due, zone) if each.due else None,
            "put_off_until": stamp(each.put_off_until, zone) if each.put_off_until else None,
            "minutes": waited,
        }
        for each, waited in zip(people, minutes, strict=True)
    ]
    rows = [
        (each.name or "khách", each.channel, shown(each.since, zone), f"{waited} min", _shown(each, zone))
        for each, waited in zip(people, minutes, strict=True)
    ]
    return Report(data, table(rows, "Nobody waits."))


def _shown(each: Waiting, zone: ZoneInfo) -> str:
    if each.due:
        return f"{_ASKS[each.wants]}, by {shown(each.due, zone)} at the latest"
    if each.put_off_until:
        return f"{each.line} [put off until {shown(each.put_off_until, zone)}]"
    if each.held_by != conversations.ELSEWHERE:
        return each.line
    return f"{each.line} [{_ELSEWHERE}; khachquen thread take {each.conversation}]"


def _everyone(session: Session, now: datetime) -> list[Waiting]:
    return sorted([*_for_a_person(session, now), *_to_be_forgotten(session)], key=lambda each: each.since)


def _to_be_forgotten(session: Session) -> list[Waiting]:
    found = []
    for request in privacy.open_requests(session):
        person = customers.person(session, request.identity_id) if request.identity_id else None
        name = (person.customer_name or person.identity_name) if person else f"#{request.customer_id}"
        channel = person.channel if person else ""
        found.append(Waiting(name, channel, request.requested_at, "", _WANTS[request.kind], request.due_at))
    return found


def _for_a_person(session: Session, now: datetime) -> list[Waiting]:
    found = []
    for held in conversations.held(session):
        person = customers.person(session, held.id)
        if person is None or held.waiting_since is None:
            continue
        name = person.customer_name or person.identity_name
        until = attendance.asleep_until(session, held.id, now)
        found.append(
            Waiting(
                name,
                person.channel,
                held.waiting_since,
                _last_line(session, held.id),
                held_by=held.holder,
                conversation=held.id,
                put_off_until=until,
            )
        )
    return found


def _last_line(session: Session, conversation_id: int) -> str:
    """The last thing the customer said, on one short line."""
    lines = transcripts.latest(session, conversation_id, _LINES_LOOKED_AT)
    said = next((line for line in reversed(lines) if line.author == "customer"), None)
    return (clipped(said.text) or ("[media]" if said.media else "")) if said else ""
