"""`khachquen ticket`: support requests that wait for us, one in full, what it is about, how urgent it is, its end."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.report import Refused, Report, shown, stamp, table
from bot.service import policy_of
from bot.settings import Settings
from crm import categories, ratings, sla, tickets
from crm.categories import TABLE, Category
from crm.ratings import RatingRow, Reason
from crm.sla import Policy, Priority
from crm.words import clipped
from storage import customers, media
from storage.database import Database
from storage.tickets import Photo, TicketRow

Change = Callable[[Session, int, datetime, Policy], bool]


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket with its customer's name, and by when an answer and its end are promised."""

    ticket: TicketRow
    name: str
    answer_by: datetime | None
    end_by: datetime | None

    @property
    def next_due(self) -> datetime | None:
        """The earlier of the two; None where both clocks stand still."""
        return min(filter(None, (self.answer_by, self.end_by)), default=None)


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """List the requests that wait, show one, or change one. Raises CrmError, and Refused for what is no category."""
    zone = settings.timezone
    if arguments.action == "list":
        found = await database.read(partial(_waiting, arguments=arguments))
        return _listed(found, zone, now)
    number = arguments.number
    if arguments.action == "show":
        listed, photos, rating = await database.read(partial(_one, number=number))
        if arguments.save is not None:
            await _save(database, photos, arguments.save)
        return _shown(listed, photos, rating, zone, now)
    change, state = _change(arguments)
    policy = policy_of(settings)
    changed = await database.write(lambda session: change(session, number, now, policy), name="ticket.change")
    words = f"{tickets.label(number)} is {state}{'' if changed else ' already'}."
    return Report({"ticket": number, "changed": changed}, [words])


async def _save(database: Database, photos: list[Photo], folder: Path) -> None:
    """Write our copies of the photos into a folder; those that are there already are left."""
    for media_id in filter(None, (photo.media_id for photo in photos)):
        kept = await database.read(partial(media.find, media_id=media_id))
        if kept is not None:
            path = folder / f"{media_id[:12]}{Path(kept.name).suffix}"
            await asyncio.to_thread(_write, path, kept.content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content)


def _change(arguments: Namespace) -> tuple[Change, str]:
    """What is to be done, and what the ticket is then."""
    action = arguments.action
    if action == "close":
        return partial(tickets.close, cause=arguments.cause), "closed"
    if action == "category":
        category = _category(arguments.to)
        return lambda session, number, _now, _policy: tickets.correct_category(
            session, number, category
        ), f"about {TABLE[category].en}"
    if action == "priority":
        priority = Priority(arguments.to)
        return lambda session, number, now, policy: tickets.set_priority(
            session, number, priority, now, policy
        ), f"of {priority} priority"
    return (tickets.answer, "answered") if action == "answer" else (tickets.reopen, "open again")


def _category(key: str) -> Category:
    category = categories.chosen(key)
    if category is None:
        keys = ", ".join(f"{about.key} {about.en}" for about in TABLE.values())
        raise Refused(f"There is no category {key!r}; there are: {keys}.")
    return category


def _waiting(session: Session, arguments: Namespace) -> list[Listed]:
    """Those that wait for us, oldest or most urgent first."""
    category = _category(arguments.category) if arguments.category else None
    found = [
        ticket
        for ticket in tickets.waiting(session, _LOOKED_AT if arguments.by == "due" else max(1, arguments.most))
        if category in (None, ticket.category) and arguments.priority in (None, ticket.priority)
    ]
    listed = _with_promises(session, found)
    if arguments.by == "due":
        listed.sort(key=lambda each: (each.next_due is None, each.next_due or each.ticket.created_at))
    return listed[: max(1, arguments.most)]


def _with_promises(session: Session, found: list[TicketRow]) -> list[Listed]:
    numbers = [ticket.id for ticket in found]
    answers, ends = sla.promises(session, numbers), sla.ends(session, numbers)
    return [Listed(each, _name(session, each), answers.get(each.id), ends.get(each.id)) for each in found]


def _one(session: Session, number: int) -> tuple[Listed, list[Photo], RatingRow | None]:
    (listed,) = _with_promises(session, [tickets.find(session, number)])
    return listed, tickets.photos(session, number), ratings.find(session, number)


def _name(session: Session, ticket: TicketRow) -> str:
    person = customers.person(session, ticket.conversation_id)
    return (person.customer_name or person.identity_name if person else "") or "khách"


def _listed(found: list[Listed], zone: ZoneInfo, now: datetime) -> Report:
    data = [_plain(each, zone) for each in found]
    rows = [
        (
            tickets.label(each.ticket.id), each.name, shown(each.ticket.created_at, zone), each.ticket.priority,
            _about(each.ticket), _nearest(each, zone, now),
            clipped(each.ticket.summary),
        )
        for each in found
    ]  # fmt: skip
    return Report(data, table(rows, "No support request waits."))


def _shown(each: Listed, photos: list[Photo], rating: RatingRow | None, zone: ZoneInfo, now: datetime) -> Report:
    ticket = each.ticket
    shots = [photo._asdict() | {"at": stamp(photo.at, zone)} for photo in photos]
    data = {**_plain(each, zone), "photos": shots, "rating": _rated(rating)}
    promises = [_promise("answer", each.answer_by, zone, now), _promise("end", each.end_by, zone, now)]
    lines = [
        f"{tickets.label(ticket.id)}  {ticket.state}  {each.name}  {shown(ticket.created_at, zone)}",
        "  ".join(filter(None, (f"{ticket.priority} priority", _about(ticket), *promises))),
        ticket.summary,
        *([f"cause: {ticket.cause}"] if ticket.cause else []),
        *([_rating(rating)] if rating else []),
        *map(_photo, photos),
    ]
    return Report(data, lines)


def _rated(rating: RatingRow | None) -> dict[str, object] | None:
    if rating is None:
        return None
    return {"state": rating.state, "score": rating.score, "comment": rating.comment, "reason": rating.reason}


def _rating(rating: RatingRow) -> str:
    """How content the customer was, or how far the question is."""
    if rating.score is not None:
        return f"rated {rating.score}/5" + (f": {rating.comment}" if rating.comment else "")
    if rating.state == "skipped":
        return f"rating: not asked, {_WHY_NOT[Reason(rating.reason)]}"
    return "rating: asked, no answer yet" if rating.state == "asked" else "rating: to be asked"


def _photo(photo: Photo) -> str:
    """Where a photo is: our copy by its id, else the platform's address with why there is no copy."""
    if photo.media_id:
        return f"photo {photo.media_id[:12]}"
    return f"photo not copied: {photo.trouble}  {photo.url}" if photo.trouble else f"photo not copied yet: {photo.url}"


def _about(ticket: TicketRow) -> str:
    return TABLE[Category(ticket.category)].en


def _nearest(each: Listed, zone: ZoneInfo, now: datetime) -> str:
    return _promise("answer", each.answer_by, zone, now) or _promise("end", each.end_by, zone, now)


def _promise(what: str, at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    if at is None:
        return ""
    return f"{what} {'was due' if at <= now else 'by'} {shown(at, zone)}"


def _plain(each: Listed, zone: ZoneInfo) -> dict[str, object]:
    ticket = each.ticket
    return {
        "number": ticket.id, "state": ticket.state, "customer": each.name, "since": stamp(ticket.created_at, zone),
        "summary": ticket.summary, "category": ticket.category, "priority": ticket.priority, "cause": ticket.cause,
        "answer_by": stamp(each.answer_by, zone) if each.answer_by else None,
        "end_by": stamp(each.end_by, zone) if each.end_by else None,
    }  # fmt: skip


_WHY_NOT = {
    Reason.WINDOW_CLOSED: "the reply window was closed",
    Reason.BUSY: "other matters of this customer went on",
}
_LOOKED_AT = 1000
"""How many of the oldest are looked through for the most urgent."""
