"""Zalo's door: what it verifies, keeps, buries and refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import Keys, Received, Verdict
from bot.channels.zalo.webhook import receive
from tests.payloads import zalo

NOW = datetime.fromtimestamp(zalo.AT_MS / 1000, UTC) + timedelta(minutes=1)
KEYS = Keys(app_id=zalo.APP_ID, secret=zalo.SECRET, account_ids=frozenset({zalo.OA}))
PENDING = Keys(app_id=zalo.APP_ID, account_ids=frozenset({zalo.OA}))


def door(event: zalo.Json, keys: Keys = KEYS) -> Received:
    """A genuine delivery of this event."""
    body = zalo.dumped(event)
    timestamp = event.get("timestamp", "")
    return receive(zalo.signed(body, str(timestamp)), body, keys, NOW)


def kept_nothing(received: Received) -> bool:
    return not received.raws and not received.buried


def test_the_documented_signature_is_accepted() -> None:
    body = (
        '{"app_id":"1234567890123456789","sender":{"id":"3456789012345678901"},"user_id_by_app":"4567890123456789012",'
        '"recipient":{"id":"2345678901234567890"},"event_name":"user_send_text","message":{"text":"Xin chào",'
        '"msg_id":"a1b2c3d4e5f60718293a"},"timestamp":"1763798400123"}'
    ).encode()
    keys = Keys("1234567890123456789", "oa-secret-for-tests", account_ids=frozenset({"2345678901234567890"}))
    mac = "95b5a9c64c04265494ebe9f6b676484f1a0835bf0eaa01d36b69f9f30acce0ce"
    received = receive({"X-ZEvent-Signature": f"mac={mac}"}, body, keys, NOW)
    assert (received.status, received.verdict) == (200, Verdict.ACCEPTED)
    assert received.raws[0].account_id == "2345678901234567890"
    assert received.raws[0].thread_key == "3456789012345678901"


def test_one_event_is_kept_with_its_raw_bytes() -> None:
    body = zalo.dumped(zalo.text())
    (raw,) = receive(zalo.signed(body), body, KEYS, NOW).raws
    assert raw.body is body
    assert raw.thread_key == zalo.LAN
    assert raw.dedup_key == f"user_send_text:{zalo.MESSAGE_ID}"
    assert raw.occurred_at == datetime.fromtimestamp(zalo.AT_MS / 1000, UTC)


@pytest.mark.parametrize("spoilt", ["mac = {}", "{}", " MAC={} "])
def test_the_header_may_be_written_loosely(spoilt: str) -> None:
    body = zalo.dumped(zalo.text())
    mac = zalo.signed(body)["X-ZEvent-Signature"].removeprefix("mac=").upper()
    assert receive({"X-ZEvent-Signature": spoilt.format(mac)}, body, KEYS, NOW).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("header", ["", "mac=", "mac=" + "0" * 64, "sha256=" + "0" * 64, "mac=\ud83d", "x" * 10000])
def test_a_bad_or_missing_signature_is_refused_and_keeps_nothing(header: str) -> None:
    received = receive({"X-ZEvent-Signature": header} if header else {}, zalo.dumped(zalo.text()), KEYS, NOW)
    assert (received.status, received.verdict) == (403, Verdict.BAD_SIGNATURE)
    assert kept_nothing(received)


def test_one_changed_byte_is_refused() -> None:
    body = zalo.dumped(zalo.text("10 điểm"))
    received = receive(zalo.signed(body), body.replace(b"10", b"99"), KEYS, NOW)
    assert received.verdict is Verdict.BAD_SIGNATURE


def test_another_apps_genuine_event_is_refused() -> None:
    body = zalo.dumped(zalo.text() | {"app_id": "42"})
    received = receive(zalo.signed(body, app_id="42"), body, KEYS, NOW)
    assert (received.status, received.verdict) == (403, Verdict.WRONG_APP)
    assert kept_nothing(received)


def test_an_event_without_app_id_is_verified_with_ours() -> None:
    event = zalo.flat("change_template_quality", template_id="77", quality="LOW")
    del event["app_id"]
    assert door(event).verdict is Verdict.ACCEPTED


def test_a_number_as_timestamp_is_signed_as_its_digits() -> None:
    received = door(zalo.text() | {"timestamp": zalo.AT_MS})
    assert received.raws[0].occurred_at == datetime.fromtimestamp(zalo.AT_MS / 1000, UTC)


@pytest.mark.parametrize("timestamp", ["17637984001", "1", "...", "-5", "9" * 30, "１７９５００００００２５０"])
def test_an_impossible_time_is_left_open(timestamp: str) -> None:
    body = zalo.dumped(zalo.text() | {"timestamp": timestamp})
    (raw,) = receive(zalo.signed(body, timestamp), body, KEYS, NOW).raws
    assert raw.occurred_at is None


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"check":true}'])
@pytest.mark.parametrize("keys", [KEYS, PENDING])
def test_an_unsigned_probe_is_answered_and_keeps_nothing(body: bytes, keys: Keys) -> None:
    received = receive({}, body, keys, NOW)
    assert (received.status, received.verdict) == (200, Verdict.PROBE)
    assert kept_nothing(received)


@pytest.mark.parametrize("keys", [KEYS, PENDING])
def test_the_consoles_test_is_answered_and_keeps_nothing(keys: Keys) -> None:
    received = door(zalo.console_test(), keys)
    assert (received.status, received.verdict) == (200, Verdict.CONSOLE_TEST)
    assert kept_nothing(received)


@pytest.mark.parametrize("keys", [PENDING, Keys(), Keys(secret=zalo.SECRET)])
def test_a_pending_door_refuses_events_however_they_are_signed(keys: Keys) -> None:
    body = zalo.dumped(zalo.text())
    for headers in ({}, zalo.signed(body), zalo.signed(body, secret=""), zalo.signed(body, app_id="", secret="")):
        received = receive(headers, body, keys, NOW)
        assert (received.status, received.verdict) == (403, Verdict.PENDING)
        assert kept_nothing(received)


def test_an_unsigned_console_test_is_refused_once_there_is_a_key() -> None:
    assert receive({}, zalo.dumped(zalo.console_test()), KEYS, NOW).verdict is Verdict.BAD_SIGNATURE


BAD_IDS = [1.5, 1e30, -7, "", " ", None, True, [], {}, ["9300400500600700800"], "1\0", "\ud83d", "a" * 200, "-1"]


@pytest.mark.parametrize("bad", BAD_IDS, ids=repr)
@pytest.mark.parametrize("side", ["sender", "recipient"])
def test_a_genuine_event_without_a_usable_id_is_buried_whole(side: str, bad: object) -> None:
    event = zalo.text() | {side: {"id": bad}}
    received = door(event)
    assert (received.status, received.verdict) == (200, Verdict.NOT_UNDERSTOOD)
    assert not received.raws
    (raw,) = received.buried
    assert (raw.account_id, raw.thread_key, raw.body) == (zalo.OA, "?", zalo.dumped(event))
    assert raw.dedup_key.startswith("sha256:")


@pytest.mark.parametrize("missing", ["sender", "recipient", "event_name"])
def test_a_genuine_event_that_lacks_a_part_is_buried(missing: str) -> None:
    event = zalo.text()
    del event[missing]
    assert len(door(event).buried) == 1


DEEP = b'{"app_id":"%s","timestamp":"%d","x":' % (zalo.APP_ID.encode(), zalo.AT_MS) + b"[" * 100_000


@pytest.mark.parametrize(
    "body",
    [DEEP, b'{"timestamp":"%d","text":"\xff\xfe"}' % zalo.AT_MS, b'{"timestamp":%d,' % zalo.AT_MS],
    ids=["deep", "not utf-8", "cut"],
)
def test_a_genuine_body_that_is_not_json_is_buried(body: bytes) -> None:
    received = receive(zalo.signed(body), body, KEYS, NOW)
    assert (received.status, received.verdict) == (200, Verdict.NOT_UNDERSTOOD)
    assert received.buried[0].body == body


def test_an_event_for_an_oa_that_is_not_ours_is_buried_under_its_own_id() -> None:
    received = door(zalo.text() | {"recipient": {"id": "5555"}})
    assert (received.status, received.verdict) == (200, Verdict.NOT_UNDERSTOOD)
    assert received.buried[0].account_id == "5555"


def test_large_ids_stay_apart_whether_numbers_or_text() -> None:
    def key(user_id: object) -> str:
        return door(zalo.text() | {"sender": {"id": user_id}}).raws[0].thread_key

    assert key(9300400500600700801) == "9300400500600700801" != key(9300400500600700800) == key("9300400500600700800")


@pytest.mark.parametrize(
    ("event", "thread", "dedup"),
    [
        (zalo.from_oa("oa_send_text", {"text": "Dạ", "msg_id": "e1"}), zalo.LAN, "oa_send_text:e1"),
        (zalo.received(), zalo.LAN, f"user_received_message:{zalo.MESSAGE_ID}"),
        (zalo.from_oa("user_seen_message", {"msg_ids": ["s1"]}), zalo.LAN, "user_seen_message:s1"),
        (zalo.template_receipt(), "account", "user_received_message:zbs-1f2e3d"),
        (zalo.in_group(), f"group:{zalo.GROUP}", f"user_send_group_text:{zalo.MESSAGE_ID}"),
        (
            zalo.from_user("user_reacted_message", {"react_icon": "/-heart"}),
            zalo.LAN,
            f"user_reacted_message:{zalo.MESSAGE_ID}:/-heart:{zalo.AT_MS}",
        ),
        (
            zalo.flat("user_click_response_button", msg_id="zbs-9", message={"data": "ok"}),
            "account",
            "user_click_response_button:zbs-9",
        ),
    ],
    ids=lambda value: value["event_name"] if isinstance(value, dict) else "",
)
def test_keys_say_who_and_what(event: zalo.Json, thread: str, dedup: str) -> None:
    (raw,) = door(event).raws
    assert (raw.thread_key, raw.dedup_key) == (thread, dedup)


@pytest.mark.parametrize(
    ("event", "thread"),
    [
        (zalo.follow(), zalo.LAN),
        (zalo.flat("user_click_chatnow", user_id=zalo.LAN), zalo.LAN),
        (zalo.flat("user_withdraw", user_id=zalo.LAN), zalo.LAN),
        (zalo.flat("widget_interaction_accepted", data={"user_id": zalo.LAN}), zalo.LAN),
        (zalo.submitted_info(name="Lan"), zalo.LAN),
        (zalo.flat("create_group", group_id=zalo.GROUP), f"group:{zalo.GROUP}"),
        (zalo.flat("remove_tag", tag={"name": "VIP"}), "account"),
        (zalo.from_oa("user_seen_message", {"msg_ids": ["s1", "s2"]}), zalo.LAN),
    ],
    ids=lambda value: value["event_name"] if isinstance(value, dict) else "",
)
def test_an_event_without_one_message_id_is_keyed_by_its_bytes(event: zalo.Json, thread: str) -> None:
    (raw,) = door(event).raws
    assert raw.thread_key == thread
    assert raw.dedup_key.startswith("sha256:")
    (again,) = door(event).raws
    (other,) = door(event | {"timestamp": str(zalo.AT_MS + 1)}).raws
    assert again.dedup_key == raw.dedup_key != other.dedup_key


def test_the_daily_quota_names_its_oa_in_camel_case() -> None:
    event = {"event_name": "change_oa_daily_quota", "oaId": zalo.OA, "quota": {}, "timestamp": str(zalo.AT_MS)}
    assert door(event).raws[0].account_id == zalo.OA


def test_a_receipt_and_its_message_do_not_share_a_key() -> None:
    keys = {door(event).raws[0].dedup_key for event in (zalo.text(), zalo.received())}
    assert len(keys) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(BAD_IDS[:9]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["app_id", "event_name", "timestamp", "sender", "recipient", "message", "oa_id", "msg_id", "user_id", "data"]
)


@settings(deadline=None)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_no_bytes_make_the_door_raise(body: bytes, header: str) -> None:
    for keys in (KEYS, PENDING):
        assert receive({"X-ZEvent-Signature": header}, body, keys, NOW).status in (200, 403)
    assert receive(zalo.signed(body, ""), body, KEYS, NOW).status in (200, 403)


@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON, max_size=8))
def test_no_genuine_json_makes_the_door_raise(changes: zalo.Json) -> None:
    event = zalo.text() | changes | {"app_id": zalo.APP_ID, "timestamp": str(zalo.AT_MS)}
    body = json.dumps(event).encode()
    received = receive(zalo.signed(body), body, KEYS, NOW)
    assert received.status == 200
    assert len(received.raws) + len(received.buried) == (received.verdict is not Verdict.CONSOLE_TEST)
