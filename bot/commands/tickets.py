"""`khachquen ticket`: support requests that wait for us, one in full, and their end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import tickets
from crm.words import clipped
from storage import customers
from storage.database import Database
from storage.tickets import Photo, TicketRow

_DONE: dict[str, tuple[Callable[[Session, int, datetime], bool], str]] = {
    "answer": (tickets.answer, "answered"),
    "close": (tickets.close, "closed"),
    "reopen": (tickets.reopen, "open again"),
}


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """List the requests that wait, show one, or give one another state. Raises CrmError."""
    zone = settings.timezone
    if arguments.action == "list":
        return _listed(await database.read(partial(_waiting, most=max(1, arguments.most))), zone)
    if arguments.action == "show":
        return _shown(*await database.read(partial(_one, number=arguments.number)), zone)
    change, state = _DONE[arguments.action]
    number = arguments.number
    changed = await database.write(lambda session: change(session, number, now), name="ticket.change")
    return Report({"ticket": number, "changed": changed}, [f"#{number} is {state}{'' if changed else ' already'}."])


def _waiting(session: Session, most: int) -> list[tuple[TicketRow, str]]:
    return [(ticket, _name(session, ticket)) for ticket in tickets.waiting(session, most)]


def _one(session: Session, number: int) -> tuple[TicketRow, str, list[Photo]]:
    ticket = tickets.find(session, number)
    return ticket, _name(session, ticket), tickets.photos(session, number)


def _name(session: Session, ticket: TicketRow) -> str:
    person = customers.person(session, ticket.conversation_id)
    return (person.customer_name or person.identity_name if person else "") or "khách"


def _listed(found: list[tuple[TicketRow, str]], zone: ZoneInfo) -> Report:
    data = [_plain(ticket, name, zone) for ticket, name in found]
    rows = [(f"#{ticket.id}", name, shown(ticket.created_at, zone), clipped(ticket.summary)) for ticket, name in found]
    return Report(data, table(rows, "No support request waits."))


def _shown(ticket: TicketRow, name: str, photos: list[Photo], zone: ZoneInfo) -> Report:
    data = {**_plain(ticket, name, zone), "photos": [photo.url for photo in photos]}
    head = f"#{ticket.id}  {ticket.state}  {name}  {shown(ticket.created_at, zone)}"
    return Report(data, [head, ticket.summary, *(photo.url for photo in photos)])


def _plain(ticket: TicketRow, name: str, zone: ZoneInfo) -> dict[str, object]:
    return {
        "number": ticket.id, "state": ticket.state, "customer": name, "since": stamp(ticket.created_at, zone),
        "summary": ticket.summary,
    }  # fmt: skip
