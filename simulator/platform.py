"""The state of both platforms: clock, people, journal of accepted calls, and the live feed."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from simulator import messenger_events, zalo_events
from simulator.chat import Line
from simulator.config import BrandSpec, SimulatorConfig
from simulator.faults import FaultScript
from simulator.live import LiveFeed
from simulator.media import MediaShelf
from simulator.people import SAMPLE_PEOPLE, ZALO, ZALO_BOT, Contact, People
from simulator.tokens import ZaloTokens
from simulator.webhooks_out import Courier
from simulator.zalo_bot import Bot

JSON = dict[str, Any]
REFUSED_KEPT = 200
USER_TOKEN_LIFE = timedelta(hours=1)

PAGE_FIELDS = frozenset(
    {
        "messages",
        "messaging_postbacks",
        "messaging_optins",
        "messaging_referrals",
        "message_deliveries",
        "message_reads",
        "message_echoes",
        "message_edits",
        "message_reactions",
        "messaging_handovers",
        "standby",
        "messaging_feedback",
        "messaging_policy_enforcement",
        "messaging_account_linking",
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a platform accepted; `message_id` is empty for calls that send nothing."""

    n: int
    at: datetime
    channel: str
    kind: str
    path: str
    contact: Contact | None
    request: Any
    response: Any
    message_id: str = ""
    text: str = ""

    @property
    def person(self) -> str:
        """The id of the person it concerns, or nothing."""
        return self.contact.person.id if self.contact else ""

    def as_json(self) -> JSON:
        """The call as the control API lists it."""
        return {
            "n": self.n,
            "at": self.at.isoformat(),
            "channel": self.channel,
            "kind": self.kind,
            "path": self.path,
            "person": self.person or None,
            "name": self.contact.person.name if self.contact else None,
            "user_id": self.contact.user_id if self.contact else None,
            "text": self.text,
            "message_id": self.message_id or None,
            "request": self.request,
            "response": self.response,
        }


@dataclass(slots=True)
class PageState:
    """What the brand set up on its Facebook Page."""

    fields: set[str] = field(default_factory=lambda: set(PAGE_FIELDS))
    profile: JSON = field(default_factory=dict)
    personas: dict[str, JSON] = field(default_factory=dict)
    personas_made: int = 0
    comments: dict[str, Any] = field(default_factory=dict)
    templates: list[JSON] = field(default_factory=list)
    attachments: dict[str, tuple[JSON, datetime]] = field(default_factory=dict)
    token_ends_at: datetime | None = None
    usage: dict[str, int] = field(default_factory=lambda: {"call_count": 3, "total_cputime": 1, "total_time": 2})
    regain_minutes: int = 0
    scopes: tuple[str, ...] = ("pages_messaging", "pages_manage_metadata", "pages_show_list", "public_profile")


@dataclass(slots=True)
class OaState:
    """What Zalo says of the OA itself; no `package_until` stands for half a year from now."""

    verified: bool = True
    package_until: datetime | None = None


class Platform:
    """Both platforms as one object; tests reach it through `app[PLATFORM]`.

    It is itself the first brand. `brands` has all of them: each its own OA, Page, tokens and people, on the same wire.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.offset = timedelta()
        start = config.clock()
        self.people = People(SAMPLE_PEOPLE if config.people is None else config.people, start)
        self.journal: list[Call] = []
        self.calls_seen = 0
        self.refused: deque[JSON] = deque(maxlen=REFUSED_KEPT)
        self.refused_seen = 0
        self.faults = FaultScript()
        self.live = LiveFeed()
        self.media = MediaShelf(config.public_url)
        self.zalo_tokens = ZaloTokens(config, start)
        self.zalo_package = config.zalo_package
        self.zalo_sub_quota_left = config.zalo_sub_quota
        self.zbs_quota_left = config.zbs_daily_quota
        self.zbs_daily_quota = config.zbs_daily_quota
        self.zbs_promotion_left = config.zbs_promotion_quota
        self.zbs_templates = {template.id: template for template in config.zbs_templates}
        self.zbs_receipts: dict[str, datetime] = {}
        self.page = PageState()
        self.oa = OaState()
        self.bot = Bot(config.zalo_bot_token)
        self.page_token_valid = True
        self.courier = Courier(config, self.faults, self.live)
        self.user_tokens: dict[str, datetime] = {}
        if config.messenger_user_token:
            self.user_tokens[config.messenger_user_token] = start + USER_TOKEN_LIFE
        self._news = asyncio.Event()
        self._windows: dict[str, tuple[int, int]] = {}
        self._first = self
        self.brands = [self]
        self.brands += [self._beside(brand, start) for brand in config.more_brands]

    def _beside(self, brand: BrandSpec, start: datetime) -> Platform:
        other = copy(self)
        other.config = replace(
            self.config,
            brand_name=brand.name,
            zalo_oa_id=brand.zalo_oa_id,
            zalo_access_token=brand.zalo_access_token,
            zalo_refresh_token=brand.zalo_refresh_token,
            zalo_bot_token=brand.zalo_bot_token,
            messenger_page_id=brand.messenger_page_id,
            messenger_page_token=brand.messenger_page_token,
        )
        specs = SAMPLE_PEOPLE if self.config.people is None else self.config.people
        other.people = People(tuple(replace(each, zalo_id="", psid="") for each in specs), start, brand.zalo_oa_id)
        other.zalo_tokens = ZaloTokens(other.config, start)
        other.page, other._windows = PageState(), {}
        other.bot = Bot(brand.zalo_bot_token)
        return other

    def brand_of_page(self, token: object) -> Platform:
        """The brand whose Page this token belongs to; the first for any other token."""
        return next((each for each in self.brands if token and token == each.config.messenger_page_token), self)

    def set_bot_url(self, url: str) -> None:
        """Where webhooks go from now on."""
        self.courier.bot_url = url

    def learn_origin(self, request: web.Request) -> None:
        """Takes the address of the first caller as our own, unless one was configured."""
        if not self.media.base_url:
            self.media.base_url = str(request.url.origin())

    def now(self) -> datetime:
        """The platforms' time: the configured clock plus the offset that a test set."""
        return self.config.clock() + self._first.offset

    def used(self, limit: str, tick: int) -> int:
        """How many calls a limit saw in this minute or second (`tick`), counting this one."""
        current, count = self._windows.get(limit, (tick, 0))
        count = count + 1 if current == tick else 1
        self._windows[limit] = (tick, count)
        return count

    def accept(
        self,
        channel: str,
        kind: str,
        path: str,
        contact: Contact | None,
        request: Any,
        response: Any,
        message_id: str = "",
        text: str = "",
    ) -> None:
        """Writes an accepted call into the journal."""
        first = self._first
        first.calls_seen += 1
        call = Call(first.calls_seen, self.now(), channel, kind, path, contact, request, response, message_id, text)
        self.journal.append(call)
        self._news.set()
        if self.live.watchers:
            self.live.publish("call", {"call": call.as_json()})

    def refuse(self, channel: str, path: str, error: JSON) -> None:
        """Remembers a call that a platform refused, with the answer it gave."""
        self._first.refused_seen += 1
        note = {"at": self.now().isoformat(), "channel": channel, "path": path, "error": error}
        self.refused.append(note)
        if self.live.watchers:
            self.live.publish("refused", note)

    async def wait_for_calls(self, since: int, timeout_s: float) -> list[Call]:
        """The calls after number `since`; waits for the first of them at most `timeout_s`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not (found := self.calls_after(since)) and (left := deadline - loop.time()) > 0:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                break
        return found

    def calls_after(self, since: int) -> list[Call]:
        """The journal after number `since`."""
        if not self.journal:
            return []
        skip = max(0, since - self.journal[0].n + 1)
        return self.journal[skip:]

    def say(self, contact: Contact, line: Line) -> None:
        """Adds a line to a chat and shows it to whoever watches."""
        contact.lines.append(line)
        if line.side == "person":
            contact.unanswered.append(line)
        elif contact.unanswered:
            self.brand_saw(contact)
        if self.live.watchers:
            self._show("line", contact, {"line": line.as_json()})

    def brand_saw(self, contact: Contact) -> None:
        """The brand read what the person wrote: it answered, or marked the chat as seen."""
        for line in contact.unanswered:
            line.tick = "seen"
            self.changed(contact, line)
        contact.unanswered.clear()

    def taken(self, contact: Contact, message_id: str) -> None:
        """The bot has taken the webhook of a person's message."""
        line = contact.line(message_id)
        if line is not None and line.tick == "sent":
            line.tick = "delivered"
            self.changed(contact, line)

    def changed(self, contact: Contact, line: Line) -> None:
        """Shows that a line changed: a tick, an edit, a reaction."""
        if self.live.watchers:
            self._show("change", contact, {"line": line.as_json()})

    def moved(self, contact: Contact) -> None:
        """Shows that something about a contact changed."""
        if self.live.watchers:
            self._show("contact", contact, {"following": contact.following, "inbox_owns": contact.inbox_owns})

    def _show(self, kind: str, contact: Contact, event: JSON) -> None:
        self.live.publish(kind, {"channel": contact.channel, "person": contact.person.id, **event})

    def after_send(self, contact: Contact, line: Line, echo: JSON | None) -> None:
        """The echo and the delivery receipt of an accepted send."""
        delay = self.config.echo_delay_s
        if echo is not None and self.config.echoes and self.page_wants(contact, "message_echoes"):
            self.courier.send(contact.channel, contact.user_id, echo, delay)
        if self.config.receipts and not contact.blocked:
            line.tick = "delivered"
            self.changed(contact, line)
            if self.page_wants(contact, "message_deliveries"):
                self.courier.send(contact.channel, contact.user_id, self._receipt(contact, line), delay)

    def page_wants(self, contact: Contact, field_name: str) -> bool:
        """Whether the bot is subscribed to this kind of webhook; Zalo's toggles are all on."""
        return contact.channel == ZALO or field_name in self.page.fields

    def _receipt(self, contact: Contact, line: Line) -> JSON:
        now = self.now()
        if contact.channel == ZALO:
            message = {"msg_id": line.message_id}
            return zalo_events.from_oa(self.config, contact, "user_received_message", message, now)
        value = {"mids": [line.message_id], "watermark": messenger_events.millis(now)}
        return messenger_events.from_person(self.config, contact, "delivery", value, now)

    def see(self, contact: Contact) -> None:
        """The person looked at the chat: everything the brand wrote is read."""
        unread = [line for line in contact.answered(("bot", "staff")) if line.tick != "seen"]
        if not unread:
            return
        for line in unread:
            line.tick = "seen"
            self.changed(contact, line)
        ids = [line.message_id for line in reversed(unread) if line.side == "bot"]
        if not ids or not self.config.receipts or contact.channel == ZALO_BOT:
            return
        now = self.now()
        if contact.channel == ZALO:
            body = zalo_events.from_oa(self.config, contact, "user_seen_message", {"msg_ids": ids}, now)
        else:
            value = {"watermark": messenger_events.millis(now)}
            body = messenger_events.from_person(self.config, contact, "read", value, now)
        if self.page_wants(contact, "message_reads"):
            self.courier.send(contact.channel, contact.user_id, body)


def new_zalo_id() -> str:
    """A Zalo message id: 20 hexadecimal digits."""
    return secrets.token_hex(10)


def new_mid() -> str:
    """A Messenger message id."""
    return "m_" + secrets.token_urlsafe(64)


PLATFORM = web.AppKey("platform", Platform)
