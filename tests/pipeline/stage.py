"""The whole product between two simulated platforms that echo, lose answers and fail on demand; the clock is ours."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import aiohttp
from aiohttp.test_utils import TestServer
from sqlalchemy import bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

import main
from bot import upkeep
from bot.commands.report import Outside
from bot.service import Service
from bot.settings import Settings
from crm import outbox
from crm.messages import Message, Purpose
from simulator import speech
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.faults import read_fault
from simulator.people import ZALO, Contact
from simulator.platform import PLATFORM, Call, Platform
from simulator.webhooks_out import Delivery, messenger_bytes, messenger_signature, zalo_bytes, zalo_mac
from storage import customers, inbox, jobs, transcripts
from storage import outbox as outbox_rows
from storage.customers import Person
from tests.conftest import Clock

T = TypeVar("T")
Json = dict[str, Any]

PATIENCE_S = 15.0
ASK = "xem điểm"
ANSWER = (
    "Cuộc trò chuyện này chưa được liên kết nên mình chưa xem được điểm của bạn. "
    "Bạn liên kết số điện thoại đã dùng khi mua để mình tra giúp nhé."
)


def environment(config: SimulatorConfig, base: str, database_url: str, **more: str) -> dict[str, str]:
    """The settings of a product whose platforms are a simulator at `base`, as environment variables."""
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a secret key for tests only",
        "SQLITE_SYNCHRONOUS": "OFF",
        "ZALO_SENDS_PER_MINUTE": "0",
        "MESSENGER_SENDS_PER_SECOND": "0",
        "ZALO_APP_ID": config.zalo_app_id,
        "ZALO_APP_SECRET": config.zalo_app_secret,
        "ZALO_OA_ID": config.zalo_oa_id,
        "ZALO_OA_SECRET_KEY": config.zalo_oa_secret_key,
        "ZALO_ACCESS_TOKEN": config.zalo_access_token,
        "ZALO_REFRESH_TOKEN": config.zalo_refresh_token,
        "ZALO_API_URL": f"{base}/zalo",
        "ZALO_OAUTH_URL": f"{base}/zalo-oauth",
        "ZALO_BUSINESS_API_URL": f"{base}/zalo-business",
        "ZALO_BOT_API_URL": f"{base}/zalo-bot",
        "MESSENGER_PAGE_ID": config.messenger_page_id,
        "MESSENGER_PAGE_TOKEN": config.messenger_page_token,
        "MESSENGER_APP_ID": config.messenger_app_id,
        "MESSENGER_APP_SECRET": config.messenger_app_secret,
        "MESSENGER_VERIFY_TOKEN": config.messenger_verify_token,
        "MESSENGER_GRAPH_URL": f"{base}/graph/v26.0",
        **more,
    }


@dataclass(slots=True)
class Stage:
    """The product, the platforms, the time, and hands for all three."""

    service: Service
    platform: Platform
    clock: Clock
    url: str
    http: aiohttp.ClientSession

    @property
    def outside(self) -> Outside:
        """What a command beside the service has of the world."""
        return Outside(self.service.channels, self.service.accounts, self.clock, lambda _: None)

    def contact(self, channel: str, who: str = "lan") -> Contact:
        """A person as the platform knows them there."""
        return self.platform.people.meet(channel, who, self.platform.now())

    def says(self, channel: str, words: str = ASK, who: str = "lan") -> Delivery:
        """A person writes; the webhook on its way."""
        delivery = speech.say_text(self.platform, self.contact(channel, who), words).delivery
        assert delivery is not None
        return delivery

    async def said(self, channel: str, words: str = ASK, who: str = "lan") -> None:
        """A person wrote, and all that follows from it is over."""
        await self.taken(self.says(channel, words, who))
        await self.quiet()

    async def taken(self, delivery: Delivery | None) -> None:
        """Wait until the product keeps a webhook: at once, or when it comes again after the disk stalled."""
        assert delivery is not None
        if delivery.status.done() and delivery.status.result() == 200:
            return
        kept = asyncio.Event()
        delivery.on_taken = kept.set
        async with asyncio.timeout(PATIENCE_S):
            await kept.wait()

    def goes_wrong(self, fault: str, *, host: str = "", path: str = "", person: str = "", **more: Any) -> None:
        """Script a fault of the platforms' own."""
        match = {"host": host, "path": path, "person": person}
        self.platform.faults.add(read_fault({"fault": fault, "match": match, **more}))

    def calls(self, channel: str = "", who: str = "") -> list[Call]:
        """The sends that the platforms took."""
        return [
            call
            for call in self.platform.journal
            if call.message_id and channel in ("", call.channel) and who in ("", call.person)
        ]

    def heard(self, channel: str = "", who: str = "") -> list[str]:
        """The words of those sends."""
        return [call.text for call in self.calls(channel, who)]

    async def post(self, channel: str, raw: bytes, headers: dict[str, str]) -> int:
        """Post bytes to a door; the status."""
        async with self.http.post(f"{self.url}/webhooks/{channel}", data=io.BytesIO(raw), headers=headers) as answer:
            await answer.read()
            return answer.status

    def signed(self, channel: str, raw: bytes, timestamp: str = "") -> dict[str, str]:
        """The headers that the platform would send with these bytes."""
        config = self.platform.config
        if channel == ZALO:
            mac = zalo_mac(config.zalo_app_id, raw, timestamp, config.zalo_oa_secret_key)
            return {"Content-Type": "application/json", "X-ZEvent-Signature": mac}
        signature = messenger_signature(raw, config.messenger_app_secret)
        return {"Content-Type": "application/json", "X-Hub-Signature-256": signature}

    async def webhook(self, channel: str, body: Json) -> int:
        """Post an event, signed, as it stands; the status."""
        raw = zalo_bytes(body) if channel == ZALO else messenger_bytes(body)
        return await self.post(channel, raw, self.signed(channel, raw, str(body.get("timestamp", ""))))

    async def read(self, fn: Callable[[Session], T]) -> T:
        """Look into the database."""
        return await self.service.database.read(fn)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        query = text(f"SELECT count(*) FROM {table}")
        return int(await self.read(lambda session: session.connection().execute(query).scalar_one()))

    async def states(self) -> list[str]:
        """How the messages out stand, oldest first."""
        return await self.read(_states)

    async def fates(self) -> list[tuple[str, str, str]]:
        """What became of the messages out, to be shown where a test fails: state, error, when it is due."""
        return await self.read(_fates)

    async def until(self, ready: Callable[[Session], bool]) -> None:
        """Wait for something to be seen in the database."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.read(ready):  # noqa: ASYNC110 - the database sets no event
                await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """Wait until no webhook is on its way and nothing is due."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self.platform.courier.idle()
                if await self.read(lambda session: _idle(session, self.clock)):
                    await self.platform.courier.idle()
                    if await self.read(lambda session: _idle(session, self.clock)):
                        return
                await asyncio.sleep(0.02)

    async def tick(self, kind: str) -> None:
        """Let a kind of upkeep be done now, and wait for its end."""
        await upkeep.enqueue(self.service.database, kind, self.clock())
        key = {"key": f"{kind}:"}
        count = text("SELECT count(*) FROM job WHERE unique_key = :key")
        await self.until(lambda session: session.connection().execute(count, key).scalar() == 0)

    async def jobs_done(self, kind: str) -> None:
        """Wait until no job of a kind waits whose time has come."""
        now = {"kind": kind, "now": self.clock()}
        due = text("SELECT count(*) FROM job WHERE kind = :kind AND ready_at <= :now").bindparams(
            bindparam("now", type_=UTCDateTime())
        )
        await self.until(lambda session: session.connection().execute(due, now).scalar() == 0)

    async def person(self, channel: str, who: str = "lan") -> Person:
        """A person as we know them."""
        contact = self.contact(channel, who)
        found = await self.read(lambda session: customers.people(session, [contact.user_id]))
        return next(each for (name, _, _), each in found.items() if name == channel)

    async def send(self, channel: str, said: str | Message, purpose: Purpose, who: str = "lan", **more: Any) -> None:
        """Let the shop say something by itself."""
        person = await self.person(channel, who)
        parts = self.service.channels[channel].split(Message(said) if isinstance(said, str) else said)

        def queue(session: Session) -> None:
            refusal = outbox.send(session, person, parts, purpose, self.clock(), **more)
            assert refusal is None, refusal

        await self.service.database.write(queue)

    async def lines(self, channel: str, who: str = "lan") -> list[tuple[str, str]]:
        """The transcript: who said what."""
        person = await self.person(channel, who)
        found = await self.read(lambda session: transcripts.latest(session, person.identity_id))
        return [(line.author, line.text) for line in found]

    async def dead(self) -> list[str]:
        """Why events were buried."""
        return [row.error for row in await self.read(inbox.dead)]


def _states(session: Session) -> list[str]:
    return list(session.connection().execute(text("SELECT state FROM outbox ORDER BY id")).scalars())


def _fates(session: Session) -> list[tuple[str, str, str]]:
    rows = session.connection().execute(text("SELECT state, error, ready_at FROM outbox ORDER BY id"))
    return [(state, error, str(ready_at)) for state, error, ready_at in rows]


def _idle(session: Session, clock: Clock) -> bool:
    """Nothing is due: what waits, waits for its time."""
    if any(due is not None and due <= clock() for due in (inbox.oldest_waiting(session), jobs.oldest_waiting(session))):
        return False
    totals = outbox_rows.totals(session)
    return not totals.waiting or bool(totals.oldest and totals.oldest > clock() and "sending" not in _states(session))


@asynccontextmanager
async def playing(
    database_url: str, clock: Clock, *, settings: dict[str, str] | None = None, **platforms: Any
) -> AsyncIterator[Stage]:
    """Everything running; `platforms` are fields of the simulator's configuration, `settings` of the product's."""
    async with simulated(clock, **platforms) as platform, product(database_url, clock, platform, settings) as stage:
        yield stage


@asynccontextmanager
async def simulated(clock: Clock, **platforms: Any) -> AsyncIterator[Platform]:
    """The platforms by themselves, which outlive a product that stops and starts again."""
    config = replace(SimulatorConfig(clock=clock, receipts=False, retry_ladder_s=(0.05, 0.1, 0.2, 0.5)), **platforms)
    simulator = create_app(config)
    async with TestServer(simulator) as played:
        simulator[PLATFORM].media.base_url = str(played.make_url("")).rstrip("/")
        yield simulator[PLATFORM]


@asynccontextmanager
async def product(
    database_url: str, clock: Clock, platform: Platform, settings: dict[str, str] | None = None, *, worker: bool = True
) -> AsyncIterator[Stage]:
    """The product between these platforms; without `worker` it keeps what comes and handles nothing."""
    base = platform.media.base_url
    async with AsyncExitStack() as stack:
        given = Settings.from_env(None, environment(platform.config, base, database_url, **(settings or {})))
        service, app = await stack.enter_async_context(main.compose(given, clock, worker=worker))
        ours = await stack.enter_async_context(TestServer(app))
        url = str(ours.make_url("")).rstrip("/")
        platform.set_bot_url(url)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Stage(service, platform, clock, url, http)
