"""Facebook Messenger as a channel: its parts put together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from bot.channels.abilities import Sign
from bot.channels.base import (
    Account,
    Attachment,
    Checkup,
    Keys,
    Managed,
    Outgoing,
    Owner,
    Page,
    Profile,
    Received,
    SendError,
    SendErrorKind,
    Sent,
    Subject,
    TokenPair,
    Uploaded,
    raised,
)
from bot.channels.examined import Probe, Switch
from bot.channels.messenger import (
    checkup,
    faults,
    files,
    page,
    parse,
    personas,
    probe,
    profile,
    recent,
    sender,
    signs,
    switches,
    templates,
    threads,
    webhook,
)
from bot.channels.messenger.client import TIMEOUT, Graph, Session, edge
from bot.channels.messenger.envelope import ident, record, records
from bot.channels.messenger.rules import RULES
from bot.channels.pictures.client import Pictures
from bot.channels.text import clean, short_id
from crm.events import Event
from crm.messages import Message
from crm.reach import Rules
from crm.templates import Template

_TEMPLATES_A_SHEET = 100
_TEMPLATE_SHEETS = 100

T = TypeVar("T")

GRAPH_URL = "https://graph.facebook.com/v26.0"
_SHEETS = 50
"""How many sheets of a hundred Pages are read of what one person manages."""


class Messenger:
    """`bot.channels.base.Channel` and `Managing` for Facebook Pages.

    `session` is shared and not closed here; `timeout` is in seconds a call. `app_id` is our own app's: it tells who
    holds a conversation. With `prove` each call carries an `appsecret_proof`.
    """

    name = parse.CHANNEL
    rules: Rules = RULES
    switches: tuple[Switch, ...] = switches.SWITCHES
    staff_only: bool = False
    tables: str = ".xlsx"

    def __init__(
        self,
        session: Session,
        graph_url: str = GRAPH_URL,
        timeout: float = TIMEOUT,
        app_id: str = "",
        *,
        prove: bool = True,
    ) -> None:
        self._graph, self._app_id = Graph(session, graph_url, timeout, prove=prove), app_id
        self._pictures = Pictures(session, files.HOSTS, graph_url)

    def probes(self, keys: Keys, now: datetime, nonce: str) -> tuple[Probe, ...]:
        """The handshake, and the dashboard's test of an event."""
        return probe.probes(keys, nonce)

    def receive(self, headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
        """Verify the raw bytes in constant time and split them into updates. Never raises."""
        return webhook.receive(headers, body, keys, now)

    def challenge(self, query: Mapping[str, str], keys: Keys) -> str | None:
        """The challenge to send back where the verify token is ours; None refuses."""
        return webhook.challenge(query, keys)

    def parse(self, body: bytes, now: datetime) -> list[Event]:
        """One raw body in our words. Raises ValueError where it cannot be understood."""
        return parse.parse(body, now, self._app_id)

    def invitation(self, account_id: str, ref: str) -> str:
        """https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links"""
        return f"https://m.me/{account_id}?ref={ref}"

    def split(self, message: Message) -> tuple[Message, ...]:
        """The message as parts of one call each, degraded to what Messenger can show."""
        return sender.split(message)

    async def send(self, account: Account, outgoing: Outgoing) -> Sent:
        """Say one part by one call (Messenger, "Send API"). UNKNOWN also where a good answer names no message.

        A reaction is no message: it has no id, and its call may be repeated.
        """
        body = sender.encode(outgoing)
        if outgoing.message.reaction:
            await self._graph.repeat("POST", account, edge(account, "messages"), {}, body)
            return Sent("")
        data, usage = await self._graph.post(account, edge(account, "messages"), body)
        message_id = short_id(data.get("message_id"))
        if not message_id:
            raise raised(faults.OUTCOME_LOST, "no_message_id")
        return Sent(message_id, usage=usage)

    async def upload(self, account: Account, attachment: Attachment) -> Uploaded:
        """Let Messenger hold a picture or file for the Page (Messenger, "Attachment Upload API")."""
        kind = files.type_of(attachment)
        told = {"attachment": {"type": kind, "payload": {"is_reusable": True}}}
        path = edge(account, "message_attachments")
        data = await self._graph.upload(account, path, {"message": json.dumps(told)}, attachment)
        attachment_id = short_id(data.get("attachment_id"))
        if not attachment_id:
            raise raised(faults.READ_FAILED, "no_attachment_id")
        return Uploaded(f"{kind}:{attachment_id}", files.LIFE)

    async def fetch(self, address: str) -> bytes:
        """A picture that somebody sent, from Facebook's own hosts."""
        return await self._pictures.fetch(address)

    async def persona(self, account: Account, name: str) -> str:
        """A persona with this name and the Page's own picture (Messenger, "Personas")."""
        return await personas.make(self._graph, account, name)

    async def answer_comment(self, account: Account, comment_id: str, words: str, metadata: str) -> None:
        """Write to the author of a comment, within a week of it; nothing happens where that was done before."""
        body = sender.on_comment(comment_id, words, metadata)
        try:
            await self._graph.repeat("POST", account, edge(account, "messages"), {}, body)
        except SendError as error:
            if error.words is not faults.ANSWERED_BEFORE.words:
                raise

    async def hear_comments(self, account: Account, *, wanted: bool) -> None:
        """Let Facebook tell us of comments on the Page from now on, or no longer; other subscriptions stay."""
        present = await checkup.fields_of(self._graph, account)
        others = {*present} - {page.COMMENTS} if isinstance(present, set) else set()
        await self._subscribe(replace(account, answers_comments=wanted), others)

    async def sign(self, account: Account, user_id: str, sign: Sign) -> None:
        """Show a person that the Page read or writes (Messenger, "Sender Actions")."""
        await signs.show(self._graph, account, user_id, sign)

    async def thread_holder(self, account: Account, user_id: str) -> threads.Holder:
        """Who may answer this person now."""
        return await threads.holder(self._graph, account, user_id)

    async def take_thread(self, account: Account, user_id: str) -> None:
        """Take the right to answer this person back; ELSEWHERE where Facebook refuses."""
        await threads.take(self._graph, account, user_id)

    async def pass_thread(self, account: Account, user_id: str) -> None:
        """Let the Page's inbox answer this person."""
        await threads.give(self._graph, account, user_id)

    async def templates(self, account: Account) -> list[Template]:
        """The Page's utility templates, in every language and state, page by page (Messenger, "Utility messages")."""
        query = {"fields": templates.FIELDS, "limit": str(_TEMPLATES_A_SHEET)}
        listed = await self._graph.listed(account, edge(account, "message_templates"), query, _TEMPLATE_SHEETS)
        found = (templates.template(account.account_id, item) for item in listed)
        return [each for each in found if each]

    async def profile(self, account: Account, user_id: str) -> Profile:
        """A person's name and picture; empty where the app lacks the permission (Messenger, "User Profile API")."""
        fields = {"fields": "name,first_name,last_name,profile_pic"}
        data = await self._graph.get(account, quote(user_id, safe=""), fields)
        parts = (clean(data.get("first_name")).strip(), clean(data.get("last_name")).strip())
        return Profile(
            name=clean(data.get("name")).strip() or " ".join(part for part in parts if part),
            avatar_url=clean(data.get("profile_pic")),
            locale=clean(data.get("locale")),
        )

    async def last_interaction(self, account: Account, user_id: str) -> datetime | None:
        """Always None: Messenger has no such question."""
        return None

    async def refresh(self, account: Account, refresh_token: str) -> TokenPair:
        """Always AUTH: a Page's token has no refresh token; it lives until someone ends it."""
        raise raised(faults.RECONNECT, "no_refresh")

    async def recent(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """The conversations that changed, with the last 20 lines of each: Facebook shows no more."""
        return await recent.page(self._graph, account, since, until, cursor)

    async def find_sent(self, account: Account, user_id: str, text: str, since: datetime) -> str | None:
        """The newest message of the Page with this text since then, from the last 20 of the conversation.

        Facebook tells times in whole seconds (Messenger, "Conversations API").
        """
        query = {
            "platform": "messenger",
            "user_id": user_id,
            "fields": "messages.limit(20){id,created_time,from,message}",
        }
        data = await self._graph.get(account, edge(account, "conversations"), query)
        earliest, words = since.replace(microsecond=0), clean(text).strip()
        found = [
            (at, short_id(message.get("id")))
            for message in _messages(data)
            if (at := recent.time_of(message.get("created_time"))) is not None
            and at >= earliest
            and record(message.get("from")).get("id") == account.account_id
            and clean(message.get("message")).strip() == words
        ]
        return max(found)[1] or None if found else None

    async def check_up(self, account: Account, now: datetime) -> Checkup:
        """See that the Page's updates come to us, and that its token lasts and may do what we need."""
        return await checkup.check_up(self._graph, account, now)

    async def page_profile(self, account: Account) -> tuple[dict[str, Any], list[str]]:
        """What the Page shows before the first word, as Facebook has it and in words."""
        shown = await profile.read(self._graph, account)
        return shown, profile.in_words(shown)

    async def write_page_profile(self, account: Account, texts: Mapping[str, Message], default: str) -> None:
        """Let the Page show a greeting, menu and questions in each language; `default` to everybody else."""
        await profile.write(self._graph, account, profile.encode(texts, default))

    async def clear_page_profile(self, account: Account) -> None:
        """Let the Page show none of these."""
        await profile.clear(self._graph, account)

    async def whose(self, account: Account) -> Owner:
        """The Page that the account's token belongs to; a person's own id for a person's token."""
        data = await self._graph.get(account, "me", {"fields": "id,name"})
        if not ident(data.get("id")):
            raise raised(faults.READ_FAILED, "no_id")
        return Owner(ident(data.get("id")), _name(data))

    async def prolonged(self, user: Account) -> Account:
        """A person's token of an hour traded for one of about sixty days (Facebook Login, "Long-Lived Tokens")."""
        query = {
            "grant_type": "fb_exchange_token",
            "client_id": user.app_id,
            "client_secret": user.app_secret,
            "fb_exchange_token": user.access_token,
        }
        token = clean((await _by_a_person(self._graph.trade(query))).get("access_token"))
        if not token:
            raise raised(faults.READ_FAILED, "no_token")
        return replace(user, access_token=token)

    async def managed(self, user: Account) -> tuple[Managed, ...]:
        """The Pages of a person's token; those of a long-lived one have tokens without an end (Graph API, "Pages")."""
        query = {"fields": "id,name,access_token", "limit": "100"}
        listed = await _by_a_person(self._graph.listed(user, "me/accounts", query, _SHEETS))
        found = {ident(each.get("id")): each for each in listed}
        return tuple(
            Managed(page_id, _name(each), clean(each.get("access_token"))) for page_id, each in found.items() if page_id
        )

    async def subscribe(self, account: Account) -> None:
        """Subscribe the Page to every field that it needs (Messenger, "subscribed_apps")."""
        await self._subscribe(account, frozenset())

    async def _subscribe(self, account: Account, also: Collection[str]) -> None:
        try:
            done = await page.subscribe(self._graph, account, also)
        except SendError as error:
            if error.subject is Subject.MESSAGE:
                raise raised(faults.NOT_SUBSCRIBED, error.code, detail=error.detail) from None
            raise
        if not done:
            raise raised(faults.NOT_SUBSCRIBED, "no_success")


def _name(node: dict[str, Any]) -> str:
    return " ".join(clean(node.get("name")).split())


async def _by_a_person(call: Awaitable[T]) -> T:
    """The answer to a call with a person's token: a dead one is theirs to renew, not the Page's."""
    try:
        return await call
    except SendError as error:
        if error.kind is SendErrorKind.AUTH:
            raise raised(faults.USER_TOKEN, error.code, detail=error.detail) from None
        raise


def _messages(data: dict[str, Any]) -> list[dict[str, Any]]:
    threads = records(data.get("data"))
    return [message for thread in threads for message in records(record(thread.get("messages")).get("data"))]
