"""Every documented call that we make goes over the wire as documented; the others are named, each with its reason."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.channels.abilities import Sign
from bot.channels.base import Account, Channel, Outgoing
from bot.channels.messenger.channel import Messenger
from bot.channels.messenger.rules import HUMAN_AGENT, STANDARD, UTILITY
from bot.channels.zalo.channel import Zalo
from bot.channels.zalo.client import Urls
from crm import phones
from crm.events import Address
from crm.messages import KEPT, Bought, Button, ButtonKind, Card, Message, Receipt, TemplateUse
from tests.payloads import messenger, messenger_documented, zalo, zalo_documented

Json = dict[str, Any]
OA = Account("zalo", zalo.OA, "token-1", app_id=zalo.APP_ID, app_secret="bi-mat")
PAGE = Account("messenger", messenger.PAGE, "token-1", app_id=str(messenger.OUR_APP), app_secret="bi-mat")
LAN = Address("zalo", zalo.OA, zalo.LAN)
PERSON = Address("messenger", messenger.PAGE, messenger.PERSON)
SINCE = datetime(2026, 11, 22, tzinfo=UTC)
SHOP, CALL = ("Trang web", "https://shop.example.vn", ButtonKind.URL), ("Gọi shop", "0911 222 333", ButtonKind.PHONE)
SENT = {"message_id": "m1", "access_token": "a", "refresh_token": "r"}
DONE = {**SENT, "id": "7", "success": True, "data": []}


def good(path: str) -> Json:
    """What either platform answers to a call that it took."""
    if path.startswith("/v26.0/"):
        return DONE
    return {**SENT, "error": 0, "data": [] if path.endswith("conversation") else SENT}


@dataclass
class Wire:
    """A platform that takes everything, and what it heard."""

    url: str = ""
    heard: list[Json] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        form = request.content_type == "application/x-www-form-urlencoded"
        self.heard.append(
            {
                "method": request.method,
                "path": request.path,
                "headers": dict(request.headers),
                "query": dict(request.query),
                "body": dict(parse_qsl(raw.decode())) if form else json.loads(raw or b"null"),
            }
        )
        return web.json_response(good(request.path))


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    found = Wire()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


USES = Message("Đơn DH-42", template=TemplateUse("55", values=(("ma_don", "DH-42"),)))
PHONE = Address("zalo", zalo.OA, phones.address("+84911222333", 7))


def zalo_of(channel: Channel) -> Zalo:
    """Zalo, which does more than every channel."""
    assert isinstance(channel, Zalo)
    return channel


Doing = Callable[[Channel], Awaitable[object]]


def says(account: Account, to: Address, message: Message, lane: str, metadata: str = "") -> Doing:
    """Send a message that takes one call."""

    async def send(channel: Channel) -> object:
        (part,) = channel.split(message)
        return await channel.send(account, Outgoing(to, part, lane, metadata))

    return send


def on_zalo(message: Message) -> Doing:
    return says(OA, LAN, message, "consultation")


def on_messenger(message: Message, lane: str = STANDARD, metadata: str = "") -> Doing:
    return says(PAGE, PERSON, message, lane, metadata)


NOT_YET = "the product does not do this yet: "
GROUPS = "groups are overheard and never written to"
ENDED = "Zalo switched this off on 2026-03-01"

ZALO: dict[str, Doing | str] = {
    "cs_text": on_zalo(Message("Dạ còn ạ")),
    "cs_quote": on_zalo(Message("Mẫu này ạ", reply_to=zalo.MESSAGE_ID)),
    "cs_image_url": on_zalo(Message("Mẫu mới", picture="https://shop.example.vn/ao.jpg")),
    "cs_image_attachment": on_zalo(Message("Mẫu mới", picture="tep-da-tai-len")),
    "cs_buttons": on_zalo(Message("Bạn cần gì?", (Button("Xem đơn", "kq:orders"), Button(*SHOP), Button(*CALL)))),
    "cs_request_user_info": on_zalo(
        Message("Liên kết\nCho shop xin số điện thoại", (Button("Chia sẻ số", kind=ButtonKind.SHARE_PHONE),))
    ),
    "user_detail": lambda channel: channel.profile(OA, zalo.LAN),
    "conversation": lambda channel: channel.find_sent(OA, zalo.LAN, "Dạ còn ạ", SINCE),
    "oauth_refresh": lambda channel: channel.refresh(OA, "lam-moi-1"),
    "oauth_exchange": lambda channel: zalo_of(channel).exchange(OA, "ma-cap-quyen", "chuoi-xac-minh"),
    "cs_sticker": on_zalo(Message(sticker="2100")),
    "cs_file": on_zalo(Message(file="tep-da-tai-len")),
    "reaction": on_zalo(Message(reaction="👍", reply_to=zalo.MESSAGE_ID)),
    "quota_oa": lambda channel: channel.check_up(OA, SINCE),
    "quota_user": lambda channel: channel.last_interaction(OA, zalo.LAN),
    "tag_follower": lambda channel: zalo_of(channel).label(OA, zalo.LAN, "Khách quen", on=True),
    "template_uid": says(OA, LAN, USES, "template_uid"),
    "zbs_phone": says(OA, PHONE, USES, "template_phone", "kq:7"),
    "user_getlist": lambda channel: zalo_of(channel).followers(OA, "2:50", SINCE),
    "cs_list": "off, as Zalo's documents of the present API do not mention it; cards go out as numbered text",
    "cs_gif": NOT_YET + "moving pictures",
    "anonymous_text": NOT_YET + "visitors who have not said who they are",
    "broadcast_article": NOT_YET + "articles",
    "call_requestconsent": NOT_YET + "calls",
    "group_create": GROUPS,
    "group_text": GROUPS,
    "promotion_legacy": ENDED,
    "transaction_legacy": ENDED,
    "zbs_hashphone": "numbers go out in clear, over an encrypted connection, as the shop has them",
    "user_update": NOT_YET + "writing people's details at Zalo",
}
"""Every documented request of Zalo's: how we come to make it, or why not."""

THREADS = NOT_YET + "asking for, releasing and prolonging the right to answer"
BY_HAND = "done once by hand, as the guide to connect says"
CONTENT = NOT_YET + "this kind of content"
MARKETING = NOT_YET + "paid marketing messages"
TEMPLATES_MADE = NOT_YET + "making templates; the Page's admin does in Business Suite, and the bot reads them"
SLIP = Receipt("DH-1", "Lan", "COD", 219_000, (Bought("Áo thun", "Size M", 1, 199_000),), 30_000, (("Mới", 10_000),))
UTILITY_USED = TemplateUse("don_hang", "vi", (("1", "đã giao"), ("payload:1", "kq:order:7")))
PROFILE = {"vi": Message("Xin chào!", (Button("Điểm của tôi", "kq:points"),))}


async def with_picture(channel: Channel) -> object:
    """A picture that Facebook holds, with a link on it: it got its id after it was split."""
    (part,) = channel.split(Message(picture=f"{KEPT}7", buttons=(Button(*SHOP),)))
    return await channel.send(PAGE, Outgoing(PERSON, part._replace(picture="image:687799"), STANDARD))


def by_persona(channel: Channel) -> Awaitable[object]:
    return channel.send(PAGE, Outgoing(PERSON, Message("Chào bạn"), STANDARD, persona="71"))


def page(act: Callable[[Messenger], Awaitable[object]]) -> Doing:
    """What only Messenger can do."""

    def do(channel: Channel) -> Awaitable[object]:
        assert isinstance(channel, Messenger)
        return act(channel)

    return do


MESSENGER: dict[str, Doing | str] = {
    "send_text": on_messenger(Message("Dạ còn ạ"), metadata="outbox:7"),
    "send_text_human_agent": on_messenger(Message("Nhân viên xin trả lời ạ"), HUMAN_AGENT),
    "send_reply_to": on_messenger(Message("Mẫu này ạ", reply_to="m_first")),
    "send_image_url": on_messenger(Message(picture=messenger.URL)),
    "send_quick_replies": on_messenger(
        Message("Bạn chọn màu:", (Button("Xanh", "colour:blue"), Button("Gửi số", kind=ButtonKind.SHARE_PHONE)))
    ),
    "send_button_template": on_messenger(
        Message("Mời bạn xem", (Button("Xem shop", "https://shop.example.vn/", ButtonKind.URL), Button(*CALL)))
    ),
    "send_generic_template": on_messenger(
        Message(
            cards=(
                Card(
                    "Áo dài",
                    "Lụa",
                    messenger.URL,
                    (Button("Xem", "https://shop.example.vn/ao", ButtonKind.URL), Button("Đặt mua", "kq:buy")),
                    "https://shop.example.vn/ao",
                ),
            )
        )
    ),
    "user_profile": lambda channel: channel.profile(PAGE, messenger.PERSON),
    "conversations_list": lambda channel: channel.find_sent(PAGE, messenger.PERSON, "Dạ còn ạ", SINCE),
    "send_attachment_id": on_messenger(Message(picture="image:687799")),
    "send_sticker": on_messenger(Message(sticker="369239263222822")),
    "send_media_template": with_picture,
    "send_receipt_template": on_messenger(Message("Đơn DH-1", receipt=SLIP)),
    "send_utility_template": on_messenger(Message("Đơn đã giao", template=UTILITY_USED), UTILITY),
    "send_persona": by_persona,
    "persona_create": page(lambda messenger: messenger.persona(PAGE, "An T.")),
    "send_reaction": on_messenger(Message(reaction="😊", reply_to="m_first")),
    "send_sender_action": page(lambda messenger: messenger.sign(PAGE, PERSON.user_id, Sign.TYPING)),
    "send_private_reply_comment": page(lambda messenger: messenger.answer_comment(PAGE, "81_82", "Dạ 199k ạ", "kq")),
    "thread_owner": page(lambda messenger: messenger.thread_holder(PAGE, PERSON.user_id)),
    "take_thread_control": page(lambda messenger: messenger.take_thread(PAGE, PERSON.user_id)),
    "pass_thread_control": page(lambda messenger: messenger.pass_thread(PAGE, PERSON.user_id)),
    "subscribed_apps_get": page(lambda messenger: messenger.check_up(PAGE, SINCE)),
    "subscribed_apps_post": page(lambda messenger: messenger.subscribe(PAGE)),
    "debug_token": page(lambda messenger: messenger.check_up(PAGE, SINCE)),
    "me_accounts": page(lambda messenger: messenger.managed(PAGE)),
    "messenger_profile_set": page(lambda messenger: messenger.write_page_profile(PAGE, PROFILE, "vi")),
    "messenger_profile_get": page(lambda messenger: messenger.page_profile(PAGE)),
    "messenger_profile_delete": page(lambda messenger: messenger.clear_page_profile(PAGE)),
    "send_coupon_template": CONTENT,
    "send_customer_feedback_template": CONTENT,
    "send_customer_information_template": CONTENT,
    "send_image_grid_template": CONTENT,
    "send_product_template": CONTENT,
    "send_user_ref": NOT_YET + "the checkbox plugin",
    "send_with_thread_control_pass": THREADS,
    "extend_thread_control": THREADS,
    "release_thread_control": THREADS,
    "request_thread_control": THREADS,
    "messaging_feature_status": "who holds a conversation is asked of the conversation itself",
    "send_utility_template_alt_attachment_shape": "an earlier shape, which the documentation has no more",
    "utility_template_clone": TEMPLATES_MADE,
    "utility_template_create_named": TEMPLATES_MADE,
    "utility_template_create_positional": TEMPLATES_MADE,
    "utility_template_library_search": TEMPLATES_MADE,
    "marketing_campaign_create": MARKETING,
    "marketing_message_send": MARKETING,
    "marketing_tokens_list": MARKETING,
    "optin_request_one_time_legacy": "Meta no longer offers it to new Pages",
    "optin_request_recurring_legacy": "Meta switched this off on 2026-02-10",
    "app_subscriptions_post": BY_HAND,
    "custom_user_settings_set": NOT_YET + "menus of single people",
    "custom_label_assign": NOT_YET + "labels",
    "custom_label_create": NOT_YET + "labels",
    "batch": "one call a message, so that each has its own outcome",
    "conversation_is_owner": "who holds a conversation is asked by thread_owner, which says which app it is",
    "message_get": "messages are read with their conversations, many at once",
    "upload_attachment": "what we keep goes up as a file; what lies on the web goes out by its address in one step",
}
"""Every documented request of Messenger's: how we come to make it, or why not."""


SEVERAL_CALLS = {"persona_create", "subscribed_apps_get", "debug_token"}
"""What is part of a look at several things."""


def made(table: dict[str, Doing | str]) -> dict[str, Doing]:
    """What we do make."""
    return {name: doing for name, doing in table.items() if not isinstance(doing, str)}


def test_each_call_that_we_make_has_a_sample_and_each_sample_is_made() -> None:
    assert set(made(ZALO)) == set(zalo_documented.CALLS)
    assert set(made(MESSENGER)) == set(messenger_documented.CALLS)


@pytest.mark.parametrize("name", made(ZALO))
async def test_zalo_hears_what_is_documented(wire: Wire, session: aiohttp.ClientSession, name: str) -> None:
    wanted = zalo_documented.CALLS[name]
    banner = "https://shop.example.vn/bia.png"
    await made(ZALO)[name](Zalo(session, Urls(wire.url, wire.url, wire.url), banner=banner))
    alike = [each for each in wire.heard if (each["method"], each["path"]) == (wanted["method"], wanted["path"])]
    heard = next((each for each in alike if each["body"] == wanted.get("json")), alike[0])
    assert len(wire.heard) == 1 or name == "quota_oa"
    assert heard["body"] == wanted.get("json", wanted.get("form"))
    assert [json.loads(value) for value in heard["query"].values()] == ([wanted["data"]] if "data" in wanted else [])
    secret = {"secret_key": wanted["secret_key"]} if "secret_key" in wanted else {"access_token": "token-1"}
    assert secret.items() <= heard["headers"].items()
    if "json" in wanted:
        assert heard["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", made(MESSENGER))
async def test_messenger_hears_what_is_documented(wire: Wire, session: aiohttp.ClientSession, name: str) -> None:
    wanted = messenger_documented.CALLS[name]
    await made(MESSENGER)[name](Messenger(session, f"{wire.url}/v26.0"))
    calls = [each for each in wire.heard if (each["method"], each["path"]) == (wanted["method"], wanted["path"])]
    assert calls
    assert len(wire.heard) == 1 or name in SEVERAL_CALLS
    heard = calls[0]
    assert heard["body"] == wanted.get("json")
    query = dict(heard["query"])
    assert query.pop("access_token") == wanted.get("token", "token-1")
    assert len(query.pop("appsecret_proof")) == 64
    assert query == wanted.get("query", {})
