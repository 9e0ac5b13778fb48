"""The jobs of broadcasts: woken by the clock, they freeze audiences, and close what was cancelled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import broadcast_notices, broadcast_stops
from bot.jobs import Payload, Work
from crm import broadcast_clock, broadcasts, freezing
from crm.broadcast_states import STOPS
from crm.broadcasts import Pause
from crm.content import Content
from crm.errors import CrmError
from crm.segments import AsOf
from crm.verdicts import Policy, Why
from storage import jobs, recipients
from storage.database import Database
from storage.work import TROUBLE

log = logging.getLogger(__name__)

TEND = "broadcasts.tend"
FREEZE = "broadcast.freeze"
FIRST_RANGE = LEAST_RANGE = 200
"""So few take a few milliseconds to freeze, whatever else makes a range late."""
MOST_RANGE = 2000
"""More would save little, and take too long where the disk is asked for each page."""
_PAGE = 10_000


class Broadcasting:
    """What is done for broadcasts beside sending them."""

    def __init__(
        self, database: Database, policy: Policy, frame: AsOf, alone: int, clock: Callable[[], datetime]
    ) -> None:
        """`frame` is what segments are read with. Above `alone` people a broadcast waits for a second person's word; 0
        for never."""
        self._database, self._policy, self._frame, self._alone = database, policy, frame, alone
        self._clock = clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {TEND: self.tend, FREEZE: self.freeze, broadcasts.CLOSE: self.close, broadcasts.HASTEN: self.hasten}

    async def tend(self, payload: Payload) -> None:
        """Pause and go on as the hours say; let what is due be frozen; tell who wrote what stopped by itself."""
        await self._database.write(partial(_tend, now=self._clock(), policy=self._policy), name=TEND)

    async def freeze(self, payload: Payload) -> None:
        """Freeze an audience, a range at a time; may be broken off anywhere, and be done by two at once.

        One that cannot be frozen is paused with the reason, and nobody gets it.
        """
        broadcast = int(payload["broadcast"])
        try:
            await self._freeze(broadcast)
        except TROUBLE:
            raise
        except CrmError as error:
            await self._cannot(broadcast, error)
        except Exception as error:
            log.exception("an audience could not be frozen", extra={"broadcast": broadcast})
            await self._cannot(broadcast, error)

    async def _freeze(self, broadcast: int) -> None:
        start = partial(broadcast_clock.start, broadcast_id=broadcast, now=self._clock(), policy=self._policy)
        await self._database.write(start, name=FREEZE)
        planned = await self._database.read(partial(freezing.plan, broadcast_id=broadcast, frame=self._frame))
        if planned is None:
            return

        def step(session: Session, cursor: int, size: int) -> int | None:
            return freezing.step(session, broadcast, planned, size)

        await self._database.bulk(step, 0, size=FIRST_RANGE, least=LEAST_RANGE, most=MOST_RANGE)
        digest = await self._digest(broadcast)
        whole = partial(
            _frozen, broadcast=broadcast, digest=digest, now=self._clock(), policy=self._policy, alone=self._alone
        )
        await self._database.write(whole, name="broadcast.frozen")

    async def _cannot(self, broadcast: int, error: Exception) -> None:
        stop = partial(_stop, broadcast=broadcast, error=error, now=self._clock())
        await self._database.write(stop, name="broadcast.unfrozen")

    async def close(self, payload: Payload) -> None:
        """Give everybody of a cancelled broadcast who still waits their end."""
        broadcast = int(payload["broadcast"])

        def step(session: Session, cursor: int, size: int) -> int | None:
            return cursor if recipients.close(session, broadcast, Why.CANCELLED, size) else None

        await self._database.bulk(step, 0)
        closed = partial(broadcasts.closed, broadcast_id=broadcast, now=self._clock())
        await self._database.write(closed, name="broadcast.closed")

    async def hasten(self, payload: Payload) -> None:
        """Let those be due now who were put off for what their broadcast lacked."""
        broadcast, now = int(payload["broadcast"]), self._clock()

        def step(session: Session, cursor: int, size: int) -> int | None:
            return recipients.hasten(session, broadcast, STOPS, now, cursor, size)

        await self._database.bulk(step, 0)

    async def _digest(self, broadcast: int) -> str:
        """The SHA-256 of all customers' ids in their order, eight bytes each: what was frozen can be told again."""
        found, after = hashlib.sha256(), 0
        while page := await self._database.read(
            partial(recipients.audience, broadcast_id=broadcast, after=after, most=_PAGE)
        ):
            found.update(b"".join(each.to_bytes(8, "big") for each in page))
            after = page[-1]
        return found.hexdigest()


def _frozen(session: Session, broadcast: int, digest: str, now: datetime, policy: Policy, alone: int) -> None:
    """The audience is whole. Where it has grown so that two must agree, those who may are told."""
    before = broadcasts.get(session, broadcast)
    broadcast_clock.frozen(session, broadcast, digest, now, policy, alone=alone)
    found = broadcasts.get(session, broadcast)
    if before.state != found.state and found.pause_reason == Pause.APPROVAL:
        broadcast_notices.call_second(session, found, found.audience, now)


def _stop(session: Session, broadcast: int, error: Exception, now: datetime) -> None:
    """Why it cannot be frozen is kept in the language of what it says."""
    language = Content.loads(broadcasts.get(session, broadcast).content).language
    words = error.words(language) if isinstance(error, CrmError) else type(error).__name__
    broadcasts.pause(session, broadcast, Pause.UNFROZEN, broadcasts.SYSTEM, now, words=words)


def _tend(session: Session, now: datetime, policy: Policy) -> None:
    """Staff are told in the hours in which sending is lawful: by night nothing could go on anyway."""
    due = broadcast_clock.tend(session, now, policy)
    jobs.add_many(session, [jobs.row(FREEZE, str(each), {"broadcast": each}, now) for each in due])
    if policy.hours.is_lawful(now):
        broadcast_stops.tell(session, now, policy.hours.zone)
