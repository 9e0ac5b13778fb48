"""A Zalo Bot as a channel, for staff alone: the parts of this folder behind the one face that the engine knows.

Zalo's bot platform (https://docs.zaloplatforms.com/docs/BOT) is a product apart from its Official Accounts: a bot has
a token of its own, `<bot's id>:<secret>`, that does not end until its owner resets it. It is asked for what happened,
so no public address is needed. What Zalo does not document here is marked in docs/simulator.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import aiohttp

from bot.channels.base import (
    NOT_HEARD,
    Account,
    Attachment,
    Checkup,
    Keys,
    Outgoing,
    Owner,
    Page,
    Profile,
    Raw,
    Received,
    SendError,
    SendErrorKind,
    Sent,
    TokenPair,
    Trouble,
    Uploaded,
    Verdict,
    raised,
)
from bot.channels.pictures.client import Pictures
from bot.channels.text import clean
from bot.channels.zalo import files
from bot.channels.zalo.envelope import identifier
from bot.channels.zalobot import errors, parse, sender
from bot.channels.zalobot.client import TIMEOUT, WAIT, Client
from bot.channels.zalobot.rules import RULES
from crm.events import Event
from crm.messages import Message
from crm.reach import Rules
from crm.templates import Template

API = "https://bot-api.zaloplatforms.com"


class ZaloBot:
    """`bot.channels.base.Channel` and `Polled` for Zalo bots. `timeout` and `wait` are seconds of one call."""

    name: str = parse.CHANNEL
    rules: Rules = RULES
    staff_only: bool = True
    tables: str = ""

    def __init__(
        self, session: aiohttp.ClientSession, url: str = API, *, timeout: float = TIMEOUT, wait: int = WAIT
    ) -> None:
        self._client = Client(session, url, timeout, wait)
        self._pictures = Pictures(session, files.HOSTS, url)

    def receive(self, headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
        """Nothing is taken: Zalo is asked instead, and posts nothing to us."""
        return Received(403, Verdict.PENDING)

    def challenge(self, query: Mapping[str, str], keys: Keys) -> str | None:
        """There is no handshake."""
        return None

    async def poll(self, account: Account, now: datetime) -> tuple[Raw, ...]:
        """What was written to the bot next; Zalo tells nothing twice, and nothing at all while a webhook is set."""
        try:
            told = await self._client.updates(account)
        except SendError as error:
            if error.kind is SendErrorKind.PERMANENT and await self._webhook(account):
                raise raised(errors.WEBHOOK_SET, error.code) from None
            raise
        return tuple(parse.keep(account.account_id, update, now) for update in told)

    def parse(self, body: bytes, now: datetime) -> list[Event]:
        """One update in our words."""
        return parse.parse(body, now)

    def invitation(self, account_id: str, ref: str) -> str:
        """Nobody is invited to where only staff write."""
        return ""

    def split(self, message: Message) -> tuple[Message, ...]:
        """What a bot can show of it, one call each."""
        return sender.split(message)

    async def send(self, account: Account, outgoing: Outgoing) -> Sent:
        """Say one message; a bot cannot quote."""
        method, body = sender.call(outgoing.to.user_id, outgoing.message)
        told = await self._client.send(account, method, body)
        message_id = identifier(told.get("message_id"))
        if not message_id:
            raise raised(errors.OUTCOME_LOST, "no-message-id")
        return Sent(message_id, cost=0)

    async def upload(self, account: Account, attachment: Attachment) -> Uploaded:
        """Zalo documents no way to give a bot's picture or file. Raises PERMANENT."""
        raise raised(errors.NO_UPLOADS, "upload")

    async def fetch(self, address: str) -> bytes:
        """A picture that somebody sent, from Zalo's own hosts."""
        return await self._pictures.fetch(address)

    async def templates(self, account: Account) -> list[Template]:
        """A bot has none."""
        return []

    async def profile(self, account: Account, user_id: str) -> Profile:
        """Zalo shows a bot nobody's profile."""
        return Profile()

    async def last_interaction(self, account: Account, user_id: str) -> datetime | None:
        """Zalo does not say."""
        return None

    async def refresh(self, account: Account, refresh_token: str) -> TokenPair:
        """A bot's token is never refreshed: its owner resets it. Raises AUTH."""
        raise raised(errors.TOKEN, "refresh")

    async def recent(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """A bot cannot read its conversations: what Zalo keeps for it comes with the next polls."""
        return Page(())

    async def find_sent(self, account: Account, user_id: str, text: str, since: datetime) -> str | None:
        """Whether a message went out cannot be looked up. Raises PERMANENT."""
        raise raised(errors.NOT_TAKEN, "find_sent")

    async def check_up(self, account: Account, now: datetime) -> Checkup:
        """See that the token works and that no webhook takes away what staff write."""
        me = await self._client.ask(account, "getMe")
        webhook = await self._webhook(account)
        facts = {"kind": clean(me.get("account_type")), "webhook": bool(webhook)}
        troubles = (Trouble(NOT_HEARD, errors.WEBHOOK_SET.words.en),) if webhook else ()
        return Checkup(clean(me.get("account_name")), facts, frozenset({NOT_HEARD}), troubles)

    async def whose(self, account: Account) -> Owner:
        """The bot that the token belongs to. Raises AUTH for what Zalo does not take as a token."""
        try:
            me = await self._client.ask(account, "getMe")
        except SendError as error:
            if error.kind is SendErrorKind.PERMANENT:
                raise raised(errors.TOKEN, error.code) from None
            raise
        return Owner(identifier(me.get("id")) or bot_id(account.access_token), clean(me.get("account_name")))

    async def _webhook(self, account: Account) -> str:
        """Where Zalo posts the bot's updates instead; "" for nowhere, which Zalo also says by 404."""
        try:
            told = await self._client.ask(account, "getWebhookInfo")
        except SendError as error:
            if error.kind is SendErrorKind.PERMANENT:
                return ""
            raise
        return clean(told.get("url"))


def bot_id(token: str) -> str:
    """The id of the bot that a token is of: what stands before its colon; "" where that is none."""
    return identifier(token.partition(":")[0]) if ":" in token else ""
