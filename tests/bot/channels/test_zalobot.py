"""Zalo's Bot API at the wire: captured bodies in, payloads out, and what every answer and silence means."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.abilities import Polled
from bot.channels.base import Account, Attachment, Channel, Keys, Outgoing, SendError, SendErrorKind, Subject
from bot.channels.zalobot import parse, sender
from bot.channels.zalobot.channel import ZaloBot, bot_id
from bot.channels.zalobot.rules import RULES
from crm.events import Address, Event, MediaKind, MediaReceived, TextReceived, UnknownEvent
from crm.messages import Button, ButtonKind, Card, Message, Purpose
from crm.reach import ReachFacts, Refusal, reach

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BOT, LAN = "1459232241454765289", "6ede9afa66b88fe6d6a9"
TOKEN = f"{BOT}:abc-xyz_123"
ACCOUNT = Account("zalobot", BOT, TOKEN)
DOCUMENTED = {
    "ok": True,
    "result": {
        "message": {
            "from": {"id": LAN, "display_name": "Ted", "is_bot": False},
            "chat": {"id": LAN, "chat_type": "PRIVATE"},
            "text": "Xin chào",
            "message_id": "2d758cb5e222177a4e35",
            "date": 1750316131602,
        },
        "event_name": "message.text.received",
    },
}
"""The sample of Zalo's page on webhooks, which the answer of getUpdates resembles."""
SENT = {"ok": True, "result": {"message_id": "82599fa32f56d00e8941", "date": 1749632637199}}
NOTHING = {"ok": False, "description": "Request timeout", "error_code": 408}
"""As bots hear it when nobody wrote."""


@dataclass
class Stub:
    """Zalo's side of the wire: what it heard, and what it answers by method."""

    answers: dict[str, Callable[[web.BaseRequest], Any]] = field(default_factory=dict)
    heard: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        method = request.path.rpartition("/")[2]
        self.heard.append((request.path, json.loads(await request.read() or b"{}")))
        found = self.answers[method](request)
        response: web.StreamResponse = await found if asyncio.iscoroutine(found) else found
        return response

    def says(self, method: str, body: Any, status: int = 200) -> None:
        """Answer a method with this JSON, or with this text."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers[method] = lambda _: web.Response(text=text, status=status)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """Zalo."""
    stub = Stub()
    runner = web.ServerRunner(web.Server(stub))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stub
    await runner.cleanup()


@pytest.fixture
async def bot(stub: Stub) -> AsyncIterator[ZaloBot]:
    """The channel, impatient."""
    async with aiohttp.ClientSession() as session:
        yield ZaloBot(session, stub.url, timeout=0.5, wait=1)


def outgoing(message: Message) -> Outgoing:
    """Something to Lan."""
    return Outgoing(Address("zalobot", BOT, LAN), message, "bot")


async def test_it_is_a_channel_that_is_asked_and_is_for_staff_alone(bot: ZaloBot) -> None:
    channel: Channel = bot
    assert isinstance(channel, Polled) and channel.staff_only
    assert channel.receive({}, b"{}", Keys(), NOW).raws == () and channel.challenge({}, Keys()) is None


async def test_what_zalo_documents_becomes_a_text_of_that_person(stub: Stub, bot: ZaloBot) -> None:
    stub.says("getUpdates", DOCUMENTED)
    (raw,) = await bot.poll(ACCOUNT, NOW)
    assert stub.heard == [(f"/bot{TOKEN}/getUpdates", {"timeout": "1"})]
    assert (raw.account_id, raw.thread_key, raw.dedup_key) == (BOT, LAN, "update:2d758cb5e222177a4e35")
    at = datetime(2025, 6, 19, 6, 55, 31, 602000, tzinfo=UTC)
    assert raw.occurred_at == at
    told = TextReceived(Address("zalobot", BOT, LAN), at, message_id="2d758cb5e222177a4e35", text="Xin chào")
    assert bot.parse(raw.body, NOW) == [told]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (NOTHING, 408), (NOTHING, 200), ({**NOTHING, "error_code": "408"}, 200), ({"ok": True, "result": {}}, 200),
        ({"ok": True}, 200), ({"ok": True, "result": []}, 200),
    ],
)  # fmt: skip
async def test_that_nobody_wrote_is_no_error(stub: Stub, bot: ZaloBot, body: Any, status: int) -> None:
    stub.says("getUpdates", body, status)
    assert await bot.poll(ACCOUNT, NOW) == ()


@pytest.mark.parametrize(
    ("body", "status", "kind", "subject"),
    [
        ({"ok": False, "error_code": 401}, 401, SendErrorKind.AUTH, Subject.ACCOUNT),
        ({"ok": False, "error_code": 403}, 200, SendErrorKind.RETRY, Subject.MESSAGE),
        ({"ok": False, "error_code": 409}, 409, SendErrorKind.PERMANENT, Subject.ACCOUNT),
        ("<html>429 Too Many Requests</html>", 429, SendErrorKind.SNOOZE, Subject.ACCOUNT),
        ("<html>502</html>", 502, SendErrorKind.RETRY, Subject.MESSAGE),
        ("no JSON", 200, SendErrorKind.RETRY, Subject.MESSAGE),
        ("", 302, SendErrorKind.RETRY, Subject.MESSAGE),
        ({"ok": False, "error_code": 404}, 404, SendErrorKind.PERMANENT, Subject.MESSAGE),
    ],
)
async def test_what_a_question_may_be_answered(
    stub: Stub, bot: ZaloBot, body: Any, status: int, kind: SendErrorKind, subject: Subject
) -> None:
    stub.says("getUpdates", body, status)
    stub.says("getWebhookInfo", {"ok": False, "description": "Not Found", "error_code": 404}, 404)
    with pytest.raises(SendError) as refused:
        await bot.poll(ACCOUNT, NOW)
    assert (refused.value.kind, refused.value.subject) == (kind, subject)
    assert "abc-xyz" not in str(refused.value)


@pytest.mark.parametrize("code", [400, 404, 409])
async def test_a_refusal_while_a_webhook_is_set_says_so(stub: Stub, bot: ZaloBot, code: int) -> None:
    stub.says("getUpdates", {"ok": False, "error_code": code}, code)
    stub.says("getWebhookInfo", {"ok": True, "result": {"url": "https://other.example/hook", "updated_at": 1}})
    with pytest.raises(SendError, match="deleteWebhook") as refused:
        await bot.poll(ACCOUNT, NOW)
    assert (refused.value.kind, refused.value.subject) == (SendErrorKind.PERMANENT, Subject.ACCOUNT)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"ok": False, "error_code": 400, "description": "Bad request"}, 200, SendErrorKind.UNREACHABLE),
        ({"ok": False, "error_code": 404}, 404, SendErrorKind.UNREACHABLE),
        ({"ok": False, "error_code": 401}, 401, SendErrorKind.AUTH),
        ({"ok": False, "error_code": 403}, 403, SendErrorKind.RETRY),
        ({"ok": False, "error_code": 408}, 408, SendErrorKind.UNKNOWN),
        ({"ok": False, "error_code": 429}, 200, SendErrorKind.SNOOZE),
        ({"ok": False, "error_code": 418}, 200, SendErrorKind.PERMANENT),
        ("<html>502</html>", 502, SendErrorKind.UNKNOWN),
        ({"ok": True, "result": {}}, 200, SendErrorKind.UNKNOWN),
        ({"ok": True}, 200, SendErrorKind.UNKNOWN),
    ],
)
async def test_what_a_message_may_be_answered(
    stub: Stub, bot: ZaloBot, body: Any, status: int, kind: SendErrorKind
) -> None:
    stub.says("sendMessage", body, status)
    with pytest.raises(SendError) as refused:
        await bot.send(ACCOUNT, outgoing(Message("chào")))
    assert refused.value.kind is kind


async def test_a_message_a_picture_and_a_sticker_go_out_as_documented(stub: Stub, bot: ZaloBot) -> None:
    for method in ("sendMessage", "sendPhoto", "sendSticker"):
        stub.says(method, SENT)
    assert (await bot.send(ACCOUNT, outgoing(Message("chào")))).message_id == "82599fa32f56d00e8941"
    await bot.send(ACCOUNT, outgoing(Message("xem", picture="https://a.vn/1.jpg")))
    await bot.send(ACCOUNT, outgoing(Message(picture="https://a.vn/1.jpg")))
    await bot.send(ACCOUNT, outgoing(Message(sticker="d063f44dc80821567819")))
    assert [(path.rpartition("/")[2], body) for path, body in stub.heard] == [
        ("sendMessage", {"chat_id": LAN, "text": "chào"}),
        ("sendPhoto", {"chat_id": LAN, "photo": "https://a.vn/1.jpg", "caption": "xem"}),
        ("sendPhoto", {"chat_id": LAN, "photo": "https://a.vn/1.jpg"}),
        ("sendSticker", {"chat_id": LAN, "sticker": "d063f44dc80821567819"}),
    ]


async def test_silence_and_a_closed_port_are_told_apart(stub: Stub, bot: ZaloBot) -> None:
    async def silent(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    stub.answers["sendMessage"] = silent
    with pytest.raises(SendError, match="timeout") as late:
        await bot.send(ACCOUNT, outgoing(Message("chào")))
    assert late.value.kind is SendErrorKind.UNKNOWN
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with aiohttp.ClientSession() as session:
        nobody = ZaloBot(session, f"http://127.0.0.1:{port}", timeout=0.5)
        with pytest.raises(SendError, match="not_reached") as closed:
            await nobody.send(ACCOUNT, outgoing(Message("chào")))
    assert closed.value.kind is SendErrorKind.RETRY and "abc-xyz" not in repr(closed.value.__dict__)


async def test_the_bot_tells_whose_its_token_is_and_how_it_stands(stub: Stub, bot: ZaloBot) -> None:
    stub.says("getMe", {"ok": True, "result": {"id": BOT, "account_name": "bot.VDKyGxQvc", "account_type": "BASIC"}})
    stub.says("getWebhookInfo", {"ok": False, "description": "Not Found", "error_code": 404}, 404)
    assert await bot.whose(ACCOUNT) == (BOT, "bot.VDKyGxQvc")
    seen = await bot.check_up(ACCOUNT, NOW)
    assert (seen.name, seen.facts, seen.troubles) == ("bot.VDKyGxQvc", {"kind": "BASIC", "webhook": False}, ())
    stub.says("getWebhookInfo", {"ok": True, "result": {"url": "", "updated_at": 1}})
    assert not (await bot.check_up(ACCOUNT, NOW)).troubles
    for code in (401, 404):
        stub.says("getMe", {"ok": False, "error_code": code}, code)
        with pytest.raises(SendError) as refused:
            await bot.whose(ACCOUNT)
        assert refused.value.kind is SendErrorKind.AUTH


async def test_what_cannot_be_a_token_is_not_sent_anywhere(stub: Stub, bot: ZaloBot) -> None:
    for token in ("", "12:a/../getMe", "12:a?b=c", "12:a b"):
        with pytest.raises(SendError) as refused:
            await bot.whose(Account("zalobot", BOT, token))
        assert refused.value.kind is SendErrorKind.AUTH
    assert stub.heard == []
    assert [bot_id(token) for token in (TOKEN, "abc", "", "a b:c")] == [BOT, "", "", ""]


async def test_what_zalo_has_no_way_for_is_said(bot: ZaloBot) -> None:
    with pytest.raises(SendError, match="web address"):
        await bot.upload(ACCOUNT, Attachment("a.jpg", "image/jpeg", b"x"))
    with pytest.raises(SendError):
        await bot.find_sent(ACCOUNT, LAN, "chào", NOW)
    assert (await bot.recent(ACCOUNT, NOW, NOW, "")).raws == () and await bot.templates(ACCOUNT) == []


def told(event: str, **message: Any) -> Event:
    """What an update is read as."""
    body = {"from": {"id": LAN}, "chat": {"id": LAN, "chat_type": "PRIVATE"}, "message_id": "m1", "date": 1, **message}
    raw = parse.keep(BOT, {"event_name": event, "message": body}, NOW)
    (found,) = parse.parse(raw.body, NOW)
    return found


@pytest.mark.parametrize(
    ("event", "message", "kind", "url", "text"),
    [
        ("message.image.received", {"photo": "https://a/1", "caption": "vỡ"}, MediaKind.IMAGE, "https://a/1", "vỡ"),
        ("message.image.received", {"photo_url": "https://a/2.jpg"}, MediaKind.IMAGE, "https://a/2.jpg", ""),
        ("message.sticker.received", {"sticker": "s", "url": "https://a/s"}, MediaKind.STICKER, "https://a/s", ""),
        ("message.voice.received", {"voice_url": "https://a/v.aac"}, MediaKind.AUDIO, "https://a/v.aac", ""),
        ("message.unsupported.received", {}, MediaKind.OTHER, "", ""),
    ],
)  # fmt: skip
def test_what_is_no_text_is_an_attachment(
    event: str, message: dict[str, Any], kind: MediaKind, url: str, text: str
) -> None:
    found = told(event, **message)
    assert isinstance(found, MediaReceived)
    assert (found.media[0].kind, found.media[0].url, found.text, found.at) == (kind, url, text, NOW)


def test_groups_other_bots_and_events_without_a_person_are_nobodys() -> None:
    for more in (
        {"chat": {"id": "g1", "chat_type": "GROUP"}}, {"from": {"id": LAN, "is_bot": True}}, {"chat": {}},
    ):  # fmt: skip
        found = told("message.text.received", text="/help", **more)
        assert isinstance(found, UnknownEvent) and found.known and not found.address.user_id
    raw = parse.keep(BOT, {"event_name": "message.unsupported.received"}, NOW)
    assert raw.thread_key == "account" and raw.dedup_key.startswith("update:")


def test_what_zalo_may_tell_one_day_is_buried_to_be_replayed() -> None:
    found = told("message.link.received", url="https://a.vn")
    assert isinstance(found, UnknownEvent) and not found.known
    for body in (b"{}", b"[]", b'{"bot":"1","update":{}}'):
        with pytest.raises(ValueError):
            parse.parse(body, NOW)


def test_a_quote_is_read_where_it_is_told() -> None:
    found = told("message.text.received", text="ok", reply_to_message={"message_id": "82599fa32f56d00e8941"})
    assert isinstance(found, TextReceived) and found.reply_to == "82599fa32f56d00e8941"


def test_buttons_become_lines_that_can_be_typed() -> None:
    message = Message(
        "Khách chờ",
        (
            Button("Trả lời", "/r 12"), Button("Để sau", "kq:later"), Button("Mở", "https://a.vn", ButtonKind.URL),
            Button("Gọi", "0901234501", ButtonKind.PHONE), Button("Số của bạn", "", ButtonKind.SHARE_PHONE),
        ),
        (Card("Lan", "3 đơn", buttons=(Button("Xem", "/kh 12"),)), Card("Minh")),
    )  # fmt: skip
    assert sender.split(message) == (
        Message(
            "Khách chờ\n1. Lan\n3 đơn\n• Xem: /kh 12\n2. Minh\n• Trả lời: /r 12\n• Để sau\n• Mở: https://a.vn\n"
            "• Gọi: 0901234501"
        ),
    )


def test_pictures_and_files_find_their_place() -> None:
    web_picture, kept = "https://a.vn/1.jpg", "media:1"
    assert sender.split(Message("xem", picture=web_picture)) == (Message("xem", picture=web_picture),)
    assert sender.split(Message(file="https://a.vn/b.pdf")) == (Message("https://a.vn/b.pdf"),)
    assert sender.split(Message("bc", file=kept)) == (Message("bc"), Message(file=kept))
    assert sender.split(Message(" ")) == ()
    long = sender.split(Message("a " * 1500, picture=web_picture))
    assert [bool(part.picture) for part in long] == [True, False, False]


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("ab ệ\n😀👩‍👧 ."), max_size=6000))
def test_no_piece_is_too_long_however_zalo_counts_and_nothing_is_lost(text: str) -> None:
    parts = sender.split(Message(text))
    assert all(0 < len(part.text.encode("utf-16-le")) // 2 <= sender.LIMIT for part in parts)
    assert "".join("".join(part.text for part in parts).split()) == "".join(text.split())


def test_who_ever_wrote_can_be_written_to_but_not_with_marketing() -> None:
    long_ago = datetime(2025, 8, 1, tzinfo=UTC)
    asked = ReachFacts(Purpose.STAFF, long_ago, NOW, consented=True)
    assert (reach(RULES, asked).lane, reach(RULES, asked).until) == ("bot", None)
    assert reach(RULES, ReachFacts(Purpose.STAFF, None, NOW)).refusal is Refusal.NEVER_WROTE
    assert reach(RULES, ReachFacts(Purpose.CARE, long_ago, NOW, consented=True)).refusal is Refusal.WINDOW_CLOSED
