"""Keeps a picture that staff sent for a canned reply, for as long as the reply shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.channels.base import Channel, SendError, SendErrorKind
from bot.drawing.artist import Artist
from bot.drawing.borrowing import Borrower
from bot.jobs import Payload, Work
from bot.staff.context import CLI, Office
from crm import notices, ready
from crm.messages import KEPT, Message
from crm.ready import Kind
from storage import media
from storage import ready as rows
from storage.database import Database
from storage.media import Kept

JOB = "staff.picture"


class Picturing:
    """The job that copies the picture from the platform that it was sent to."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        office: Office,
        artist: Artist,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._office, self._clock = database, office, clock
        self._borrower = Borrower(channels, artist)

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.keep}

    async def keep(self, payload: Payload) -> None:
        """Copy it and tell, also where it is no picture. Raises SendError where it may come later."""
        taken, refusal = None, ""
        try:
            taken = await self._borrower.taken(payload["picture"].removeprefix(KEPT))
        except SendError as error:
            if error.kind is not SendErrorKind.PERMANENT:
                raise
            refusal = error.words.vi if self._office.locale == "vi" else error.words.en
        keep = partial(_keep, office=self._office, payload=payload, taken=taken, refusal=refusal, now=self._clock())
        await self._database.write(keep, name=JOB)


def _keep(session: Session, office: Office, payload: Payload, taken: Kept | None, refusal: str, now: datetime) -> None:
    row = rows.find(session, Kind.REPLY, payload["name"])
    if row is None:
        return
    if taken is not None:
        ready.keep_picture(session, row, media.keep(session, taken, now), payload["staff"], now)

    def say(number: int) -> Message:
        return office.templates.render("staff/canned_pictured", office.locale, CLI, {"row": row, "refusal": refusal})

    notices.tell(session, payload["staff"], "canned", say, now, surface=payload["surface"], interrupts=False)
