"""Webhooks to the bot: signed as the platforms sign them, delivered in order per person, and redelivered."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from simulator.config import SimulatorConfig
from simulator.faults import Fault, FaultScript
from simulator.live import LiveFeed
from simulator.people import ZALO

CONNECTIONS = 100


def zalo_mac(app_id: str, raw: bytes, timestamp: str, oa_secret_key: str) -> str:
    """Zalo's `X-ZEvent-Signature`: a plain SHA-256, not an HMAC (docs: webhook/tong-quan)."""
    return "mac=" + hashlib.sha256(app_id.encode() + raw + timestamp.encode() + oa_secret_key.encode()).hexdigest()


def messenger_signature(raw: bytes, app_secret: str) -> str:
    """Messenger's `X-Hub-Signature-256` over the bytes as sent (docs: messenger-platform/webhooks)."""
    return "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()


def zalo_bytes(body: dict[str, Any]) -> bytes:
    """A webhook body as Zalo writes it: compact UTF-8."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def messenger_bytes(body: dict[str, Any]) -> bytes:
    """A webhook body as Meta writes it: non-ASCII as `\\u00e4`, and `/` as `\\/`."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


@dataclass(slots=True)
class Delivery:
    """One webhook on its way; `status` is what the bot answered to the first try, None for no answer.

    `on_taken` is called once, when the bot has taken it.
    """

    channel: str
    raw: bytes
    headers: dict[str, str]
    tries: int = 0
    on_taken: Callable[[], None] | None = None
    status: asyncio.Future[int | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(slots=True)
class Tally:
    """How deliveries went: `failed` counts tries, `given_up` webhooks that were never taken."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0


class Courier:
    """Posts webhooks: one person's in order, different persons' side by side."""

    def __init__(self, config: SimulatorConfig, faults: FaultScript, live: LiveFeed) -> None:
        self.config = config
        self.faults = faults
        self.bot_url = config.bot_url
        self.tally = Tally()
        self.bot_is_up: bool | None = None
        self._live = live
        self._lanes: dict[str, deque[Delivery]] = {}
        self._held: Delivery | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Starts the HTTP client."""
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Drops whatever waits and closes the client."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def idle(self) -> None:
        """Returns when nothing is on its way and no redelivery waits."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def send(self, channel: str, user_id: str, body: dict[str, Any], delay_s: float = 0.0) -> Delivery:
        """Signs a body and sends it after whatever waits for that person."""
        return self.send_raw(
            channel, user_id, zalo_bytes(body) if channel == ZALO else messenger_bytes(body), body, delay_s
        )

    def send_raw(self, channel: str, user_id: str, raw: bytes, body: dict[str, Any], delay_s: float = 0.0) -> Delivery:
        """Signs bytes that are already written; `body` is what they say."""
        delivery = Delivery(channel, raw, self._sign(channel, raw, body))
        self.tally.waiting += 1
        if delay_s > 0:
            self._spawn(self._later(delay_s, user_id, delivery))
        else:
            self._enqueue(user_id, delivery)
        return delivery

    def _sign(self, channel: str, raw: bytes, body: dict[str, Any]) -> dict[str, str]:
        config = self.config
        if channel == ZALO:
            app_id = str(body.get("app_id") or config.zalo_app_id)
            mac = zalo_mac(app_id, raw, str(body.get("timestamp", "")), config.zalo_oa_secret_key)
            return {"Content-Type": "application/json", "X-ZEvent-Signature": mac}
        return {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": messenger_signature(raw, config.messenger_app_secret),
        }

    def _enqueue(self, user_id: str, delivery: Delivery) -> None:
        lane = self._lanes.get(user_id)
        if lane is not None:
            lane.append(delivery)
            return
        self._lanes[user_id] = deque([delivery])
        self._spawn(self._drive(user_id))

    async def _later(self, delay_s: float, user_id: str, delivery: Delivery) -> None:
        await asyncio.sleep(delay_s)
        self._enqueue(user_id, delivery)

    async def _drive(self, user_id: str) -> None:
        lane = self._lanes[user_id]
        while lane:
            delivery = lane.popleft()
            fault = self.faults.for_webhook(delivery.channel) if self.faults.webhooks else None
            if fault is None:
                await self._attempt(delivery)
                self._let_go()
            else:
                await self._spoil(fault, delivery)
        del self._lanes[user_id]

    async def _spoil(self, fault: Fault, delivery: Delivery) -> None:
        if fault.fault == "duplicate":
            twin = Delivery(delivery.channel, delivery.raw, delivery.headers)
            self.tally.waiting += 1
            self._spawn(self._attempt(twin))
            await self._attempt(delivery)
        elif fault.fault == "delay":
            await asyncio.sleep(fault.seconds)
            await self._attempt(delivery)
        elif fault.fault == "outage":
            self._lose(delivery)
        else:
            self._let_go()
            self._held = delivery
            delivery.status.set_result(None)
            self._spawn(self._release_at_latest(delivery, fault.seconds or 1.0))

    def _lose(self, delivery: Delivery) -> None:
        """It does not reach the bot and does not come again."""
        delivery.status.set_result(None)
        self.tally.failed += 1
        self.tally.given_up += 1
        self.tally.waiting -= 1

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._spawn(self._attempt(held))

    async def _release_at_latest(self, delivery: Delivery, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._held is delivery:
            self._let_go()

    async def _attempt(self, delivery: Delivery) -> None:
        status = await self._post(delivery)
        delivery.tries += 1
        if not delivery.status.done():
            delivery.status.set_result(status)
        if status is not None and 200 <= status < 300:
            self.tally.delivered += 1
            self.tally.waiting -= 1
            self._live.publish("delivered", {"count": self.tally.delivered})
            if delivery.on_taken is not None:
                delivery.on_taken()
            return
        self.tally.failed += 1
        ladder = self.config.retry_ladder_s if self.config.retries else ()
        if delivery.tries > len(ladder):
            self.tally.given_up += 1
            self.tally.waiting -= 1
            return
        self._spawn(self._retry(delivery, ladder[delivery.tries - 1]))

    async def _retry(self, delivery: Delivery, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if delivery.channel == ZALO:
            delivery.headers["num_retry"] = str(delivery.tries)
        await self._attempt(delivery)

    async def _post(self, delivery: Delivery) -> int | None:
        config = self.config
        patience = config.zalo_answer_s if delivery.channel == ZALO else config.messenger_answer_s
        url = f"{self.bot_url.rstrip('/')}/webhooks/{delivery.channel}"
        status: int | None = None
        if self.bot_url and self._session is not None:
            try:
                async with self._session.post(
                    url,
                    data=delivery.raw,
                    headers=delivery.headers,
                    timeout=aiohttp.ClientTimeout(total=patience),
                ) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError, OSError):
                status = None
        self._note_bot(status is not None and status < 500)
        return status

    def _note_bot(self, is_up: bool) -> None:
        if is_up is not self.bot_is_up:
            self.bot_is_up = is_up
            self._live.publish("bot", {"up": is_up})

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
