"""Calls to the Graph API over real HTTP: what was done, what was not, and what nobody can know."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.channels.abilities import Consenting, Managing
from bot.channels.base import (
    Account,
    Channel,
    Managed,
    Outgoing,
    Owner,
    Profile,
    SendError,
    SendErrorKind,
    Sent,
    Subject,
)
from bot.channels.messenger.channel import Messenger
from bot.channels.messenger.client import credentials, usage_of
from bot.channels.messenger.page import SUBSCRIBED_FIELDS
from crm.events import Address
from crm.messages import Message

PAGE, PERSON = "700100200300400", "4400123456789012"
ACCOUNT = Account("messenger", PAGE, "EAA+made/up=", "990011223344", "app-secret")
HELLO = Outgoing(Address("messenger", PAGE, PERSON), Message(text="Chào bạn"), "standard", "outbox:7")
SINCE = datetime(2026, 11, 22, 9, 0, 0, 700_000, tzinfo=UTC)
USAGE = "X-Business-Use-Case-Usage"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Graph:
    """A stub of the Graph API: remembers each call and answers as told."""

    url: str
    answer: Answer
    calls: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text=text, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.answer = answer


async def silent(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def hanging_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def half_a_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"recipient_id":"1","mess')
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    stub = Graph("", silent)

    async def serve(request: web.Request) -> web.StreamResponse:
        stub.calls.append((request.method, request.path, dict(request.query), await request.read()))
        stub.called.set()
        return await stub.answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    stub.url = str(server.make_url("/v26.0"))
    yield stub
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as open_session:
        yield open_session


@pytest.fixture
def messenger(graph: Graph, session: aiohttp.ClientSession) -> Messenger:
    return Messenger(session, graph.url, timeout=0.5)


async def failure(call: Awaitable[Any]) -> SendError:
    with pytest.raises(SendError) as caught:
        await call
    return caught.value


def graph_error(code: int, subcode: int | None = None) -> dict[str, Any]:
    inner = {"message": f"(#{code}) made up", "type": "OAuthException", "code": code, "fbtrace_id": "Trace1"}
    return {"error": inner | ({"error_subcode": subcode} if subcode else {})}


def test_messenger_is_a_channel(session: aiohttp.ClientSession) -> None:
    channel: Channel = Messenger(session)
    assert channel.name == "messenger"
    assert isinstance(channel, Managing) and not isinstance(channel, Consenting)
    assert [lane.name for lane in channel.rules.lanes] == ["standard", "human_agent", "utility"]


async def test_a_send_is_one_call_with_token_and_proof(graph: Graph, messenger: Messenger) -> None:
    graph.says({"recipient_id": PERSON, "message_id": "m_new"})
    assert await messenger.send(ACCOUNT, HELLO) == Sent("m_new")
    ((method, path, query, body),) = graph.calls
    assert (method, path) == ("POST", f"/v26.0/{PAGE}/messages")
    assert query == {
        "access_token": ACCOUNT.access_token,
        "appsecret_proof": hmac.new(b"app-secret", b"EAA+made/up=", "sha256").hexdigest(),
    }
    assert json.loads(body)["message"] == {"text": "Chào bạn", "metadata": "outbox:7"}


def test_without_the_apps_secret_there_is_no_proof() -> None:
    assert credentials("t", "") == "access_token=t"


async def test_the_content_type_of_an_answer_does_not_matter(graph: Graph, messenger: Messenger) -> None:
    graph.says('{"message_id":"m_new"}', Content_Type="text/html")
    assert (await messenger.send(ACCOUNT, HELLO)).message_id == "m_new"


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind", "subject"),
    [
        (10, 2018278, 400, SendErrorKind.PERMANENT, Subject.PERSON),
        (10, 2018278, 403, SendErrorKind.PERMANENT, Subject.PERSON),
        (551, 1545041, 400, SendErrorKind.UNREACHABLE, Subject.PERSON),
        (190, 460, 401, SendErrorKind.AUTH, Subject.ACCOUNT),
        (80006, None, 400, SendErrorKind.SNOOZE, Subject.ACCOUNT),
        (2, None, 500, SendErrorKind.RETRY, Subject.MESSAGE),
        (1, 1357046, 500, SendErrorKind.UNKNOWN, Subject.MESSAGE),
        (100, 2018001, 200, SendErrorKind.UNREACHABLE, Subject.PERSON),
    ],
)
async def test_an_error_in_graphs_words_is_judged_by_its_code(
    graph: Graph,
    messenger: Messenger,
    code: int,
    subcode: int | None,
    status: int,
    kind: SendErrorKind,
    subject: Subject,
) -> None:
    graph.says(graph_error(code, subcode), status)
    error = await failure(messenger.send(ACCOUNT, HELLO))
    assert (error.kind, error.subject) == (kind, subject)
    assert error.code == (f"{code}/{subcode}" if subcode else str(code))
    assert (error.detail, "made up" in str(error)) == ("Trace1", False)


@pytest.mark.parametrize("trace", [None, 7, "", "0901 234 501", "chim hoàng yến", "A" * 41, {"id": "A1"}])
async def test_what_is_no_trace_id_is_not_taken_for_one(graph: Graph, messenger: Messenger, trace: object) -> None:
    graph.says({"error": {"message": "made up", "code": 100, "fbtrace_id": trace}}, 400)
    assert (await failure(messenger.send(ACCOUNT, HELLO))).detail == ""


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (502, "<html>Bad Gateway</html>", {}, SendErrorKind.UNKNOWN),
        (500, "", {}, SendErrorKind.UNKNOWN),
        (504, "{}", {}, SendErrorKind.UNKNOWN),
        (503, "busy", {}, SendErrorKind.UNKNOWN),
        (503, "busy", {"Retry_After": "7"}, SendErrorKind.RETRY),
        (429, "slow down", {}, SendErrorKind.RETRY),
        (401, "", {}, SendErrorKind.AUTH),
        (404, "<html>", {}, SendErrorKind.PERMANENT),
        (301, "", {"Location": "http://127.0.0.1:1/"}, SendErrorKind.PERMANENT),
        (200, "", {}, SendErrorKind.UNKNOWN),
        (200, "<html>", {}, SendErrorKind.UNKNOWN),
        (200, '{"message_id":"m_', {}, SendErrorKind.UNKNOWN),
        (200, "[1]", {}, SendErrorKind.UNKNOWN),
        (200, "[" * 100_000, {}, SendErrorKind.UNKNOWN),
        (200, '{"error":"strange"}', {}, SendErrorKind.UNKNOWN),
        (200, '{"recipient_id":"1"}', {}, SendErrorKind.UNKNOWN),
        (200, '{"message_id":""}', {}, SendErrorKind.UNKNOWN),
        (200, '{"message_id":17}', {}, SendErrorKind.UNKNOWN),
    ],
)
async def test_an_answer_without_graphs_words_is_judged_by_what_it_may_have_done(
    graph: Graph, messenger: Messenger, status: int, body: str, headers: dict[str, str], kind: SendErrorKind
) -> None:
    graph.says(body, status, **headers)
    assert (await failure(messenger.send(ACCOUNT, HELLO))).kind is kind
    assert len(graph.calls) == 1


@pytest.mark.parametrize(("asked", "waits"), [("7", 7), ("999999", 3600)])
async def test_retry_after_is_obeyed_up_to_an_hour(graph: Graph, messenger: Messenger, asked: str, waits: int) -> None:
    for status, body in ((429, "no"), (503, "no"), (400, graph_error(4))):
        graph.says(body, status, Retry_After=asked)
        error = await failure(messenger.send(ACCOUNT, HELLO))
        assert error.retry_after == timedelta(seconds=waits)


@pytest.mark.parametrize("asked", ["soon", "-3", "", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_an_unreadable_retry_after_is_left_aside(graph: Graph, messenger: Messenger, asked: str) -> None:
    graph.says("no", 429, Retry_After=asked)
    assert (await failure(messenger.send(ACCOUNT, HELLO))).retry_after == timedelta(minutes=1)


async def test_a_throttled_page_waits_as_long_as_the_usage_header_says(graph: Graph, messenger: Messenger) -> None:
    usage = {"66": [{"type": "messenger", "estimated_time_to_regain_access": 12}, {"type": "pages"}], "67": "x"}
    graph.says(graph_error(80006), 400, **{"X-Business-Use-Case-Usage": json.dumps(usage)})
    assert (await failure(messenger.send(ACCOUNT, HELLO))).retry_after == timedelta(minutes=12)


@pytest.mark.parametrize("fault", [silent, hanging_up, half_a_body])
async def test_a_send_whose_answer_is_lost_is_unknown_and_not_repeated(
    graph: Graph, messenger: Messenger, fault: Answer
) -> None:
    graph.answer = fault
    error = await failure(messenger.send(ACCOUNT, HELLO))
    assert error.kind is SendErrorKind.UNKNOWN
    assert len(graph.calls) == 1


@pytest.mark.parametrize("fault", [silent, half_a_body])
async def test_a_question_whose_answer_is_lost_may_be_asked_again(
    graph: Graph, messenger: Messenger, fault: Answer
) -> None:
    graph.answer = fault
    assert (await failure(messenger.profile(ACCOUNT, PERSON))).kind is SendErrorKind.RETRY


async def test_what_never_left_is_sent_again(session: aiohttp.ClientSession) -> None:
    for url in (f"http://127.0.0.1:{unused_port()}", "http://graph.invalid", f"https://127.0.0.1:{unused_port()}"):
        error = await failure(Messenger(session, url, timeout=2).send(ACCOUNT, HELLO))
        assert (error.kind, error.code) == (SendErrorKind.RETRY, "not_reached")


async def test_a_failed_handshake_never_left(graph: Graph, session: aiohttp.ClientSession) -> None:
    channel = Messenger(session, graph.url.replace("http:", "https:"), timeout=2)
    assert (await failure(channel.send(ACCOUNT, HELLO))).kind is SendErrorKind.RETRY


async def test_a_call_that_waits_for_a_free_connection_never_left(graph: Graph) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as narrow:
        slow, quick = Messenger(narrow, graph.url, timeout=2), Messenger(narrow, graph.url, timeout=0.2)
        first = asyncio.create_task(slow.send(ACCOUNT, HELLO))
        await graph.called.wait()
        assert (await failure(quick.send(ACCOUNT, HELLO))).kind is SendErrorKind.RETRY
        assert len(graph.calls) == 1
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first


async def test_no_error_shows_the_token(graph: Graph, messenger: Messenger) -> None:
    for fault in (silent, hanging_up, half_a_body):
        graph.answer = fault
        error = await failure(messenger.send(ACCOUNT, HELLO))
        assert error.__suppress_context__
        assert "made" not in f"{error} {error.detail} {error.code}"


async def test_a_profile_is_name_and_picture_or_nothing(graph: Graph, messenger: Messenger) -> None:
    graph.says({"first_name": "Lan", "last_name": "Tran", "profile_pic": "https://x/y", "id": PERSON})
    assert await messenger.profile(ACCOUNT, PERSON) == Profile(name="Lan Tran", avatar_url="https://x/y")
    method, path, query, _ = graph.calls[0]
    assert (method, path, query["fields"]) == ("GET", f"/v26.0/{PERSON}", "name,first_name,last_name,profile_pic")
    graph.says({})
    assert await messenger.profile(ACCOUNT, PERSON) == Profile()


async def test_a_page_token_cannot_be_refreshed(messenger: Messenger) -> None:
    error = await failure(messenger.refresh(ACCOUNT, "x"))
    assert (error.kind, error.subject) == (SendErrorKind.AUTH, Subject.ACCOUNT)


def told(mid: str, text: Any, at: str = "2026-11-22T09:00:05+0000", by: str = PAGE) -> dict[str, Any]:
    return {"id": mid, "message": text, "created_time": at, "from": {"id": by}}


async def test_our_own_message_is_found_by_its_words_author_and_time(graph: Graph, messenger: Messenger) -> None:
    lines = [
        told("m_theirs", "Chào bạn", by=PERSON),
        told("m_later", "Chào bạn "),
        told("m_same_second", "Chào bạn", "2026-11-22T09:00:00+0000"),
        told("m_before", "Chào bạn", "2026-11-22T08:59:59+0000"),
        told("m_other", "Tạm biệt"),
        told("m_odd", None, "yesterday"),
    ]
    graph.says({"data": [{"id": "t_1", "messages": {"data": lines}}]})
    assert await messenger.find_sent(ACCOUNT, PERSON, "Chào bạn", SINCE) == "m_later"
    _, path, query, _ = graph.calls[0]
    assert (path, query["platform"], query["user_id"]) == (f"/v26.0/{PAGE}/conversations", "messenger", PERSON)
    graph.says({"data": [{"messages": {"data": lines[2:3]}}]})
    assert await messenger.find_sent(ACCOUNT, PERSON, "Chào bạn", SINCE) == "m_same_second"


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": [1, {"messages": 5}]}, {"data": [{"messages": {}}]}])
async def test_where_facebook_shows_nothing_nothing_is_found(
    graph: Graph, messenger: Messenger, body: dict[str, Any]
) -> None:
    graph.says(body)
    assert await messenger.find_sent(ACCOUNT, PERSON, "Chào bạn", SINCE) is None


@pytest.mark.parametrize(
    ("app", "business", "expected"),
    [
        ('{"call_count":28,"total_time":25,"total_cputime":25}', "", (28, 0)),
        ("", '{"7":[{"type":"messenger","call_count":97,"total_cputime":23,"total_time":23}]}', (97, 0)),
        (
            '{"call_count":28}',
            '{"7":[{"type":"pages","total_time":71.9,"estimated_time_to_regain_access":9}]}',
            (71, 9),
        ),
        ('{"call_count":28}', '{"7":[{"type":"ads_management","call_count":99}]}', (28, 0)),
        ("", '{"7":[{"type":"messenger","call_count":150,"estimated_time_to_regain_access":9000}]}', (150, 60)),
        ("", "", None),
        ("nonsense", "[1]", None),
        ('{"call_count":true,"total_time":"7"}', '{"7":{"type":"messenger"}}', None),
    ],
)
def test_how_near_the_limits_are_is_read_from_the_headers(app: str, business: str, expected: Any) -> None:
    usage = usage_of(app, business)
    assert (usage and (usage.percent, usage.regain / timedelta(minutes=1))) == expected


async def test_every_answer_to_a_send_says_how_near_the_limits_are(graph: Graph, messenger: Messenger) -> None:
    headers = {USAGE: '{"7":[{"type":"messenger","call_count":83}]}'}
    graph.says({"message_id": "m_new"}, **headers)
    usage = (await messenger.send(ACCOUNT, HELLO)).usage
    graph.says(graph_error(10, 2018278), 400, **headers)
    with pytest.raises(SendError) as failed:
        await messenger.send(ACCOUNT, HELLO)
    assert usage is not None
    assert usage.percent == 83
    assert failed.value.usage == usage


# --- connecting -------------------------------------------------------------------------------------------------------


async def test_facebook_says_whose_a_token_is(graph: Graph, messenger: Messenger) -> None:
    graph.says({"id": PAGE, "name": " Mây\nTrưa "})
    assert await messenger.whose(ACCOUNT) == Owner(PAGE, "Mây Trưa")
    graph.says({"name": "nobody"})
    assert (await failure(messenger.whose(ACCOUNT))).kind is SendErrorKind.RETRY


async def test_a_persons_token_is_traded_by_the_apps_own_proof(graph: Graph, messenger: Messenger) -> None:
    graph.says({"access_token": "long", "token_type": "bearer", "expires_in": 5183944})
    assert (await messenger.prolonged(ACCOUNT)).access_token == "long"
    ((method, path, query, _),) = graph.calls
    assert (method, path) == ("GET", "/v26.0/oauth/access_token")
    assert query == {
        "grant_type": "fb_exchange_token",
        "client_id": "990011223344",
        "client_secret": "app-secret",
        "fb_exchange_token": ACCOUNT.access_token,
    }


async def test_a_persons_dead_token_is_theirs_to_renew(graph: Graph, messenger: Messenger) -> None:
    graph.says(graph_error(190, 463), 400)
    for call in (messenger.prolonged(ACCOUNT), messenger.managed(ACCOUNT)):
        error = await failure(call)
        assert (error.kind, "user token" in error.words.en) == (SendErrorKind.AUTH, True)


async def test_pages_are_read_sheet_by_sheet_and_no_address_of_an_answer_is_followed(
    graph: Graph, messenger: Messenger
) -> None:
    sheets: dict[str | None, dict[str, Any]] = {
        None: {
            "data": [{"id": "1", "name": "Một", "access_token": "t1"}, {"name": "no id"}, 7],
            "paging": {"cursors": {"after": "A"}, "next": "https://elsewhere.example/"},
        },
        "A": {
            "data": [{"id": 2, "name": "Hai"}],
            "paging": {"cursors": {"after": "A"}, "next": "https://elsewhere.example/"},
        },
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(sheets[request.query.get("after")])

    graph.answer = answer
    assert await messenger.managed(ACCOUNT) == (Managed("1", "Một", "t1"), Managed("2", "Hai"))
    assert len(graph.calls) == 2, "a cursor that repeats itself ends it"


async def test_a_page_is_subscribed_to_all_fields_at_once(graph: Graph, messenger: Messenger) -> None:
    graph.says({"success": "true"})
    await messenger.subscribe(ACCOUNT)
    ((method, path, query, _),) = graph.calls
    assert (method, path) == ("POST", f"/v26.0/{PAGE}/subscribed_apps")
    assert query["subscribed_fields"] == ",".join(SUBSCRIBED_FIELDS)
    graph.says({"success": False})
    assert (await failure(messenger.subscribe(ACCOUNT))).kind is SendErrorKind.PERMANENT
