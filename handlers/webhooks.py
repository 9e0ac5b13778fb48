"""The door that the platforms post to: verify, keep, answer 200 at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache

from aiohttp import web
from prometheus_client import Counter, Histogram

from bot.channels.abilities import Polled
from bot.channels.base import Channel, Keys, Raw, Received, Verdict
from bot.doorkeeper import Doorkeeper
from storage import inbox
from storage.database import Database
from storage.faults import faultpoint
from storage.inbox import Arrival
from storage.work import Closed, Lane, Priority

log = logging.getLogger(__name__)

WEBHOOKS = Counter("khachquen_webhooks_total", "Webhook bodies by channel and verdict", ["channel", "verdict"])
ACCEPT_S = Histogram(
    "khachquen_accept_seconds", "From a body read to its rows kept", buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 2)
)

View = Callable[[web.Request], Awaitable[web.Response]]

MAX_BODY = 4 * 1024 * 1024
ACCEPT_WITHIN_S = 1.5
READ_WITHIN_S = 10


class Door:
    """One webhook address of one channel."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        keys: Callable[[str], Keys],
        freshen: Callable[[], Awaitable[None]],
        keeper: Doorkeeper,
        clock: Callable[[], datetime],
    ) -> None:
        """`freshen` reads the accounts again: a body for an unknown one may be for one that was just connected."""
        self._channels, self._keys, self._freshen, self._clock = channels, keys, freshen, clock
        self._keeper = keeper
        self._lane: Lane[Arrival] = database.lane(
            "inbox.accept", inbox.accept, priority=Priority.ACCEPT, topic=inbox.TOPIC
        )

    def routes(self) -> list[web.RouteDef]:
        """GET and POST of every channel that posts to us."""
        found = []
        for name in (name for name, channel in self._channels.items() if not isinstance(channel, Polled)):
            found.append(web.get(f"/webhooks/{name}", self._handshake(name), allow_head=False))
            found.append(web.post(f"/webhooks/{name}", self._events(name)))
        return found

    def _handshake(self, name: str) -> View:
        async def handshake(request: web.Request) -> web.Response:
            """Answer the platform's challenge."""
            answer = self._channels[name].challenge(request.query, self._keys(name))
            return web.Response(status=403) if answer is None else web.Response(text=answer)

        return handshake

    def _events(self, name: str) -> View:
        channel = self._channels[name]

        async def events(request: web.Request) -> web.Response:
            """Keep what happened; 200 is a promise that it is on disk."""
            try:
                body = await _body(request)
            except TimeoutError:
                return web.Response(status=408)
            except web.RequestPayloadError:
                return web.Response(status=400)
            faultpoint("t1.read")
            now = self._clock()
            received = channel.receive(request.headers, body, self._keys(name), now)
            if received.buried:
                await self._freshened(name, received, now)
                received = channel.receive(request.headers, body, self._keys(name), now)
            _counted(name, received.verdict).inc()
            if received.raws or received.buried:
                faultpoint("t1.verified")
                if not await self._keep(name, received, now):
                    return web.Response(status=503, headers={"Retry-After": "5"})
                faultpoint("t1.committed")
            return web.Response(status=received.status)

        return events

    async def _keep(self, name: str, received: Received, now: datetime) -> bool:
        rows = _arrivals(name, received.raws, now, "") + _arrivals(name, received.buried, now, "not understood")
        kept = False
        try:
            with ACCEPT_S.time():
                async with asyncio.timeout(ACCEPT_WITHIN_S):
                    await self._lane.put(rows)
            kept = True
        except (TimeoutError, Closed):
            log.warning("a webhook was not kept in time; the platform will send it again")
        except Exception:
            log.exception("a webhook could not be kept; the platform will send it again")
        self._note(name, received, now, kept=kept)
        return kept

    async def _freshened(self, name: str, received: Received, now: datetime) -> None:
        try:
            await self._freshen()
        except Exception:
            self._note(name, received, now, kept=False)
            raise

    def _note(self, name: str, received: Received, now: datetime, *, kept: bool) -> None:
        for raw in (*received.raws, *received.buried):
            self._keeper.answered(name, raw.account_id, now, kept=kept)


@cache
def _counted(channel: str, verdict: Verdict) -> Counter:
    return WEBHOOKS.labels(channel, verdict.value)


async def _body(request: web.Request) -> bytes:
    """The whole body. One that has not arrived yet gets a time limit, so that nobody holds a connection for ever."""
    if request.content.is_eof():
        return await request.read()
    async with asyncio.timeout(READ_WITHIN_S):
        return await request.read()


def _arrivals(channel: str, raws: Sequence[Raw], now: datetime, dead: str) -> list[Arrival]:
    return [
        Arrival(channel, raw.account_id, raw.thread_key, raw.dedup_key, raw.occurred_at, now, raw.body, dead)
        for raw in raws
    ]
