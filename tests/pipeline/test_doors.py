"""Whatever is posted to a door: never a 5xx that is sent again for ever, never a lost event, never a dead worker."""

from __future__ import annotations

import gzip
import json
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from simulator.people import MESSENGER, ZALO
from simulator.webhooks_out import messenger_bytes
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Json, Stage, playing
from tests.pipeline.test_order import customer_lines, text_event

MEGABYTE = 1024 * 1024


@pytest.fixture
async def stage(sqlite_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """Platforms that tell only what a test tells."""
    async with playing(sqlite_url, clock, echoes=False) as running:
        yield running


def edited(change: Callable[[Json], None]) -> Callable[[Stage, str], bytes]:
    """The bytes of a text event in which something was changed."""

    def build(stage: Stage, channel: str) -> bytes:
        body = text_event(stage, channel, "câu hỏi", 7)
        change(body if channel == ZALO else body["entry"][0]["messaging"][0])
        return json.dumps(body).encode() if channel == ZALO else messenger_bytes(body)

    return build


def raw(text: str | bytes) -> Callable[[Stage, str], bytes]:
    """These bytes as they are."""
    return lambda stage, channel: text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def words(text: str) -> Callable[[Json], None]:
    """The message says this."""
    return lambda event: event["message"].update(text=text)


def sender(value: Any) -> Callable[[Json], None]:
    """It comes from this."""
    return lambda event: event.update(sender=value)


def set_key(key: str, value: Any) -> Callable[[Json], None]:
    """One more field."""
    return lambda event: event.update({key: value})


def message_id(value: Any) -> Callable[[Json], None]:
    """The message's id, as either channel calls it."""
    return lambda event: event["message"].update({"msg_id" if "msg_id" in event["message"] else "mid": value})


GENUINE: dict[str, Callable[[Stage, str], bytes]] = {
    "no JSON": raw("this is not JSON"),
    "an empty list": raw("[]"),
    "a number": raw("7"),
    "null": raw("null"),
    "half an object": raw('{"event_name": "user_send_text", "timestamp": "1", "object": "page", "entry": ['),
    "a hundred thousand brackets": raw("[" * 100_000),
    "five thousand nested objects": raw('{"a":' * 5000 + "1" + "}" * 5000),
    "a deep value in a good event": raw('{"object":"page","entry":[{"id":' + "[" * 4000 + "]" * 4000 + "}]}"),
    "NaN and infinity": edited(set_key("extra", [float("nan"), float("inf")])),
    "a number of five thousand digits": raw('{"timestamp": 1' + "0" * 5000 + ', "object": "page", "entry": []}'),
    "UTF-16": lambda stage, channel: "\ufeff{}".encode("utf-16"),
    "bytes that are no text": raw(b"\xff\xfe\x00\x01" * 20),
    "a byte order mark": lambda stage, channel: b"\xef\xbb\xbf" + edited(words("chào"))(stage, channel),
    "unknown fields": edited(set_key("brand_new", {"nested": [1, {"x": None}]})),
    "an id above 2^53 as a number": edited(sender({"id": 9_007_199_254_740_993})),
    "an id above 2^64 as a number": edited(sender({"id": 2**70})),
    "a negative id": edited(sender({"id": -5})),
    "a fraction as id": edited(sender({"id": 1.5})),
    "an id that is a list": edited(sender({"id": [1, 2]})),
    "an id that is empty": edited(sender({"id": ""})),
    "an id with a NUL": edited(sender({"id": "12\u000034"})),
    "an id with a lone surrogate": edited(sender({"id": "12\ud83d"})),
    "an id of ten thousand digits": edited(sender({"id": "9" * 10_000})),
    "no sender": edited(sender(None)),
    "a sender that is a text": edited(sender("me")),
    "no message": edited(set_key("message", None)),
    "a message that is a list": edited(set_key("message", [1])),
    "a message id of ten thousand characters": edited(message_id("m" * 10_000)),
    "a message id with a NUL": edited(message_id("m\u0000x")),
    "a message id with a lone surrogate": edited(message_id("m\ud83dx")),
    "a message id that is a number": edited(message_id(12345)),
    "no message id": edited(message_id(None)),
    "a text that is a number": edited(lambda event: event["message"].update(text=7)),
    "a timestamp that is nonsense": edited(set_key("timestamp", "...")),
    "a timestamp of the far future": edited(set_key("timestamp", 99_999_999_999_999)),
    "a timestamp below zero": edited(set_key("timestamp", "-1")),
    "no timestamp": edited(set_key("timestamp", None)),
    "a text with a NUL": edited(words("a\u0000b")),
    "a text with a lone surrogate": edited(words("buồn \ud83d quá")),
    "a text of 64 thousand characters": edited(words("ơ" * 64_000)),
    "a text of combining marks": edited(words("e" + "\u0301" * 3000)),
    "a text that turns right to left": edited(words("\u202eevil\u2066")),
    "an empty text": edited(words("")),
    "white space": edited(words(" \n\t ")),
}


def stamp(body: bytes) -> str:
    """The timestamp that Zalo would have signed with these bytes."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return "1" if b'"timestamp": "1"' in body else ""
    value = event.get("timestamp", "") if isinstance(event, dict) else ""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


async def _told(stage: Stage, channel: str, body: bytes, headers: dict[str, str]) -> int:
    """The status; what a busy disk did not take comes again, as from the platforms."""
    while (status := await stage.post(channel, body, headers)) == 503:
        pass
    return status


async def test_genuine_bodies_are_taken_and_nothing_breaks(stage: Stage, channel: str) -> None:
    """200 whatever they hold, on the second delivery, too; handled or kept for a person, once; the bot lives."""
    lan = stage.contact(channel).user_id
    for number, (what, build) in enumerate(GENUINE.items(), 1):
        somebody = lan[:-2] + f"{number:02}"
        body = build(stage, channel).replace(b"lan-7", b"lan-%d" % number).replace(lan.encode(), somebody.encode())
        headers = stage.signed(channel, body, stamp(body))
        assert [await _told(stage, channel, body, headers) for _ in range(2)] == [200, 200], what
        await stage.quiet()
        assert await stage.count("inbox") == number, what
        dead = await stage.dead()
        assert all("not understood" in why or "unknown event" in why for why in dead), (what, dead)
    await stage.said(channel, who="minh")
    assert stage.heard(who="minh") == [ANSWER]


@pytest.mark.parametrize("what", ["no JSON", "null", "five thousand nested objects", "no sender", "no message id"])
async def test_a_genuine_body_that_is_not_understood_is_kept_raw(stage: Stage, channel: str, what: str) -> None:
    body = GENUINE[what](stage, channel)
    assert await stage.post(channel, body, stage.signed(channel, body, stamp(body))) == 200
    await stage.quiet()
    bodies = await stage.read(
        lambda session: [bytes(row) for row in session.connection().exec_driver_sql("SELECT body FROM inbox").scalars()]
    )
    assert len(bodies) == 1
    assert bodies == [body] or json.loads(bodies[0]) == json.loads(body)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_on_postgresql_nothing_of_this_breaks_either(database_url: str, clock: Clock, channel: str) -> None:
    async with playing(database_url, clock, echoes=False) as stage:
        for what, build in GENUINE.items():
            body = build(stage, channel)
            assert await stage.post(channel, body, stage.signed(channel, body, stamp(body))) == 200, what
        await stage.quiet()
        dead = await stage.dead()
        assert all("not understood" in why or "unknown event" in why for why in dead), dead
        await stage.said(channel, who="minh")
        assert stage.heard(who="minh") == [ANSWER]


@pytest.mark.parametrize("text", ["Nguyễn Đỗ Ánh đường", "tiệm ở đâu ạ"])
async def test_decomposed_letters_are_kept_composed(stage: Stage, channel: str, text: str) -> None:
    await stage.said(channel, unicodedata.normalize("NFD", text))
    assert await customer_lines(stage, channel) == [unicodedata.normalize("NFC", text)]


async def test_ids_above_2_53_are_two_persons(stage: Stage, channel: str) -> None:
    for number, person in enumerate((9_007_199_254_740_992, 9_007_199_254_740_993)):
        body = edited(sender({"id": person}))(stage, channel)
        body = body.replace(b"lan-7", f"lan-{number}".encode())
        assert await stage.post(channel, body, stage.signed(channel, body, stamp(body))) == 200
    await stage.quiet()
    assert await stage.count("customer") == 2


FORGED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no signature": lambda headers: {"Content-Type": "application/json"},
    "an empty signature": lambda headers: dict.fromkeys(headers, ""),
    "a signature of zeros": lambda headers: {
        key: value[: value.index("=") + 1] + "0" * 64 if "=" in value else value for key, value in headers.items()
    },
    "letters beyond ASCII": lambda headers: {
        key: value[:-1] + "\u00e9" if "=" in value else value for key, value in headers.items()
    },
    "half a signature": lambda headers: {key: value[:-10] if "=" in value else value for key, value in headers.items()},
}


async def test_bad_signatures_are_refused_and_nothing_is_kept(stage: Stage, channel: str) -> None:
    body = edited(words("giả"))(stage, channel)
    signed = stage.signed(channel, body, stamp(body))
    for how, forge in FORGED.items():
        assert await stage.post(channel, body, forge(signed)) in (401, 403), how
    assert await stage.count("inbox") == 0


async def test_a_body_that_was_changed_on_the_way_is_refused(stage: Stage, channel: str) -> None:
    body = edited(words("điểm"))(stage, channel)
    headers = stage.signed(channel, body, stamp(body))
    assert await stage.post(channel, body + b" ", headers) in (401, 403)
    assert await stage.count("inbox") == 0


async def test_an_event_for_another_account_is_kept_and_answered_by_nobody(stage: Stage, channel: str) -> None:
    def elsewhere(event: Json) -> None:
        event["recipient"] = {"id": "4444"}

    body = edited(elsewhere)(stage, channel)
    if channel == MESSENGER:
        body = body.replace(stage.platform.config.messenger_page_id.encode(), b"4444")
    assert await stage.post(channel, body, stage.signed(channel, body, stamp(body))) == 200
    await stage.quiet()
    assert stage.heard() == []
    assert await stage.count("customer") == 0
    assert len(await stage.dead()) == 1


async def test_an_event_of_another_app_is_refused(stage: Stage) -> None:
    body = edited(set_key("app_id", "999"))(stage, ZALO)
    assert await stage.post(ZALO, body, stage.signed(ZALO, body, stamp(body))) == 403
    assert await stage.count("inbox") == 0


async def test_ten_megabytes_are_refused_early_and_the_door_stays_open(stage: Stage, channel: str) -> None:
    body = b" " * (10 * MEGABYTE)
    assert await stage.post(channel, body, stage.signed(channel, body)) == 413
    await stage.said(channel)
    assert stage.heard() == [ANSWER]


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A small body that becomes a hundred megabytes."""
    return gzip.compress(b"0" * (100 * MEGABYTE))


async def test_a_gzip_bomb_does_not_unfold(stage: Stage, channel: str, bomb: bytes) -> None:
    headers = stage.signed(channel, bomb) | {"Content-Encoding": "gzip"}
    assert await stage.post(channel, bomb, headers) in (400, 403, 413, 415)
    assert await stage.count("inbox") == 0
    await stage.said(channel)
    assert stage.heard() == [ANSWER]


async def test_a_broken_gzip_body_is_no_error_of_ours(stage: Stage, channel: str) -> None:
    headers = stage.signed(channel, b"no gzip") | {"Content-Encoding": "gzip"}
    assert await stage.post(channel, b"no gzip", headers) in (400, 403, 415)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(stage: Stage, channel: str, method: str) -> None:
    async with stage.http.request(method, f"{stage.url}/webhooks/{channel}", data=b"{}") as answer:
        assert answer.status == 405


async def test_the_handshake_answers_only_the_right_token(stage: Stage) -> None:
    token = stage.platform.config.messenger_verify_token
    for given, status in ((token, 200), ("wrong", 403), ("", 403), ("\u00e9", 403)):
        query = {"hub.mode": "subscribe", "hub.verify_token": given, "hub.challenge": "1158201444"}
        async with stage.http.get(f"{stage.url}/webhooks/messenger", params=query) as answer:
            assert answer.status == status
            assert (await answer.text() == "1158201444") == (status == 200)


PENDING = {ZALO: {"ZALO_OA_SECRET_KEY": ""}, MESSENGER: {"MESSENGER_APP_SECRET": ""}}


@pytest.fixture
def console_test(channel: str) -> Json:
    """What the platform's console posts to try an address."""
    if channel == ZALO:
        return {
            "app_id": "1",
            "event_name": "user_send_text",
            "message": {"msg_id": "This is message id"},
            "timestamp": "1",
        }
    return {"object": "page", "entry": [{"id": "0", "time": 1, "changes": [{"field": "messages", "value": {}}]}]}


async def test_a_pending_channel_answers_the_console_and_keeps_nothing(
    sqlite_url: str, clock: Clock, channel: str, console_test: Json
) -> None:
    async with playing(sqlite_url, clock, settings=PENDING[channel]) as stage:
        assert await stage.post(channel, b"", {}) == 200
        assert await stage.post(channel, b"{}", {}) == 200
        assert await stage.post(channel, json.dumps(console_test).encode(), {}) == 200
        event = edited(words("thật hay giả"))(stage, channel)
        assert await stage.post(channel, event, {}) == 403
        assert await stage.post(channel, event, stage.signed(channel, event, stamp(event))) == 403
        assert await stage.count("inbox") == 0
        async with stage.http.get(f"{stage.url}/readyz") as answer:
            assert answer.status == 200
            assert (await answer.json())["pending_channels"] == [channel]


async def test_a_database_of_another_schema_makes_the_service_unready(stage: Stage) -> None:
    async with stage.http.get(f"{stage.url}/readyz") as answer:
        assert answer.status == 200
    older = text("UPDATE alembic_version SET version_num = '0001'")
    await stage.service.database.write(lambda session: session.connection().execute(older).rowcount)
    async with stage.http.get(f"{stage.url}/readyz") as answer:
        assert answer.status == 503
        assert "khachquen migrate" in (await answer.json())["reasons"][0]


async def test_nothing_is_verified_against_an_empty_key(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, settings=PENDING[channel]) as stage:
        event = edited(words("ký bằng khóa rỗng"))(stage, channel)
        stage.platform.config = replace(stage.platform.config, zalo_oa_secret_key="", messenger_app_secret="")
        assert await stage.post(channel, event, stage.signed(channel, event, stamp(event))) == 403
        assert await stage.count("inbox") == 0


async def test_the_zalo_console_probe_is_answered_and_not_kept(stage: Stage) -> None:
    for body in (b"", b"  ", b"{}", b'{"hello": 1}'):
        assert await stage.post(ZALO, body, {}) == 200
    assert await stage.count("inbox") == 0
