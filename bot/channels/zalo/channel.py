"""Zalo OA as a channel: the parts of this folder behind the one face that the engine knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp

from bot.channels.abilities import Followers
from bot.channels.base import (
    Account,
    Attachment,
    Checkup,
    Consent,
    Keys,
    Outgoing,
    Owner,
    Page,
    Profile,
    Received,
    Sent,
    TokenPair,
    Uploaded,
)
from bot.channels.examined import Probe, Switch
from bot.channels.pictures.client import Pictures
from bot.channels.text import clean
from bot.channels.zalo import (
    checkup,
    consent,
    files,
    followers,
    probe,
    recent,
    sender,
    switches,
    template_list,
    templates,
    webhook,
)  # fmt: skip
from bot.channels.zalo.client import Client, Urls
from bot.channels.zalo.envelope import identifier, items, mapping
from bot.channels.zalo.parse import parse
from bot.channels.zalo.rules import RULES, TEMPLATE_PHONE, charged
from crm.events import Event
from crm.messages import Message
from crm.reach import Rules
from crm.templates import Template

_VIETNAM = timezone(timedelta(hours=7))


class Zalo:
    """`bot.channels.base.Channel`, `Consenting`, `Following` and `Labelling` for Zalo OA.

    `banner` is the web address of the picture above a request for details. `lists` sends cards as list templates
    instead of numbered text. With `prove` each call carries an `appsecret_proof`. `apart` lies between
    two of many calls in a row. Timeouts are seconds of one call.
    """

    name: str = "zalo"
    rules: Rules = RULES
    switches: tuple[Switch, ...] = switches.SWITCHES
    staff_only: bool = False
    tables: str = ".csv"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Urls | None = None,
        *,
        timeout: float = 8.0,
        refresh_timeout: float = 20.0,
        banner: str = sender.BANNER,
        lists: bool = False,
        prove: bool = True,
        apart: timedelta = timedelta(seconds=0.6),
    ) -> None:
        self._urls = urls or Urls()
        self._pictures = Pictures(session, files.HOSTS, self._urls.api)
        self._client = Client(session, self._urls, timeout=timeout, refresh_timeout=refresh_timeout, prove=prove)
        self._banner = banner
        self._lists, self._apart = lists, apart.total_seconds()

    def probes(self, keys: Keys, now: datetime, nonce: str) -> tuple[Probe, ...]:
        """The console's check of the address, and its test of an event."""
        return probe.probes(keys, now)

    def receive(self, headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
        """Verify the raw bytes and say who they are for."""
        return webhook.receive(headers, body, keys, now)

    def challenge(self, query: Mapping[str, str], keys: Keys) -> str | None:
        """Zalo knows no GET handshake: it verifies the domain instead."""
        return None

    def parse(self, body: bytes, now: datetime) -> list[Event]:
        """One raw event in our words."""
        return parse(body, now)

    def invitation(self, account_id: str, ref: str) -> str:
        """The OA's chat; Zalo hands no word over, so the friend has to write the code."""
        return f"https://zalo.me/{account_id}"

    def split(self, message: Message) -> tuple[Message, ...]:
        """What Zalo can show of it, one call each."""
        return sender.split(message, lists=self._lists)

    async def send(self, account: Account, outgoing: Outgoing) -> Sent:
        """Send one consultation message, one template or one reaction. Zalo itself decides what it charges.

        A reaction is no message: it has no id, and its call may be repeated.
        """
        use = outgoing.message.template
        if outgoing.message.reaction:
            await self._client.react(account, sender.reaction(outgoing.to.user_id, outgoing.message))
            return Sent("", cost=0)
        if use is None:
            body = sender.payload(outgoing.to.user_id, outgoing.message, banner=self._banner)
            sent = await self._client.send(account, body)
        elif outgoing.lane == TEMPLATE_PHONE:
            sent = await self._client.send_template_to_phone(account, templates.to_phone(outgoing, use))
        else:
            sent = await self._client.send_template(account, templates.to_user(outgoing, use))
        return sent._replace(cost=charged(outgoing.lane, sent.quota))

    async def templates(self, account: Account) -> list[Template]:
        """The OA's (ZBS) templates, all of them, whatever their state."""
        told = await template_list.read(self._client, account, self._apart)
        return [each for info in told if (each := templates.template(account.account_id, info))]

    async def upload(self, account: Account, attachment: Attachment) -> Uploaded:
        """Let Zalo hold a picture or file; it takes few types, and only small ones.

        https://docs.zaloplatforms.com/docs/OA: uploads live for seven days; the last is left as a margin.
        """
        kind = files.kind_of(attachment)
        return Uploaded(await self._client.upload(account, kind, attachment), files.LIFE)

    async def fetch(self, address: str) -> bytes:
        """A picture that somebody sent, from Zalo's own hosts."""
        return await self._pictures.fetch(address)

    async def profile(self, account: Account, user_id: str) -> Profile:
        """What Zalo shows of a person; the day of the last interaction counts from its first minute in Vietnam."""
        return _profile(await self._client.user_detail(account, user_id))

    async def last_interaction(self, account: Account, user_id: str) -> datetime | None:
        """What Zalo itself counts the reply window from."""
        return await self._client.last_interaction(account, user_id)

    async def refresh(self, account: Account, refresh_token: str) -> TokenPair:
        """Trade a single-use refresh token; the access token in use dies with it."""
        return await self._client.refresh(account, refresh_token)

    async def recent(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """Who wrote, from the list of newest lines; then what, from each one's conversation."""
        return await recent.page(self._client, account, since, until, cursor)

    async def find_sent(self, account: Account, user_id: str, text: str, since: datetime) -> str | None:
        """Look for our own line in the conversation."""
        return await self._client.find_sent(account, user_id, text, since)

    async def check_up(self, account: Account, now: datetime) -> Checkup:
        """See that the OA is verified and its package paid for."""
        return await checkup.check_up(self._client, account, now)

    async def followers(self, account: Account, cursor: str, now: datetime) -> Followers:
        """Fifty of those who follow the OA at most."""
        question = followers.question(cursor, now)
        return followers.page(await self._client.followers(account, question), cursor, now)

    async def label(self, account: Account, user_id: str, name: str, *, on: bool) -> None:
        """Put one of the OA's labels on a person, or take it off."""
        await self._client.label(account, user_id, name, on=on)

    async def whose(self, account: Account) -> Owner:
        """The OA that the account's token belongs to."""
        return await self._client.whose(account)

    def consent_address(self, app: Account, callback: str, verifier: str, state: str) -> str:
        """The page on which an OA's admin grants the app its rights."""
        return consent.address(self._urls.oauth, app.app_id, callback, verifier, state)

    def consented(self, query: Mapping[str, str]) -> Consent:
        """What the admin's browser brought back."""
        return consent.read(query)

    async def exchange(self, app: Account, code: str, verifier: str) -> TokenPair:
        """Trade the code of a consent; the OA's former access token dies with it."""
        return await self._client.exchange(app, code, verifier)


def _profile(detail: dict[str, Any]) -> Profile:
    shared = mapping(detail.get("shared_info"))
    followed = detail.get("user_is_follower")
    return Profile(
        name=clean(detail.get("display_name")) or clean(shared.get("name")),
        avatar_url=clean(mapping(detail.get("avatars")).get("240")) or clean(detail.get("avatar")),
        phone=clean(shared.get("phone")) or identifier(shared.get("phone")),
        followed=followed if isinstance(followed, bool) else None,
        last_interaction_at=_first_minute(clean(detail.get("user_last_interaction_date"))),
        labels=tuple(filter(None, map(clean, items(mapping(detail.get("tags_and_notes_info")).get("tag_names"))))),
    )


def _first_minute(day: str) -> datetime | None:
    try:
        return datetime.strptime(day, "%d/%m/%Y").replace(tzinfo=_VIETNAM).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
