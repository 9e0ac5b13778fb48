"""The door of Messenger keeps what is genuine, exactly once, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import Received, Verdict
from bot.channels.messenger import parse
from bot.channels.messenger.webhook import challenge, receive
from tests.payloads.messenger import (
    AT_MS,
    CHANGES,
    KEYS,
    OTHER_PAGE,
    OTHER_PERSON,
    PAGE,
    PERSON,
    SECRET,
    UPDATES,
    comment,
    dump,
    echo,
    entry,
    item,
    message,
    one,
    page,
    signed,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PENDING = replace(KEYS, secret="")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def deliver(body: bytes) -> Received:
    return receive(signed(body), body, KEYS, NOW)


def test_the_signature_is_the_hmac_of_the_raw_bytes() -> None:
    body = one(message(text="đẹp 😍 https://example.com"))
    assert b"\\u0111\\u1eb9p \\ud83d\\ude0d https:\\/\\/" in body
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert receive({"X-Hub-Signature-256": good}, body, KEYS, NOW).verdict is Verdict.ACCEPTED
    assert receive({"x-hub-signature-256": good}, body, KEYS, NOW).verdict is Verdict.ACCEPTED
    assert receive({"X-Hub-Signature-256": good}, body + b" ", KEYS, NOW).verdict is Verdict.BAD_SIGNATURE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "chữ ký \ud800"},
        {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), one(message()), hashlib.sha1).hexdigest()},
        signed(one(message()), "another-secret"),
    ],
)
def test_what_is_not_signed_by_our_secret_is_refused_and_not_kept(headers: dict[str, str]) -> None:
    assert receive(headers, one(message()), KEYS, NOW) == Received(403, Verdict.BAD_SIGNATURE)


def test_a_body_with_one_update_is_kept_untouched() -> None:
    body = one(message("m_one", text="đẹp 😍 https://example.com"))
    (raw,) = deliver(body).raws
    assert raw.body == body
    assert (raw.account_id, raw.thread_key, raw.dedup_key) == (PAGE, PERSON, "message:m_one")
    assert raw.occurred_at == datetime.fromtimestamp(AT_MS / 1000, UTC)


def test_a_batch_becomes_single_updates_in_order() -> None:
    body = dump(
        page(
            entry(message("m_1"), message("m_2", OTHER_PERSON)),
            {**entry(message("m_3"), page_id=OTHER_PAGE), "changes": [{"field": "feed", "value": comment()}]},
            entry(echo("m_4"), place="standby"),
        )
    )
    got = deliver(body)
    assert [raw.dedup_key for raw in got.raws] == [
        "message:m_1",
        "message:m_2",
        "message:m_3",
        f"feed:81_82:add:{AT_MS // 1000}",
        "message:m_4",
    ]
    assert [raw.thread_key for raw in got.raws] == [PERSON, OTHER_PERSON, PERSON, "account", PERSON]
    assert [raw.account_id for raw in got.raws] == [PAGE, PAGE, OTHER_PAGE, OTHER_PAGE, PAGE]
    assert all(len(parse.parse(raw.body, NOW)) == 1 for raw in got.raws)
    assert all(raw.body.isascii() for raw in got.raws)


@pytest.mark.parametrize("body", [*map(one, UPDATES.values()), *CHANGES.values()], ids=[*UPDATES, *CHANGES])
def test_every_kind_of_update_is_kept_once_however_it_is_batched(body: bytes) -> None:
    alone = deliver(body)
    assert (alone.status, len(alone.raws), len(alone.buried)) == (200, 1, 0)
    data = json.loads(body)
    if "entry" in data:
        data["entry"].append(entry(message("m_beside")))
        batched = deliver(dump(data))
        assert [raw.dedup_key for raw in batched.raws] == [alone.raws[0].dedup_key, "message:m_beside"]


def test_different_updates_have_different_keys() -> None:
    bodies = [one(update) for name, update in UPDATES.items() if not name.startswith(("message:", "lead sum", "echo"))]
    bodies += [one(message()), one(message(is_deleted=True)), one(echo())]
    keys = [deliver(body).raws[0].dedup_key for body in bodies]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 200


def test_each_edit_and_each_reaction_counts() -> None:
    def key(name: str, **content: Any) -> str:
        return deliver(one(item(name, content))).raws[0].dedup_key

    assert key("message_edit", mid="m_1", num_edit=1) == "edit:m_1:1"
    assert key("message_edit", mid="m_1", num_edit="2") == "edit:m_1:2"
    assert key("reaction", mid="m_1", action="react", emoji="❤") == f"reaction:m_1:{PERSON}:react:❤:{AT_MS}"
    assert key("read", watermark=5) == f"read:{PERSON}:5"
    assert key("delivery", watermark=5, mids=["a", "b"]) == f"delivery:{PERSON}:5:a:b"
    assert key("postback", payload="GET_STARTED") == f"postback:{PERSON}:{AT_MS}:GET_STARTED"
    assert key("referral", ref="r", ad_id="7") == f"referral:{PERSON}:{AT_MS}:r:7"


def test_a_very_long_key_is_shortened_and_stays_distinct() -> None:
    keys = {deliver(one(item("postback", {"payload": "x" * 900 + end}))).raws[0].dedup_key for end in "ab"}
    assert len(keys) == 2
    assert all(len(key) <= 200 for key in keys)


@pytest.mark.parametrize("person", [2**53 + 1, str(2**53 + 1)])
def test_large_ids_keep_every_digit(person: Any) -> None:
    assert deliver(one(message(person=person))).raws[0].thread_key == "9007199254740993"


@pytest.mark.parametrize("person", [-5, 1.5, 9007199254740993.0, None, [], [PERSON], {}, "", " ", "a b", True, "x\0"])
def test_a_person_without_a_proper_id_is_buried(person: Any) -> None:
    body = one(message(person=person))
    (raw,) = deliver(body).buried
    assert (raw.account_id, raw.thread_key, raw.body) == (PAGE, "?", body)
    assert raw.dedup_key == "sha256:" + hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"object":"page","entry":' + b"[" * 990 + b"]" * 990 + b"}",
        b"1" * 5000,
        dump({"object": "instagram", "entry": [entry(message())]}),
        dump(page()),
        dump(page(entry())),
        dump({"object": "page", "entry": {}}),
        dump(page({"id": PAGE, "time": 1, "hologram": [1]})),
        dump(page({"id": PAGE, "messaging": "x"})),
        one({"sender": {"id": PERSON}, "timestamp": AT_MS}),
        one({"recipient": {"id": PAGE}, "timestamp": AT_MS, "message": {"mid": "m"}}),
        one(message(mid="")),
        one(item("message", None)),
        one(item("message", {"mid": 5})),
        dump(page(entry(message(), page_id=None))),
        dump(page(entry(message(), page_id=-1))),
    ],
)
def test_a_genuine_body_that_is_not_understood_is_buried_whole(body: bytes) -> None:
    got = deliver(body)
    assert (got.status, got.verdict, got.raws) == (200, Verdict.NOT_UNDERSTOOD, ())
    (raw,) = got.buried
    assert raw.body == body
    assert raw.account_id in KEYS.account_ids
    assert (raw.thread_key, raw.dedup_key) == ("?", "sha256:" + hashlib.sha256(body).hexdigest())


def test_one_bad_update_does_not_bury_its_neighbours() -> None:
    got = deliver(dump(page(entry(message("m_1"), message(person=-1), message("m_3")), 5)))
    assert [raw.dedup_key for raw in got.raws] == ["message:m_1", "message:m_3"]
    assert len(got.buried) == 2
    assert got.verdict is Verdict.ACCEPTED


def test_an_update_for_a_page_that_is_not_ours_is_buried_under_its_own_name() -> None:
    got = deliver(dump(page(entry(message("m_1"), page_id="12345"))))
    assert (got.status, got.raws) == (200, ())
    assert [(raw.account_id, raw.dedup_key) for raw in got.buried] == [("12345", "message:m_1")]


def test_times_are_read_as_milliseconds_or_seconds() -> None:
    def at(stamp: Any) -> datetime | None:
        return deliver(one({**message(), "timestamp": stamp})).raws[0].occurred_at

    seconds = datetime.fromtimestamp(AT_MS // 1000, UTC)
    assert at(AT_MS // 1000) == at(str(AT_MS // 1000)) == at(AT_MS // 1000 * 1000) == seconds
    assert [at(wrong) for wrong in (-1, 0, 10**30, "soon", 1.5, None, True, 5)] == [None] * 8


def test_a_pending_channel_answers_the_probe_and_the_console_and_keeps_nothing() -> None:
    console = dump(
        page(entry({"field": "messages", "value": item("message", {"mid": "x"})}, page_id="0", place="changes"))
    )
    assert receive({}, b"", PENDING, NOW) == Received(200, Verdict.PROBE)
    assert receive({}, b"{}", PENDING, NOW) == Received(200, Verdict.PROBE)
    assert receive({}, console, PENDING, NOW) == Received(200, Verdict.CONSOLE_TEST)
    assert receive({}, b"not json", PENDING, NOW) == Received(403, Verdict.PENDING)
    assert deliver(console) == Received(200, Verdict.CONSOLE_TEST)


def test_a_pending_channel_verifies_nothing_against_an_empty_key() -> None:
    body = one(message())
    assert receive(signed(body, ""), body, PENDING, NOW) == Received(403, Verdict.PENDING)


def test_the_handshake_answers_only_to_our_token() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "let-me-in", "hub.challenge": "4711"}
    assert challenge(query, KEYS) == "4711"
    assert challenge(query, PENDING) == "4711"
    assert challenge({**query, "hub.verify_token": "let-me-in "}, KEYS) is None
    assert challenge({**query, "hub.verify_token": "mở \udc80"}, KEYS) is None
    assert challenge({**query, "hub.mode": "unsubscribe"}, KEYS) is None
    assert challenge({**query, "hub.verify_token": ""}, replace(KEYS, verify_token="")) is None
    assert challenge({}, KEYS) is None


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_bytes_and_no_header_raise(body: bytes, header: str) -> None:
    assert deliver(body).status == 200
    assert receive({"X-Hub-Signature-256": header}, body, KEYS, NOW).status == 403
    assert receive({}, body, PENDING, NOW).status in (200, 403)


@settings(deadline=None)
@given(JSON, JSON, JSON, st.sampled_from(["messaging", "standby", "changes"]))
def test_no_json_raises_and_nothing_genuine_is_lost(data: Any, update: Any, content: Any, place: str) -> None:
    named = item("message", content, person=update)
    for body in (data, page(entry(update, named, place=place)), page(data, update), {"field": "x", "value": data}):
        raw = json.dumps(body).encode()
        got = deliver(raw)
        assert got.status == 200
        assert got.raws or got.buried
