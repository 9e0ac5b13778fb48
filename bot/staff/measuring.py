"""How many customers a segment has, counted beside the chat that asks, for among very many it takes long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlmodel import Session

from bot.jobs import Payload, Work
from bot.staff import hearing
from bot.staff.context import Office, StaffContext
from crm import segments
from crm.errors import CrmError
from crm.staff import Permission
from storage import search
from storage.database import Database

JOB = "staff.segment"
SAMPLE = 3


class Measured(NamedTuple):
    """How many customers a segment has, and the names of some."""

    customers: int
    some: list[str]


class Measuring:
    """The job that counts, and tells in the chat in which it was asked for."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.count}

    async def count(self, payload: Payload) -> None:
        """Count, and tell, or why nothing can be counted."""
        count = partial(_measured, text=payload["segment"], at=self._office.sender.frame(self._clock()))
        try:
            found: Measured | CrmError = await self._database.read_long(count)
        except CrmError as error:
            found = error
        tell = partial(_tell, office=self._office, payload=payload, found=found, now=self._clock())
        await self._database.write(tell, name=JOB)


def ask(ctx: StaffContext, segment: str) -> None:
    """Have a segment counted for this chat; on the command line nothing is counted."""
    if ctx.chat is not None:
        payload = {"staff": ctx.member.id, "chat": ctx.chat.identity_id, "segment": segment}
        ctx.later(JOB, f"{ctx.surface}:{hashlib.sha256(segment.encode()).hexdigest()[:32]}", payload)


def _measured(session: Session, text: str, at: segments.AsOf) -> Measured:
    segment = segments.parse(text)
    some = search.details(session, segments.sample(session, segment, at, SAMPLE))
    return Measured(segments.count(session, segment, at), [each.name for each in some if each.name])


def _tell(session: Session, office: Office, payload: Payload, found: Measured | CrmError, now: datetime) -> None:
    """Tell it, if the chat is still that of somebody who may see it."""
    ctx = hearing.told_later(session, office, payload, now, Permission.REPORT)
    if ctx is None:
        return
    if isinstance(found, CrmError):
        ctx.reply("refused", words=found.words(ctx.locale), usage="")
    else:
        values: dict[str, Any] = {"segment": payload["segment"], "count": found.customers, "some": found.some}
        ctx.reply("segment_count", **values)
    hearing.tell(ctx)
