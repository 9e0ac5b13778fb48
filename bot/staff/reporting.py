"""Makes a report that was too long for the chat into a workbook, and sends that to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from bot import sheets
from bot.drawing.artist import Artist
from bot.jobs import Payload, Work
from bot.staff.context import Office
from crm import outbox, reports, staff
from crm.messages import KEPT, Message, Purpose
from crm.reports import Report, Span
from crm.staff import Permission
from storage import customers, drawings, media
from storage.columns import hashed
from storage.database import Database
from storage.media import Kept

JOB = "staff.report"
KIND = ".xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Reporting:
    """The job that makes the workbook."""

    def __init__(self, database: Database, office: Office, artist: Artist, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._artist, self._clock = database, office, artist, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.make}

    async def make(self, payload: Payload) -> None:
        """Make the report of this span as it is now; `asked_at` says of which day or week it is."""
        office = self._office
        given: dict[str, Any] = {
            "now": datetime.fromisoformat(payload["asked_at"]), "zone": office.zone, "calendar": office.policy.calendar,
        }  # fmt: skip
        found = partial(reports.of, span=Span(payload["span"]), back=payload["back"], **given)
        report = await self._database.read_long(found)
        days = await self._database.read_long(partial(reports.days_of, report=report, **given))
        content = await self._artist.workbook(sheets.of(report, days, office.locale))
        kept = Kept(_name(report), XLSX, content)
        send = partial(
            send_file, chat=payload["chat"], kept=kept, permission=Permission.REPORT, job=JOB, now=self._clock()
        )
        await self._database.write(send, name=JOB)


def _name(report: Report) -> str:
    return f"bao-cao-{report.span}-{report.start:%Y-%m-%d}{KIND}"


def send_file(session: Session, chat: int, kept: Kept, permission: Permission, job: str, now: datetime) -> None:
    """Send what a job made, if the chat is still that of somebody who may see it; kept as long as pictures are."""
    person = customers.person(session, chat)
    if person is None or person.staff_id is None:
        return
    member = staff.find(session, person.staff_id)
    if member.revoked_at is not None or not staff.may(member, permission):
        return
    media_id = media.keep(session, kept, now)
    drawings.note(session, hashed(job, media_id).hex(), media_id, now)
    outbox.send(session, person, [Message(file=f"{KEPT}{media_id}")], Purpose.REPLY, now)
