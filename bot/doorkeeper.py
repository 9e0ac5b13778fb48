"""Knows when the doors were open: a beat every few seconds, and what was missed while they were not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.catchup import MARGIN
from bot.service import Service
from storage import catchup, doors, errors
from storage.doors import Key

log = logging.getLogger(__name__)

BEAT_S = 4.0
SHUT_AFTER = timedelta(seconds=10)
"""So long may no door beat until it counts as shut: a platform sends again what it could not deliver so shortly."""


class Doorkeeper:
    """Notes in memory what the doors answered; a beat writes it down, and asks for what was missed to be read again.

    `uptime` counts seconds whatever the clock says: it shows where this process itself was stopped for a while.
    """

    def __init__(
        self, service: Service, clock: Callable[[], datetime], uptime: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._clock, self._uptime = service, clock, uptime
        self._beat_at = uptime()
        self._heard: dict[Key, datetime] = {}
        self._missed: dict[Key, datetime] = {}

    def answered(self, channel: str, account_id: str, at: datetime, *, kept: bool) -> None:
        """A webhook was kept, or was refused with a 5xx although it was good."""
        if kept:
            self._heard[channel, account_id] = at
        else:
            self._missed.setdefault((channel, account_id), at)

    @asynccontextmanager
    async def attending(self) -> AsyncIterator[None]:
        """The doors are open until the block ends."""
        await self._open()
        beating = asyncio.create_task(self._beats())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            await self._beat()

    async def _open(self) -> None:
        now, keys = self._clock(), self._keys()

        def opened(session: Session) -> list[Key]:
            return _opened(session, keys, now)

        self._tell(await self._service.database.write(opened, name="doors.open"))
        self._beat_at = self._uptime()

    def _tell(self, shut: list[Key]) -> None:
        for channel, account_id in shut:
            words = "the door was shut; what was said meanwhile is read from the platform"
            log.warning(words, extra={"channel": channel, "account": account_id})

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat()

    async def _beat(self) -> None:
        """Write down what was noted since the last beat; if that fails, the next one does."""
        heard, missed = self._heard, self._missed
        self._heard, self._missed = {}, {}
        now, uptime = self._clock(), self._uptime()
        stood_still = uptime - self._beat_at > SHUT_AFTER.total_seconds()
        try:
            await self._service.accounts.freshen()
            keys = self._keys()

            def beat(session: Session) -> list[Key]:
                shut = _opened(session, keys, now) if stood_still else []
                doors.beat(session, keys, {key: at for key, at in heard.items() if key in keys}, now)
                for key in sorted(missed.keys() & keys):
                    catchup.ask(session, *key, missed[key] - MARGIN, now + MARGIN, now)
                return shut

            self._tell(await self._service.database.write(beat, name="doors.beat"))
            self._beat_at = uptime
        except BaseException as error:
            self._heard = heard | self._heard
            self._missed |= missed
            if not isinstance(error, Exception):
                raise
            log.warning("that the doors are open could not be written down", extra={"why": errors.named(error)})

    def _keys(self) -> frozenset[Key]:
        """The accounts whose webhooks are taken."""
        keys = {name: self._service.keys(name) for name in self._service.channels}
        return frozenset((name, each) for name, own in keys.items() if not own.pending for each in own.account_ids)


def _opened(session: Session, keys: Collection[Key], now: datetime) -> list[Key]:
    """These doors open, now or again; those that were shut, whose conversations are asked to be read."""
    shut = doors.opened(session, keys, now, SHUT_AFTER)
    for key, since in sorted(shut.items()):
        catchup.ask(session, *key, since - MARGIN, now + MARGIN, now)
    return sorted(shut)
