"""Zalo's events in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.zalo.parse import parse
from bot.channels.zalo.quiet import QUIET
from crm.events import (
    Address,
    AllowanceChanged,
    ConsentWithdrawn,
    ContactShared,
    Event,
    Followed,
    GrantLost,
    GroupChanged,
    GroupSpoke,
    Labelled,
    LocationShared,
    Media,
    MediaKind,
    MediaReceived,
    MessageDelivered,
    MessageSeen,
    OwnEcho,
    Reacted,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    Unfollowed,
    UnknownEvent,
)
from crm.templates import Status
from tests.payloads import zalo

AT = datetime.fromtimestamp(zalo.AT_MS / 1000, UTC)
NOW = AT + timedelta(hours=1)
LAN = Address("zalo", zalo.OA, zalo.LAN)
NOBODY = Address("zalo", zalo.OA, "")


def parsed(event: zalo.Json) -> Event:
    (found,) = parse(zalo.dumped(event), NOW)
    return found


def test_text_keeps_its_id_and_its_quote() -> None:
    event = parsed(zalo.text("Còn hàng không?", quote_msg_id="abc"))
    assert event == TextReceived(LAN, AT, zalo.MESSAGE_ID, "abc", text="Còn hàng không?")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("Nguye\u0302\u0303n", "Nguy\u1ec5n"),
        ("a\0b", "ab"),
        ("\ud83d vỡ", "\ufffd vỡ"),
        (None, ""),
        (5, ""),
        (["x"], ""),
    ],
    ids=repr,
)
def test_text_is_made_safe_to_store(sent: object, seen: str) -> None:
    event = parsed(zalo.text(sent))
    assert isinstance(event, TextReceived)
    assert event.text == seen


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        ("image", {"url": "https://f.zdn.vn/1.jpg"}, Media(MediaKind.IMAGE, "https://f.zdn.vn/1.jpg")),
        ("gif", {"thumbnail": "https://f.zdn.vn/t.jpg"}, Media(MediaKind.IMAGE, "https://f.zdn.vn/t.jpg")),
        ("audio", {"url": "http://v.zdn.vn/1.amr"}, Media(MediaKind.AUDIO, "http://v.zdn.vn/1.amr")),
        (
            "video",
            {"url": "https://v.zdn.vn/1.mp4", "description": "clip"},
            Media(MediaKind.VIDEO, "https://v.zdn.vn/1.mp4", description="clip"),
        ),
        (
            "sticker",
            {"url": "https://zadn.vn/s", "id": 2100},
            Media(MediaKind.STICKER, "https://zadn.vn/s", name="2100"),
        ),
        (
            "file",
            {"url": "https://f.zdn.vn/1.pdf", "name": "đơn.pdf", "size": "12", "type": "pdf"},
            Media(MediaKind.FILE, "https://f.zdn.vn/1.pdf", name="đơn.pdf"),
        ),
        (
            "link",
            {"url": "https://shop.vn", "description": "Áo"},
            Media(MediaKind.LINK, "https://shop.vn", description="Áo"),
        ),
    ],
)
def test_media_of_every_kind(kind: str, payload: zalo.Json, expected: Media) -> None:
    event = parsed(zalo.media(kind, payload, words="xem giúp"))
    assert event == MediaReceived(LAN, AT, zalo.MESSAGE_ID, media=(expected,), text="xem giúp")


def test_media_without_its_attachment_still_says_what_came() -> None:
    event = parsed(zalo.from_user("user_send_image", {}))
    assert isinstance(event, MediaReceived)
    assert event.media == (Media(MediaKind.IMAGE),)


def test_only_web_addresses_are_kept() -> None:
    event = parsed(zalo.media("image", {"url": "javascript:alert(1)"}))
    assert isinstance(event, MediaReceived)
    assert event.media == (Media(MediaKind.IMAGE),)


def test_several_links_are_several_media() -> None:
    attachments = [{"type": "link", "payload": {"url": f"https://shop.vn/{n}"}} for n in (1, 2)]
    event = parsed(zalo.from_user("user_send_link", {"attachments": attachments}))
    assert isinstance(event, MediaReceived)
    assert [media.url for media in event.media] == ["https://shop.vn/1", "https://shop.vn/2"]


def test_a_business_card_is_a_card_and_not_the_senders_own_details() -> None:
    event = parsed(zalo.business_card("84911222333"))
    card = Media(MediaKind.CONTACT_CARD, "https://qr.zdn.vn/minh.png", "Trần Minh", "84911222333")
    assert event == MediaReceived(LAN, AT, zalo.MESSAGE_ID, media=(card,))


def test_a_location_has_degrees() -> None:
    assert parsed(zalo.location()) == LocationShared(LAN, AT, zalo.MESSAGE_ID, latitude=21.0285, longitude=105.8542)


@pytest.mark.parametrize("latitude", ["nan", "91", "1e999", "", None, True, [], "x"], ids=repr)
def test_a_place_that_is_nowhere_is_other_media(latitude: object) -> None:
    event = parsed(zalo.location(latitude))
    assert event == MediaReceived(LAN, AT, zalo.MESSAGE_ID, media=(Media(MediaKind.OTHER),))


def test_shared_details_of_both_shapes() -> None:
    address = {"user_city": "Hà Nội", "user_ward": "Phường Hàng Bạc", "user_address": "Số 5"}
    new = zalo.submitted_info(name="Lan", phone="84911222333", user_dob="9/2/1995", full_address=address)
    old = zalo.submitted_info(name="Lan", phone=84911222333, address="Số 5", ward="Hàng Bạc", city="Hà Nội")
    assert parsed(new) == ContactShared(
        LAN,
        AT,
        phone="84911222333",
        name="Lan",
        address_text="Số 5, Phường Hàng Bạc, Hà Nội",
        birthday="1995-02-09",
    )
    assert parsed(old) == ContactShared(LAN, AT, phone="84911222333", name="Lan", address_text="Số 5, Hàng Bạc, Hà Nội")


@pytest.mark.parametrize("birthday", ["31/02/1995", "1995", "0/0/0000", None, 5], ids=repr)
def test_an_impossible_birthday_is_left_out(birthday: object) -> None:
    event = parsed(zalo.submitted_info(name="Lan", user_dob=birthday))
    assert isinstance(event, ContactShared)
    assert event.birthday == ""


def test_coming_and_going() -> None:
    assert parsed(zalo.follow()) == Followed(LAN, AT, source="oa_profile")
    assert parsed(zalo.flat("user_click_chatnow", user_id=zalo.LAN)) == Followed(LAN, AT, source="chatnow")
    assert parsed(zalo.follow("unfollow")) == Unfollowed(LAN, AT)
    assert parsed(zalo.flat("user_withdraw", user_id=zalo.LAN)) == ConsentWithdrawn(LAN, AT, scope="all")


def test_a_reaction_and_its_removal() -> None:
    put = parsed(zalo.from_user("user_reacted_message", {"react_icon": "/-heart"}))
    gone = parsed(zalo.from_user("user_reacted_message", {"react_icon": "/-remove"}))
    assert put == Reacted(LAN, AT, zalo.MESSAGE_ID, "❤️", added=True)
    assert gone == Reacted(LAN, AT, zalo.MESSAGE_ID, "/-remove", added=False)


def test_receipts_belong_to_the_person_although_the_oa_is_the_sender() -> None:
    assert parsed(zalo.received()) == MessageDelivered(LAN, AT, (zalo.MESSAGE_ID,))
    seen = parsed(zalo.from_oa("user_seen_message", {"msg_ids": ["s1", 7, None, "s2"]}))
    assert seen == MessageSeen(LAN, AT, ("s1", "7", "s2"))


def test_a_template_receipt_names_no_person_and_has_its_own_time() -> None:
    assert parsed(zalo.template_receipt()) == MessageDelivered(
        NOBODY, AT + timedelta(milliseconds=900), ("zbs-1f2e3d",), tracking_id="don-42-da-giao"
    )


@pytest.mark.parametrize("kind", ["text", "image", "gif", "list", "file", "sticker", "template"])
def test_an_echo_is_staff_only_with_an_admins_id(kind: str) -> None:
    message = {"text": "Dạ còn ạ", "msg_id": "e1"}
    name = f"oa_send_{kind}"
    assert parsed(zalo.from_oa(name, message)) == OwnEcho(LAN, AT, "e1", "Dạ còn ạ")
    by_hand = parsed(zalo.from_oa(name, message, admin_id="6600"))
    assert by_hand == StaffEcho(LAN, AT, "e1", "Dạ còn ạ", staff_id="6600")


def test_template_changes() -> None:
    status = {"prev_status": "PENDING_REVIEW", "new_status": "REJECT"}
    rejected = zalo.flat("change_template_status", template_id="77", status=status, reason="Thiếu logo")
    assert parsed(rejected) == TemplateChanged(NOBODY, AT, "77", status=Status.REJECTED, reason="Thiếu logo")
    worse = zalo.flat("change_template_quality", template_id=77, quality="LOW")
    assert parsed(worse) == TemplateChanged(NOBODY, AT, "77", quality="low")


def test_a_revoked_grant_is_lost() -> None:
    assert parsed(zalo.flat("permission_revoked")) == GrantLost(NOBODY, AT, reason="permission_revoked")


@pytest.mark.parametrize("name", sorted(QUIET))
def test_known_events_that_ask_nothing_are_known(name: str) -> None:
    everyone: dict[str, Any] = {"sender": {"id": zalo.OA}, "recipient": {"id": zalo.OA}, "group_id": zalo.GROUP}
    event = parsed(zalo.flat(name, **everyone))
    assert isinstance(event, UnknownEvent)
    assert event.known
    assert event.name == name


def test_a_group_message_is_nobodys_private_chat() -> None:
    event = parsed(zalo.in_group())
    assert event == GroupSpoke(
        NOBODY, AT, group_id=zalo.GROUP, author=zalo.LAN, message_id=zalo.MESSAGE_ID, text="còn hàng không?"
    )
    ours = parsed(zalo.in_group("oa_send_group_text") | {"sender": {"id": zalo.OA}})
    assert isinstance(ours, GroupSpoke) and ours.author == ""


@pytest.mark.parametrize(
    ("name", "what"),
    [("react_request_join_group_accept", "accepted"), ("user_leave_group", "left"), ("disperse_group", "dissolved")],
)
def test_a_groups_life_is_told_whatever_the_event_is_called(name: str, what: str) -> None:
    event = parsed(zalo.flat(name, group_id=zalo.GROUP, users=[{"id": zalo.LAN}, {}]))
    assert event == GroupChanged(NOBODY, AT, zalo.GROUP, what, (zalo.LAN,))


def test_a_label_says_on_whom_it_is_and_its_end_off_everyone() -> None:
    tag = {"user_ids": [zalo.LAN, int(zalo.LAN) + 1], "name": "Khách quen"}
    put = parsed(zalo.flat("add_user_to_tag", tag=tag))
    assert put == Labelled(NOBODY, AT, "Khách quen", (zalo.LAN, str(int(zalo.LAN) + 1)))
    gone = parsed(zalo.flat("remove_tag", tag={"name": "Khách quen"}))
    assert gone == Labelled(NOBODY, AT, "Khách quen", on=False)
    nobody = parsed(zalo.flat("remove_user_from_tag", tag={"user_ids": [], "name": "Khách quen"}))
    assert isinstance(nobody, UnknownEvent) and nobody.known


def test_a_daily_quota_tells_its_new_whole() -> None:
    event = parsed({**zalo.flat("change_oa_daily_quota"), "quota": {"prev_value": "500", "new_value": "2000"}})
    assert event == AllowanceChanged(NOBODY, AT, "template_daily", 2000)


def test_feedback_keeps_what_was_said() -> None:
    message = {"rate": 2, "note": "Giao chậm", "msg_id": "zbs-1", "tracking_id": "don-1"}
    event = parsed(zalo.flat("user_feedback", message=message))
    assert isinstance(event, UnknownEvent)
    assert event.details["message.rate"] == "2"
    assert event.details["message.note"] == "Giao chậm"


def test_an_event_we_never_heard_of_says_so() -> None:
    assert parsed(zalo.flat("oa_grew_wings")) == UnknownEvent(NOBODY, AT, "oa_grew_wings", known=False)
    assert parsed(zalo.from_user("user_send_poll", {})) == UnknownEvent(LAN, AT, "user_send_poll", known=False)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (str(zalo.AT_MS), AT),
        (zalo.AT_MS, AT),
        (zalo.AT_MS // 1000, AT.replace(microsecond=0)),
        ("17637984001", NOW),
        (str(zalo.AT_MS + 10**9), NOW),
        ("0", NOW),
        (None, NOW),
        (1.5, NOW),
        (10**30, NOW),
    ],
    ids=repr,
)
def test_a_time_out_of_range_is_now(timestamp: object, at: datetime) -> None:
    assert parsed(zalo.text() | {"timestamp": timestamp}).at == at


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"event_name": 5}'])
def test_what_is_no_event_raises_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(body, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just("5"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("user_send_text", "user_send_image", "user_send_location", "user_send_business_card", "user_submit_info"),
        *("user_seen_message", "user_received_message", "oa_send_text", "follow", "change_template_status", "x"),
        *("user_reacted_message", "user_feedback", "add_user_to_tag", "user_send_group_text"),
    ]
)
MESSAGE = st.dictionaries(
    st.sampled_from(["text", "msg_id", "msg_ids", "attachments", "react_icon", "delivery_time", "quote_msg_id"]), JSON
)
ATTACHMENTS = st.lists(
    st.fixed_dictionaries({"type": JSON, "payload": st.dictionaries(st.sampled_from(["url", "coordinates"]), JSON)})
)


@settings(deadline=None)
@given(
    NAMES, MESSAGE, ATTACHMENTS, st.dictionaries(st.sampled_from(["info", "status", "tag", "oa_id", "sender"]), JSON)
)
def test_no_json_raises_anything_but_value_error(
    name: str, message: zalo.Json, attachments: list[Any], more: zalo.Json
) -> None:
    event = zalo.from_user(name, {"attachments": attachments, **message}) | {"oa_id": zalo.OA} | more
    try:
        found = parse(json.dumps(event).encode(), NOW)
    except ValueError:
        return
    assert len(found) == 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(body, NOW)
