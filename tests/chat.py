"""A customer in a chat: the whole product over its own composition, with only the wire and the clock replaced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from aiohttp.test_utils import TestServer
from sqlalchemy import TextClause, bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

import main
from bot.service import Service
from bot.settings import Settings
from simulator import messenger_events, speech, zalo_events
from simulator.app import create_app
from simulator.chat import Line
from simulator.config import SimulatorConfig
from simulator.people import MESSENGER, ZALO, ZALO_BOT, Contact
from simulator.platform import PLATFORM, Platform
from simulator.speech import Said
from storage import inbox, jobs, outbox
from tests.conftest import Clock

T = TypeVar("T")

_log = logging.getLogger(__name__)

PATIENCE_S = 10.0
GLANCE_S = 0.01


@dataclass(slots=True)
class Chat:
    """What one person does on one channel, and what they hear since then."""

    service: Service
    platform: Platform
    clock: Clock
    settings: Settings
    channel: str = ZALO
    person: str = "lan"
    _since: int = field(default=0)

    def of(self, person: str, channel: str = "") -> Chat:
        """The same shop, seen by somebody else or on another channel."""
        return Chat(self.service, self.platform, self.clock, self.settings, channel or self.channel, person)

    @property
    def contact(self) -> Contact:
        """The person as the platform knows them here."""
        return self.platform.people.meet(self.channel, self.person, self.platform.now())

    @property
    def answers(self) -> list[Line]:
        """The brand's messages since the person last did something."""
        return [line for line in list(self.contact.lines)[self._since :] if line.side != "person"]

    @property
    def heard(self) -> list[str]:
        """The words of those messages; a Zalo form that asks for the phone number says them on its card."""
        return [line.text or "\n".join(card["subtitle"] for card in line.cards) for line in self.answers]

    @property
    def offered(self) -> list[str]:
        """The titles of the buttons on them."""
        return [button.title for line in self.answers for button in line.buttons]

    async def says(self, text: str, *, quoting: str = "") -> list[str]:
        """Write, perhaps as an answer to a message (by its id); what is heard then."""
        return await self._do(lambda contact: speech.say_text(self.platform, contact, text, quote=quoting))

    async def presses(self, title: str) -> list[str]:
        """Press a button by its title or payload."""
        return await self._do(lambda contact: speech.press(self.platform, contact, title))

    async def sends_photo(self, caption: str = "") -> list[str]:
        """Send a picture; one with words under it comes from Zalo."""
        return await self._do(self._captioned(caption)) if caption else await self.sends("image")

    async def sends(self, kind: str) -> list[str]:
        """Send an image, audio, video or file."""
        shelf = self.platform.media
        sample = shelf.sample()
        return await self._do(lambda contact: speech.say_media(self.platform, contact, kind, shelf.url(sample), sample))

    async def sends_picture(self, content: bytes) -> list[str]:
        """Send these bytes as a picture."""
        shelf = self.platform.media
        kept = shelf.keep(content, "image/jpeg")
        return await self._do(lambda contact: speech.say_media(self.platform, contact, "image", shelf.url(kept), kept))

    async def sends_sticker(self) -> list[str]:
        """Send a sticker and nothing else."""
        return await self._do(lambda contact: speech.say_sticker(self.platform, contact, ""))

    async def sends_place(self) -> list[str]:
        """Share a location."""
        return await self._do(lambda contact: speech.say_location(self.platform, contact, 10.76, 106.66))

    async def shares_phone(self) -> list[str]:
        """Let the platform hand over the phone number."""
        return await self._do(lambda contact: speech.share_phone(self.platform, contact))

    async def fills_address_form(self, phone: str) -> list[str]:
        """Type a number into Messenger's address form."""
        return await self._do(self._filled_form(phone))

    async def withdraws(self) -> list[str]:
        """Let Zalo tell that the person wants their data erased."""
        return await self._do(self._withdrew)

    async def follows(self, ref: str = "") -> list[str]:
        """Follow the OA, or press Get Started, perhaps behind a link with this word."""
        return await self._do(lambda contact: speech.follow(self.platform, contact, ref))

    def _captioned(self, caption: str) -> Callable[[Contact], Said]:
        shelf, config = self.platform.media, self.platform.config
        payload = {"url": shelf.url(shelf.sample())}

        def send(contact: Contact) -> Said:
            speech.touch(self.platform, contact)
            message_id = speech.new_id(contact)
            message = {"msg_id": message_id, "text": caption, "attachments": [{"type": "image", "payload": payload}]}
            body = zalo_events.from_person(config, contact, "user_send_image", message, self.platform.now())
            return Said(message_id, self.platform.courier.send(ZALO, contact.user_id, body))

        return send

    def _withdrew(self, contact: Contact) -> Said:
        body = zalo_events.about_user(self.platform.config, contact, "user_withdraw", self.platform.now())
        return Said("", self.platform.courier.send(ZALO, contact.user_id, body))

    def _filled_form(self, phone: str) -> Callable[[Contact], Said]:
        def send(contact: Contact) -> Said:
            speech.touch(self.platform, contact)
            answers = [{"key": "name", "value": contact.person.name}, {"key": "phone", "value": phone}]
            form, config = {"screens": [{"responses": answers}]}, self.platform.config
            body = messenger_events.from_person(
                config, contact, "messaging_customer_information", form, self.platform.now()
            )
            return Said("", self.platform.courier.send(contact.channel, contact.user_id, body))

        return send

    async def is_answered(self, text: str) -> list[str]:
        """Let staff answer in the platform's own tool."""
        return await self._do(lambda contact: speech.staff_says(self.platform, contact, text))

    async def does(self, fn: Callable[[Session], T]) -> T:
        """Let something happen in the shop itself, in a transaction of its own."""
        return await self.service.database.write(fn)

    async def _do(self, act: Callable[[Contact], Said]) -> list[str]:
        contact = self.contact
        self._since = len(contact.lines)
        said = act(contact)
        if self.channel == ZALO_BOT:
            async with asyncio.timeout(PATIENCE_S):
                await self.platform.bot.heard()
        else:
            assert said.delivery is not None, "the platform tells the bot nothing of this"
            assert await said.delivery.status == 200
        await self._until_quiet()
        await self.settles()
        assert await self.service.database.read(inbox.dead) == []
        assert await self.service.database.read(outbox.dead) == []
        if not self.heard:
            _log.info("nothing was heard; what waits: %s", await self.service.database.read(_left))
        return self.heard

    async def passes(self, **span: float) -> list[str]:
        """Let time pass, and what was due then be done; what is heard meanwhile."""
        since = len(self.contact.lines)
        await self.settles()
        self.clock.pass_by(**span)
        for topic in (outbox.TOPIC, jobs.TOPIC):
            self.service.database.topic(topic).set()
        await self._until_quiet(_BUSY)
        self._since = since
        return self.heard

    async def settles(self) -> None:
        """Wait for all that is due: what a job meant when it began would be wrong after a jump of the clock."""
        await self._until_quiet(_BUSY)

    async def _until_quiet(self, busy: TextClause | None = None) -> None:
        is_busy = partial(_is, busy=_TALKING if busy is None else busy, now=self.clock())
        for _ in range(round(PATIENCE_S / GLANCE_S)):
            if not await self.service.database.read(is_busy):
                return
            await asyncio.sleep(GLANCE_S)
        raise TimeoutError("the queues did not become empty")


_NOW = bindparam("now", type_=UTCDateTime())
_OUT = "EXISTS (SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending') AND (state = 'sending' OR ready_at <= :now))"
_JOBS = "EXISTS (SELECT 1 FROM job WHERE state = 'waiting' AND ready_at <= :now)"
_TALKING = text(f"SELECT EXISTS (SELECT 1 FROM thread WHERE due_at IS NOT NULL) OR {_OUT}").bindparams(_NOW)
_BUSY = text(f"SELECT EXISTS (SELECT 1 FROM thread WHERE due_at <= :now) OR {_OUT} OR {_JOBS}").bindparams(_NOW)
_LEFT = text(
    "SELECT state, purpose, attempts, created_at, ready_at, lease_until, error FROM outbox WHERE state <> 'sent'"
)


def _left(session: Session) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.connection().execute(_LEFT)]


def _is(session: Session, busy: TextClause, now: datetime) -> bool:
    return bool(session.connection().execute(busy, {"now": now}).scalar_one())


@asynccontextmanager
async def chatting(database_url: str, clock: Clock, **shop: str) -> AsyncIterator[Chat]:
    """The product and the platforms, running; `shop` are settings of the shop. The chat is Lan's, on Zalo.

    With `zalo_bot_token=BOT_TOKEN` the shop has a bot for its staff, too.
    """
    config = SimulatorConfig(clock=clock, echoes=False, receipts=False)
    stage = create_app(config)
    platform = stage[PLATFORM]
    async with TestServer(stage) as played:
        platform.media.base_url = str(played.make_url("")).rstrip("/")
        settings = _settings(config, platform.media.base_url, database_url, shop)
        async with main.compose(settings, clock) as (service, app), TestServer(app) as ours:
            platform.set_bot_url(str(ours.make_url("")).rstrip("/"))
            yield Chat(service, platform, clock, settings)


def _settings(config: SimulatorConfig, base: str, database_url: str, shop: dict[str, str]) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key="a secret key for tests only",
        sqlite_synchronous="OFF",
        zalo_sends_per_minute=0,
        messenger_sends_per_second=0,
        zalo_app_id=config.zalo_app_id,
        zalo_app_secret=config.zalo_app_secret,
        zalo_oa_id=config.zalo_oa_id,
        zalo_oa_secret_key=config.zalo_oa_secret_key,
        zalo_access_token=config.zalo_access_token,
        zalo_refresh_token=config.zalo_refresh_token,
        zalo_api_url=f"{base}/zalo",
        zalo_oauth_url=f"{base}/zalo-oauth",
        zalo_business_api_url=f"{base}/zalo-business",
        zalo_bot_api_url=f"{base}/zalo-bot",
        messenger_page_id=config.messenger_page_id,
        messenger_page_token=config.messenger_page_token,
        messenger_app_id=config.messenger_app_id,
        messenger_app_secret=config.messenger_app_secret,
        messenger_verify_token=config.messenger_verify_token,
        messenger_graph_url=f"{base}/graph/v26.0",
        **shop,  # type: ignore[arg-type]
    )


CHANNELS = (ZALO, MESSENGER)
BOT_TOKEN = SimulatorConfig().zalo_bot_token
