"""Tells staff how what they sent ended, once and truly, and keeps account of which notices got through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter

from sqlmodel import Session

from bot import failures
from bot.jobs import Payload, Work
from bot.staff.context import CLI, Office
from bot.staff.sending import remaining
from crm import notices, replies, tickets
from crm.messages import Message
from storage import customers, jobs
from storage import notices as notice_rows
from storage import outbox as queue
from storage import replies as store
from storage.customers import Person
from storage.database import Database
from storage.replies import SendRow

JOB = "staff.receipts"
AT_ONCE = 100


class Receipts:
    """The job that tells what no sending worker told."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.tell}

    async def tell(self, payload: Payload) -> None:
        """Tell of every message that came to an end; costs one reading where there is none."""
        if await self._database.read(_is_any):
            await self._database.write(partial(tell, office=self._office, now=self._clock()), name=JOB)


def ask(session: Session, now: datetime) -> None:
    """Something that staff sent came to an end: let them be told."""
    jobs.add_many(session, [jobs.row(JOB, "ended", {}, now)])


def _is_any(session: Session) -> bool:
    return bool(store.ended(session, 1) or notice_rows.ended(session, 1))


def tell(session: Session, office: Office, now: datetime) -> None:
    """Tell senders how their messages ended, each once, when all its parts did."""
    notices.settle(session)
    ended = store.ended(session, AT_ONCE)
    if not ended:
        return
    over = {part.id for part in ended}
    every = store.parts(session, {part.part_of for part in ended})
    for _, group in groupby(sorted(every, key=attrgetter("part_of", "id")), key=attrgetter("part_of")):
        parts = list(group)
        if all(part.id in over or part.state == queue.WITHDRAWN for part in parts):
            _tell(session, office, parts, now)
            store.told(session, [part.id for part in parts], now)


def _tell(session: Session, office: Office, parts: list[SendRow], now: datetime) -> None:
    first = parts[0]
    person = customers.person(session, first.conversation_id)
    assert person is not None
    failed = next((part for part in parts if part.state != queue.SENT), None)
    customers.lock(session, [person.customer_id])
    if any(part.state == queue.SENT for part in parts):
        tickets.staff_answered(session, first.conversation_id, first.at, office.policy)
    else:
        replies.undone(session, first)
    if failed is None and first.surface == CLI:
        return
    say = partial(_words, office=office, person=person, failed=failed, now=now)
    notices.tell(
        session, first.staff_id, "receipt", say, now, conversation_id=first.conversation_id, surface=first.surface,
        interrupts=failed is not None,
    )  # fmt: skip


def _words(number: int, office: Office, person: Person, failed: SendRow | None, now: datetime) -> Message:
    rules = office.channels[person.channel].rules
    left = remaining(replies.may_send(person, rules, now), now)
    name = person.customer_name or person.identity_name or "khách"
    values = {"name": name, "number": number, "channel": person.channel, "left": left}
    if failed is None:
        return office.templates.render("staff/sent", office.locale, CLI, values)
    unknown = failed.state == queue.UNKNOWN
    told = {**values, "error": failed.error, "why": failures.told(failed.error).of(office.locale), "unknown": unknown}
    return office.templates.render("staff/failed", office.locale, CLI, told)
