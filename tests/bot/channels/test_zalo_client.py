"""Zalo's answers and silences, over real HTTP against a small stub."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web

from bot.channels.abilities import Consenting
from bot.channels.base import (
    Account,
    Channel,
    Consent,
    Keys,
    Outgoing,
    Owner,
    Profile,
    SendError,
    SendErrorKind,
    Sent,
    Subject,
)
from bot.channels.zalo.channel import Zalo
from bot.channels.zalo.client import Urls
from crm.events import Address
from crm.messages import Message

OA, LAN = "8200300400500600700", "9300400500600700800"
ACCOUNT = Account("zalo", OA, "token-1", app_id="7100", app_secret="bi-mat")
HELLO = Outgoing(Address("zalo", OA, LAN), Message("Chào bạn"), "consultation")
SENT = {
    "data": {"message_id": "m1", "user_id": LAN, "quota": {"quota_type": "reply"}},
    "error": 0,
    "message": "Success",
}


@dataclass
class Stub:
    """Zalo's side of the wire: what it heard, and what it does about it."""

    answer: Callable[[web.BaseRequest], Any] = lambda request: web.json_response(SENT)
    heard: list[tuple[web.BaseRequest, bytes]] = field(default_factory=list)
    url: str = ""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.heard.append((request, await request.read()))
        found = self.answer(request)
        response: web.StreamResponse = await found if asyncio.iscoroutine(found) else found
        return response

    def says(self, body: object, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, bytes) else "text/json"
        self.answer = lambda _: web.Response(
            body=raw, status=status, content_type=kind, headers={key.replace("_", "-"): headers[key] for key in headers}
        )


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    found = Stub()
    runner = web.ServerRunner(web.Server(found), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
def zalo(stub: Stub, session: aiohttp.ClientSession) -> Zalo:
    return Zalo(session, Urls(stub.url, stub.url), timeout=0.4, refresh_timeout=0.4)


async def failed(call: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await call
    return caught.value


async def dropped(request: web.BaseRequest) -> web.Response:
    """The request was heard; the connection ends without an answer."""
    assert request.transport
    request.transport.close()
    return web.Response()


async def half(request: web.BaseRequest) -> web.StreamResponse:
    """Headers and the first bytes of a body, then the end."""
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"data":{"message_id":"m1"')
    assert request.transport
    request.transport.close()
    return response


async def silent(request: web.BaseRequest) -> web.Response:
    await asyncio.sleep(1.5)
    return web.json_response(SENT)


def test_it_is_a_channel(zalo: Zalo) -> None:
    channel: Channel = zalo
    assert channel.name == "zalo"
    assert isinstance(zalo, Consenting)
    assert channel.challenge({"hub.challenge": "1"}, Keys()) is None


async def test_a_message_is_sent_as_zalo_wants_it(stub: Stub, zalo: Zalo) -> None:
    assert await zalo.send(ACCOUNT, HELLO) == Sent("m1", quota="reply", cost=0)
    ((request, body),) = stub.heard
    assert (request.method, request.path) == ("POST", "/v3.0/oa/message/cs")
    assert request.headers["access_token"] == "token-1"
    assert request.content_type == "application/json"
    assert json.loads(body) == {"recipient": {"user_id": LAN}, "message": {"text": "Chào bạn"}}


async def test_the_proof_is_the_token_under_the_app_secret(stub: Stub, zalo: Zalo) -> None:
    await zalo.send(ACCOUNT, HELLO)
    await zalo.send(Account("zalo", OA, "token-1"), HELLO)
    proof = hmac.new(b"bi-mat", b"token-1", hashlib.sha256).hexdigest()
    assert [request.headers.get("appsecret_proof") for request, _ in stub.heard] == [proof, None]


async def test_a_message_without_quota_was_billed(stub: Stub, zalo: Zalo) -> None:
    stub.says({"data": {"message_id": 12345678901234567890}, "error": "0"})
    assert await zalo.send(ACCOUNT, HELLO) == Sent("12345678901234567890", quota="", cost=55)


@pytest.mark.parametrize(
    ("code", "kind", "subject"),
    [
        (-32, SendErrorKind.SNOOZE, Subject.ACCOUNT),
        (-216, SendErrorKind.AUTH, Subject.ACCOUNT),
        ("-220", SendErrorKind.AUTH, Subject.ACCOUNT),
        (-210, SendErrorKind.PERMANENT, Subject.MESSAGE),
        (-213, SendErrorKind.UNREACHABLE, Subject.PERSON),
        (-230, SendErrorKind.PERMANENT, Subject.PERSON),
        (-200, SendErrorKind.RETRY, Subject.MESSAGE),
        (-98765, SendErrorKind.RETRY, Subject.MESSAGE),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_code_decides_whatever_the_status(
    stub: Stub, zalo: Zalo, code: object, kind: SendErrorKind, subject: Subject, status: int
) -> None:
    stub.says({"error": code, "message": "said so"}, status)
    error = await failed(zalo.send(ACCOUNT, HELLO))
    assert (error.kind, error.subject, error.code) == (kind, subject, str(code))
    assert "said so" not in f"{error} {error.detail}"


UNREADABLE = [
    b"",
    b"<html>oops</html>",
    b'{"data":',
    b"[]",
    b"[" * 100_000,
    b"{}",
    b'{"error":null}',
    b'{"error":true}',
    b'{"error":0}',
    b'{"error":0,"data":{"message_id":""}}',
    b'{"error":0,"data":[]}',
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: body[:20].decode())
async def test_a_success_that_cannot_be_read_is_unknown(stub: Stub, zalo: Zalo, body: bytes) -> None:
    stub.says(body)
    assert (await failed(zalo.send(ACCOUNT, HELLO))).kind is SendErrorKind.UNKNOWN


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (429, {"Retry_After": "7"}, SendErrorKind.RETRY, 7),
        (429, {}, SendErrorKind.RETRY, None),
        (503, {"Retry_After": "99999"}, SendErrorKind.RETRY, 3600),
        (503, {}, SendErrorKind.UNKNOWN, None),
        (503, {"Retry_After": "Sun, 22 Nov 2026 08:00:00 GMT"}, SendErrorKind.UNKNOWN, None),
        (502, {}, SendErrorKind.UNKNOWN, None),
        (504, {}, SendErrorKind.UNKNOWN, None),
        (404, {}, SendErrorKind.RETRY, None),
        (302, {"Location": "/elsewhere"}, SendErrorKind.RETRY, None),
        (401, {}, SendErrorKind.AUTH, None),
    ],
)
async def test_what_stands_between_us_and_zalo_is_read_by_status(
    stub: Stub, zalo: Zalo, status: int, headers: dict[str, str], kind: SendErrorKind, wait: int | None
) -> None:
    stub.says(b"<html>proxy</html>", status, **headers)
    error = await failed(zalo.send(ACCOUNT, HELLO))
    assert (error.kind, error.code) == (kind, f"http-{status}")
    assert error.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert len(stub.heard) == 1


@pytest.mark.parametrize(("fault", "code"), [(silent, "timeout"), (dropped, "disconnected"), (half, "disconnected")])
async def test_a_lost_answer_is_unknown_for_a_send_and_harmless_for_a_question(
    stub: Stub, zalo: Zalo, fault: Callable[[web.BaseRequest], Any], code: str
) -> None:
    stub.answer = fault
    error = await failed(zalo.send(ACCOUNT, HELLO))
    assert (error.kind, error.code) == (SendErrorKind.UNKNOWN, code)
    assert len(stub.heard) == 1
    assert (await failed(zalo.profile(ACCOUNT, LAN))).kind is SendErrorKind.RETRY
    assert (await failed(zalo.refresh(ACCOUNT, "r1"))).kind is SendErrorKind.UNKNOWN


@pytest.mark.parametrize("port_is", ["closed", "not tls", "nowhere"])
async def test_a_connection_never_made_may_be_tried_again(
    stub: Stub, session: aiohttp.ClientSession, port_is: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    url = {"closed": closed, "not tls": stub.url.replace("http:", "https:"), "nowhere": "http://no.invalid"}[port_is]
    channel = Zalo(session, Urls(url, url), timeout=5)
    for call in (channel.send(ACCOUNT, HELLO), channel.refresh(ACCOUNT, "r1")):
        error = await failed(call)
        assert (error.kind, error.code) == (SendErrorKind.RETRY, "connect")


async def test_a_profile_is_read_with_distrust(stub: Stub, zalo: Zalo) -> None:
    detail = {
        "display_name": "Lan Nguyễn\0",
        "avatar": "https://s120.zdn.vn/l.jpg",
        "avatars": {"240": "https://s240.zdn.vn/l.jpg"},
        "user_is_follower": True,
        "user_last_interaction_date": "21/11/2026",
        "shared_info": {"phone": 84911222333},
    }
    stub.says({"data": detail, "error": 0})
    assert await zalo.profile(ACCOUNT, LAN) == Profile(
        name="Lan Nguyễn",
        avatar_url="https://s240.zdn.vn/l.jpg",
        phone="84911222333",
        followed=True,
        last_interaction_at=datetime(2026, 11, 20, 17, 0, tzinfo=UTC),
    )
    ((request, _),) = stub.heard
    assert (request.path, json.loads(request.query["data"])) == ("/v3.0/oa/user/detail", {"user_id": LAN})
    stub.says({"data": {"shared_info": [], "user_is_follower": "yes", "user_last_interaction_date": "?"}, "error": 0})
    assert await zalo.profile(ACCOUNT, LAN) == Profile()


async def test_a_refresh_gives_the_new_pair(stub: Stub, zalo: Zalo) -> None:
    stub.says({"access_token": "a2", "refresh_token": "r2", "expires_in": "90000"})
    pair = await zalo.refresh(ACCOUNT, "r1")
    assert (pair.access_token, pair.refresh_token, pair.expires_in) == ("a2", "r2", timedelta(hours=25))
    ((request, body),) = stub.heard
    assert (request.path, request.headers["secret_key"]) == ("/v4/oa/access_token", "bi-mat")
    assert request.content_type == "application/x-www-form-urlencoded"
    assert body == b"refresh_token=r1&app_id=7100&grant_type=refresh_token"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": -14020, "error_name": "used"}, 200, SendErrorKind.AUTH),
        ({"error": "-14020"}, 400, SendErrorKind.AUTH),
        ({"error": -14004}, 200, SendErrorKind.SNOOZE),
        ({"error": -14999}, 200, SendErrorKind.SNOOZE),
        ({"error_name": "Invalid something"}, 200, SendErrorKind.SNOOZE),
        ({"message": "no"}, 401, SendErrorKind.SNOOZE),
        ({"access_token": "a2"}, 200, SendErrorKind.UNKNOWN),
        ({"access_token": "a2", "refresh_token": ""}, 200, SendErrorKind.UNKNOWN),
        ({"access_token": "a2", "refresh_token": None, "error": -1}, 200, SendErrorKind.UNKNOWN),
        ({}, 200, SendErrorKind.UNKNOWN),
        (b"<html>", 502, SendErrorKind.UNKNOWN),
        (b"<html>", 404, SendErrorKind.RETRY),
    ],
)
async def test_a_refresh_succeeds_only_with_two_tokens(
    stub: Stub, zalo: Zalo, body: object, status: int, kind: SendErrorKind
) -> None:
    stub.says(body, status)
    error = await failed(zalo.refresh(ACCOUNT, "r1"))
    assert error.kind is kind
    assert "a2" not in f"{error} {error.detail} {error.code}"


SINCE = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def line(words: object, message_id: str, *, after: float = 1, src: object = 0) -> dict[str, Any]:
    time = int((SINCE.timestamp() + after) * 1000)
    return {"src": src, "time": time, "type": "text", "message": words, "message_id": message_id}


async def test_a_lost_send_is_found_in_the_conversation(stub: Stub, zalo: Zalo) -> None:
    lines = [
        line("Chào bạn", "later", after=60),
        line("Chào bạn", "ours", after=2),
        line("Chào bạn", "theirs", src=1),
        line("Chào bạn", "before", after=-60),
        line("Khác", "other"),
        {"src": 0, "message": "Chào bạn", "time": None, "message_id": "timeless"},
        None,
    ]
    stub.says({"data": lines, "error": 0})
    assert await zalo.find_sent(ACCOUNT, LAN, "Cha\u0300o bạn ", SINCE) == "ours"
    ((request, _),) = stub.heard
    assert request.path == "/v2.0/oa/conversation"
    assert request.query["data"] == f'{{"user_id":{LAN},"offset":0,"count":10}}'


@pytest.mark.parametrize("lines", [[], {}, None, [line("Khác", "other")], [line("Chào bạn", "", after=1)]], ids=repr)
async def test_a_send_that_is_not_there_is_not_found(stub: Stub, zalo: Zalo, lines: object) -> None:
    stub.says({"data": lines, "error": 0})
    assert await zalo.find_sent(ACCOUNT, LAN, "Chào bạn", SINCE) is None


async def test_nothing_is_found_by_empty_text(stub: Stub, zalo: Zalo) -> None:
    stub.says({"data": [line("", "picture")], "error": 0})
    assert await zalo.find_sent(ACCOUNT, LAN, "", SINCE) is None


# --- connecting -------------------------------------------------------------------------------------------------------


def test_the_consent_page_is_told_only_the_challenge(zalo: Zalo, stub: Stub) -> None:
    """The vector is Zalo's own."""
    verifier = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
    parts = urlsplit(zalo.consent_address(ACCOUNT, "https://bot.example/connect/zalo", verifier, "s1"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{stub.url}/v4/oa/permission"
    assert dict(parse_qsl(parts.query)) == {
        "app_id": "7100",
        "redirect_uri": "https://bot.example/connect/zalo",
        "code_challenge": "g0tuZ6q412zO9IRkeAUs8HN6MQeXPsGce37J3Rsc8wQ",
        "state": "s1",
    }


@pytest.mark.parametrize(
    ("query", "consent"),
    [
        ({"code": "c", "oa_id": OA, "state": "s"}, Consent("s", "c", OA)),
        ({"state": "s", "error": "access_denied"}, Consent("s", error="access_denied")),
        ({"state": "s", "error": "-14003"}, Consent("s", error="-14003")),
        ({"error_name": "Invalid redirect uri"}, Consent(error="error")),
        ({"code": "c" * 5000, "oa_id": "no id", "state": "s\0"}, Consent("s")),
        ({}, Consent()),
    ],
)
def test_a_callback_is_read_with_distrust(zalo: Zalo, query: dict[str, str], consent: Consent) -> None:
    assert zalo.consented(query) == consent


async def test_a_code_is_exchanged_with_its_verifier(stub: Stub, zalo: Zalo) -> None:
    stub.says({"access_token": "a1", "refresh_token": "r1", "expires_in": "90000"})
    pair = await zalo.exchange(ACCOUNT, "the-code", "the-verifier")
    assert (pair.access_token, pair.refresh_token, pair.expires_in) == ("a1", "r1", timedelta(hours=25))
    ((request, body),) = stub.heard
    assert (request.path, request.headers["secret_key"]) == ("/v4/oa/access_token", "bi-mat")
    assert body == b"code=the-code&app_id=7100&grant_type=authorization_code&code_verifier=the-verifier"


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": -14003}, SendErrorKind.SNOOZE, "callback address"),
        ({"error": -14019, "error_name": "Invalid code"}, SendErrorKind.SNOOZE, "works once"),
        ({"error_name": "Invalid code"}, SendErrorKind.SNOOZE, "works once"),
        ({"access_token": "a1"}, SendErrorKind.UNKNOWN, ""),
    ],
)
async def test_an_exchange_that_fails_says_why(
    stub: Stub, zalo: Zalo, body: object, kind: SendErrorKind, words: str
) -> None:
    stub.says(body)
    error = await failed(zalo.exchange(ACCOUNT, "the-code", "the-verifier"))
    assert error.kind is kind
    assert words in error.words.en
    assert "the-code" not in str(error)


async def test_zalo_says_whose_a_token_is(stub: Stub, zalo: Zalo) -> None:
    stub.says({"data": {"oaid": int(OA), "name": " Mây\nTrưa "}, "error": 0})
    assert await zalo.whose(ACCOUNT) == Owner(OA, "Mây Trưa")
    ((request, _),) = stub.heard
    assert (request.path, request.headers["access_token"]) == ("/v2.0/oa/getoa", "token-1")


@pytest.mark.parametrize("data", [{}, None, {"oa_id": OA}, {"oaid": ""}, {"oaid": "8" * 65}, {"oaid": True}])
async def test_an_owner_without_an_id_is_none(stub: Stub, zalo: Zalo, data: object) -> None:
    stub.says({"data": data, "error": 0})
    assert (await failed(zalo.whose(ACCOUNT))).kind is SendErrorKind.RETRY


async def test_many_templates_are_looked_at_one_after_another_at_a_pace(
    stub: Stub, session: aiohttp.ClientSession
) -> None:
    looked: list[float] = []

    def answer(request: web.BaseRequest) -> web.Response:
        if request.path.endswith("/template/all"):
            found = [{"templateId": number} for number in range(1, 15)]
            return web.json_response({"error": 0, "data": found})
        looked.append(asyncio.get_running_loop().time())
        return web.json_response({"error": 0, "data": {"templateId": request.query["template_id"]}})

    stub.answer = answer
    paced = Zalo(session, Urls(stub.url, stub.url, stub.url), timeout=0.4, apart=timedelta(seconds=0.05))
    assert len(await paced.templates(ACCOUNT)) == 14
    assert looked[-1] - looked[9] > 0.15, "four times 0.05 s, whatever the network does"
