"""Tells staff when a conversation that they put off is due again, with what was said last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.jobs import Payload, Work
from bot.staff.context import CLI, Office
from crm import attendance, notices, staff
from crm.messages import Message
from storage import attendance as rows
from storage.database import Database

JOB = "staff.wake"


class Waking:
    """The job that ends a snooze."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.wake}

    async def wake(self, payload: Payload) -> None:
        """Tell whoever looks after it and is on shift, else somebody who is; nothing where it was dealt with meanwhile.

        Who waits is told of by the desk, like everybody who does, and for them it stays known until when they were put
        off: an alarm counts from then.
        """
        wake = partial(
            _wake, office=self._office, conversation_id=payload["conversation"], staff_id=payload["staff"],
            now=self._clock(),
        )  # fmt: skip
        await self._database.write(wake, name=JOB)


def _wake(session: Session, office: Office, conversation_id: int, staff_id: int, now: datetime) -> None:
    found = next(iter(rows.some(session, [conversation_id])), None)
    if found is None or found.waiting_since is not None:
        return
    duty = attendance.wake(session, conversation_id, now)
    if duty is None or attendance.is_closed(duty):
        return

    def say(number: int) -> Message:
        values = {"number": number, "name": found.name, "channel": found.channel, "line": found.line or ""}
        return office.templates.render("staff/woken", office.locale, CLI, values)

    there = [each.id for each in staff.on_shift(session, now)]
    owner = next((each for each in (duty.assigned_to, staff_id, *there) if each in there), duty.assigned_to or staff_id)
    notices.tell(session, owner, notices.WOKEN, say, now, conversation_id=conversation_id)
