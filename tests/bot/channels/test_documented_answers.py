"""Every documented answer of Zalo's is read for what it says; those that we never ask for are named with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.channels.abilities import Followers
from bot.channels.base import Account, Attachment, Outgoing, Owner, SendError, SendErrorKind, Sent, TokenPair
from bot.channels.zalo import quotas
from bot.channels.zalo.channel import Zalo
from bot.channels.zalo.client import Urls
from crm.allowances import Allowance
from crm.events import Address
from crm.messages import Message, TemplateUse
from tests.payloads import zalo, zalo_documented

OA = Account("zalo", zalo.OA, "token-1", app_id=zalo.APP_ID, app_secret="bi-mat")
LAN = Address("zalo", zalo.OA, zalo.LAN)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
USES = Message(template=TemplateUse("55"))
PICTURE, PAPER = Attachment("ao.jpg", "image/jpeg", b"1"), Attachment("gia.pdf", "application/pdf", b"1")
PACKAGE = Allowance("sub_quota", 77, 500, datetime(2026, 12, 31, 17, tzinfo=UTC))
GROUPS = "groups are overheard and never asked for"
UNASKED = "nothing here asks for it"

Read = Callable[[Zalo], Awaitable[object]]


def sends(message: Message, lane: str) -> Read:
    """What comes of a message."""
    return lambda channel: channel.send(OA, Outgoing(LAN, message, lane))


def uploads(attachment: Attachment) -> Read:
    """The id of what was uploaded."""

    async def upload(channel: Zalo) -> str:
        return (await channel.upload(OA, attachment)).id

    return upload


async def looks(channel: Zalo) -> object:
    """The name, the package's end and the troubles of an OA."""
    seen = await channel.check_up(OA, NOW)
    return seen.name, seen.facts["package_until"], seen.troubles


async def person(channel: Zalo) -> object:
    """What a profile holds."""
    seen = await channel.profile(OA, zalo.LAN)
    return seen.name, seen.phone, seen.followed, seen.labels, seen.last_interaction_at


async def allowances(channel: Zalo) -> object:
    """What a look at an OA tells of its allowances, each once."""
    return set((await channel.check_up(OA, NOW)).allowances)


SAID: dict[str, tuple[Read, object]] = {
    "cs_response_reply": (sends(Message("Dạ"), "consultation"), Sent(zalo.MESSAGE_ID, "reply", cost=0)),
    "cs_response_billed": (sends(Message("Dạ"), "consultation_paid"), Sent(zalo.MESSAGE_ID, cost=55)),
    "cs_response_sub_quota": (
        sends(Message("Dạ"), "consultation_paid"),
        Sent(
            zalo.MESSAGE_ID,
            "sub_quota",
            cost=0,
            allowance=Allowance("sub_quota", 77, 500, datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ),
    ),
    "template_uid_response": (sends(USES, "template_uid"), Sent(zalo.MESSAGE_ID)),
    "zbs_phone_response": (
        sends(USES, "template_phone"),
        Sent(zalo.MESSAGE_ID, allowance=Allowance(quotas.TEMPLATE_DAILY, 88, 500)),
    ),
    "quota_oa_response": (allowances, {PACKAGE}),
    "quota_user_response": (
        lambda channel: channel.last_interaction(OA, zalo.LAN),
        datetime.fromtimestamp(zalo.AT_MS / 1000, UTC),
    ),
    "zbs_quota_response": (
        allowances,
        {Allowance(quotas.TEMPLATE_DAILY, 88, 500), Allowance(quotas.TEMPLATE_PROMOTION, 9, 125)},
    ),
    "user_getlist_response": (lambda channel: channel.followers(OA, "", NOW), Followers((zalo.LAN, "77"))),
    "user_detail_response": (
        person,
        ("Lê Thị Lan", "84911222333", True, ("Khách quen",), datetime(2026, 11, 20, 17, tzinfo=UTC)),
    ),
    "getoa_response": (lambda channel: channel.whose(OA), Owner(zalo.OA, "Cửa hàng Mẫu")),
    "upload_image_response": (uploads(PICTURE), "anh-7"),
    "upload_file_response": (uploads(PAPER), "tep-7"),
    "oauth_token_response": (
        lambda channel: channel.refresh(OA, "cu"),
        TokenPair("moi", "moi-hon", timedelta(hours=25)),
    ),
    "oauth_error_response": (lambda channel: channel.refresh(OA, "cu"), (SendErrorKind.AUTH, "-14020")),
    "error_response": (sends(Message("Dạ"), "consultation"), (SendErrorKind.AUTH, "-216")),
}
"""Every answer that we read: what asks for it, and what it says."""

UNREAD = {
    "conversation_response": "read line by line, see the tests of catching up",
    "zbs_template_all_response": "read page by page, see the tests of templates",
    "zbs_template_info_response": "the same",
    "gettagsofoa_response": "labels are read from people, so that each is known with whose it is",
    "group_text_response": GROUPS,
    "groups_list_response": GROUPS,
    "zbs_quality_response": "each template tells its own quality",
    "zbs_rating_response": UNASKED,
    "zbs_status_response": "receipts come as webhooks",
}
"""The other documented answers, each with the reason."""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


def test_each_documented_answer_is_read_or_has_a_reason() -> None:
    assert set(SAID) == set(zalo_documented.ANSWERS)
    assert not set(SAID) & set(UNREAD) and all(UNREAD.values())


@pytest.mark.parametrize("name", SAID)
async def test_an_answer_is_read_for_what_it_says(session: aiohttp.ClientSession, name: str) -> None:
    ask, wanted = SAID[name]

    async def tell(request: web.Request) -> web.Response:
        return web.json_response(zalo_documented.ANSWERS[name])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        got: Any
        try:
            got = await ask(Zalo(session, Urls(url, url, url)))
        except SendError as error:
            got = error.kind, error.code
    assert got == wanted


async def test_a_look_reads_the_package(session: aiohttp.ClientSession) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response(zalo_documented.ANSWERS["getoa_response"])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        assert await looks(Zalo(session, Urls(url, url, url))) == ("Cửa hàng Mẫu", "2026-12-31", ())
