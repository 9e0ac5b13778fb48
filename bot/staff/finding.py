"""Tells staff in which conversations the words stand that they look for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import searching
from bot.jobs import Payload, Work
from bot.searching import Found
from bot.staff.context import CLI, Office
from crm import notices, numbers, said, staff
from crm.messages import Message
from crm.staff import Permission
from storage.database import Database

JOB = "staff.find"


class Finding:
    """The job that looks, and tells in the chat in which it was asked for."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.find}

    async def find(self, payload: Payload) -> None:
        """Look through all conversations, and tell."""
        found = await searching.found(self._database, payload["words"], payload["before"])
        tell = partial(_tell, office=self._office, payload=payload, found=found, now=self._clock())
        await self._database.write(tell, name=JOB)


def _tell(session: Session, office: Office, payload: Payload, found: Found, now: datetime) -> None:
    member, surface = staff.find(session, payload["staff"]), payload["surface"]
    if member.revoked_at is not None or not staff.may(member, Permission.LOOK_UP):
        return
    places = list(dict.fromkeys(line.conversation_id for line in found.lines))
    bound = dict(zip(places, numbers.bind(session, member.id, surface, numbers.CONVERSATION, places, now), strict=True))
    given = said.wanted(payload["words"])
    rows = [(bound[line.conversation_id], line, said.excerpt(line.text, given)) for line in found.lines]

    def say(number: int) -> Message:
        values = {"rows": rows, "words": payload["words"], "before": found.before}
        return office.templates.render("staff/said_found", office.locale, CLI, values)

    notices.tell(session, member.id, "found", say, now, surface=surface, interrupts=False)
