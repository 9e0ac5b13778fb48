"""Works out once a day where the fifths of the customers begin, by which segments score them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.jobs import Payload, Work
from crm import rfm
from storage import fifths
from storage.database import Database

JOB = "segments.score"


class Scoring:
    """The job; a day that is kept already is not worked out again."""

    def __init__(self, database: Database, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._database, self._zone, self._clock = database, zone, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.score}

    async def score(self, payload: Payload) -> None:
        """Read all orders beside everything else, and keep the few figures that come of it."""
        now = self._clock()
        found = await self._database.read_long(partial(rfm.due, now=now, zone=self._zone))
        if found:
            await self._database.write(partial(fifths.keep, day=rfm.day_of(now, self._zone), found=found), name=JOB)
