"""Every update of a Page is told in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.messenger import envelope
from bot.channels.messenger.parse import KNOWN, parse
from crm.events import (
    ButtonPressed,
    Commented,
    ConsentWithdrawn,
    ContactShared,
    Event,
    GrantLost,
    LocationShared,
    Media,
    MediaKind,
    MediaReceived,
    MessageDelivered,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    Origin,
    OwnEcho,
    Reacted,
    Referred,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    ThreadPassed,
    UnknownEvent,
)
from crm.templates import Status
from tests.payloads.messenger import (
    AT_MS,
    CHANGES,
    INBOX_APP,
    MESSAGES,
    OUR_APP,
    PAGE,
    PERSON,
    UPDATES,
    URL,
    attachment,
    change,
    comment,
    dump,
    echo,
    entry,
    item,
    message,
    one,
    page,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
AT = datetime.fromtimestamp(AT_MS / 1000, UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def read(update: dict[str, Any], place: str = "messaging") -> Event:
    (event,) = parse(one(update, place), NOW)
    return event


def said(name: str) -> Event:
    return read(message(**MESSAGES[name]))


def seen(name: str) -> tuple[Media, ...]:
    event = said(name)
    assert isinstance(event, MediaReceived)
    return event.media


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
@pytest.mark.parametrize("place", ["messaging", "standby"])
def test_every_documented_update_is_known(update: dict[str, Any], place: str) -> None:
    event = read(update, place)
    assert not isinstance(event, UnknownEvent) or event.known
    assert (event.address.channel, event.address.account_id) == ("messenger", PAGE)
    assert event.address.user_id in (PERSON, "")
    assert event.at.tzinfo is UTC


@pytest.mark.parametrize("body", CHANGES.values(), ids=CHANGES)
def test_every_documented_change_is_known(body: bytes) -> None:
    (event,) = parse(body, NOW)
    assert not isinstance(event, UnknownEvent) or event.known


def test_every_name_is_known() -> None:
    assert set(envelope.NAMES) <= KNOWN


def test_text_is_received_with_its_author_time_and_quote() -> None:
    event = said("text")
    assert isinstance(event, TextReceived)
    assert (event.text, event.message_id, event.address.user_id, event.at) == (
        "Còn màu xanh không shop?",
        "m_first",
        PERSON,
        AT,
    )
    quoted = said("reply")
    assert isinstance(quoted, TextReceived)
    assert quoted.reply_to == "m_before"


def test_text_is_cleaned() -> None:
    event = read(message(text="a\0b \ud800 Tie\u0302\u0301ng"))
    assert isinstance(event, TextReceived)
    assert event.text == "ab \ufffd Tiếng"


def test_a_time_out_of_range_is_the_arrival() -> None:
    assert read({**message(text="x"), "timestamp": 10**30}).at == NOW


def test_quick_replies_are_buttons_and_a_shared_phone_is_a_contact() -> None:
    pressed, shared = said("quick reply"), said("phone")
    assert isinstance(pressed, ButtonPressed)
    assert (pressed.payload, pressed.title) == ("colour:blue", "Màu xanh")
    assert isinstance(shared, ContactShared)
    assert (shared.phone, shared.typed) == ("+84911222333", False)


def test_a_typed_phone_is_only_text() -> None:
    assert isinstance(read(message(text="+84911222333")), TextReceived)
    other = read(message(text="0911222333", quick_reply={"payload": "+84911222333"}))
    assert isinstance(other, ButtonPressed)


def test_attachments_are_media_in_order() -> None:
    assert seen("two images") == (Media(MediaKind.IMAGE, URL), Media(MediaKind.IMAGE, URL + "?2"))
    assert seen("audio")[0].kind is MediaKind.AUDIO
    assert seen("video")[0].kind is MediaKind.VIDEO
    assert seen("file")[0].name == "báo-giá.pdf"
    assert seen("reel") == (Media(MediaKind.SHARE, URL, "Phim"),)
    assert seen("ig post") == (Media(MediaKind.SHARE, URL),)
    assert seen("product") == (Media(MediaKind.SHARE, "", "Áo", "99.000 ₫"),)
    assert seen("appointment") == (Media(MediaKind.OTHER, "", "appointment_booking", "requested"),)
    assert seen("of an unknown type") == (Media(MediaKind.OTHER, URL, "hologram"),)


@pytest.mark.parametrize("name", ["sticker", "old sticker", "sticker twice"])
def test_a_sticker_is_one_sticker_in_every_age_of_the_format(name: str) -> None:
    (media,) = seen(name)
    assert media.kind is MediaKind.STICKER
    assert media.url == URL


def test_links_keep_title_and_caption() -> None:
    event = said("link")
    assert isinstance(event, MediaReceived)
    assert (event.media, event.text) == ((Media(MediaKind.LINK, URL, "Áo xanh"),), "xem nè")
    assert seen("old link") == (Media(MediaKind.LINK, URL, "Áo xanh"),)


@pytest.mark.parametrize("name", ["nothing to show", "empty"])
def test_content_that_messenger_does_not_show_us_is_still_a_message(name: str) -> None:
    assert seen(name)[0].kind is MediaKind.OTHER


def test_a_link_that_is_no_web_address_is_dropped() -> None:
    event = read(message(attachments=[attachment("image", url="javascript:alert(1)")]))
    assert isinstance(event, MediaReceived)
    assert event.media == (Media(MediaKind.IMAGE),)


def test_a_place_on_earth_is_a_location_and_any_other_is_not() -> None:
    event = said("place")
    assert isinstance(event, LocationShared)
    assert (event.latitude, event.longitude) == (16.06, 108.22)
    nowhere = read(message(attachments=[attachment("location", coordinates={"lat": 1e999, "long": 2})]))
    assert isinstance(nowhere, MediaReceived)


def test_what_brought_a_person_is_kept_with_the_message() -> None:
    ad, product, start = said("from an advertisement"), said("about a product"), read(UPDATES["get started"])
    assert isinstance(ad, TextReceived)
    assert isinstance(product, TextReceived)
    assert isinstance(start, ButtonPressed)
    assert ad.origin == Origin("ad_7", "ads", True, "12")
    assert (product.origin, start.origin) == (Origin(product_id="3"), Origin("qr_1"))
    assert [each.origin.label for each in (ad, product, start) if each.origin] == ["ad_7", "product:3", "qr_1"]
    assert start.payload == "GET_STARTED"


def test_referrals_without_a_message_are_told() -> None:
    link, ad = read(UPDATES["referral"]), read(UPDATES["referral of an advertisement"])
    assert isinstance(link, Referred)
    assert isinstance(ad, Referred)
    assert link.origin == Origin("qr_1", "shortlink")
    assert ad.origin == Origin("ad_7", "ads", True, "12")


def test_unsending_and_editing_concern_the_message() -> None:
    unsent, edited = said("unsent"), read(UPDATES["edit"])
    assert isinstance(unsent, MessageUnsent)
    assert isinstance(edited, MessageEdited)
    assert unsent.message_id == "m_first"
    assert (edited.message_id, edited.text, edited.revision) == ("m_first", "Còn màu đỏ không?", 2)


def test_reactions_are_put_and_taken_back() -> None:
    put, taken = read(UPDATES["reaction"]), read(UPDATES["reaction taken back"])
    assert isinstance(put, Reacted)
    assert isinstance(taken, Reacted)
    assert (put.message_id, put.reaction, put.added) == ("m_echo", "❤️", True)
    assert (taken.reaction, taken.added) == ("love", False)


@pytest.mark.parametrize("app", [{}, {"app_id": INBOX_APP}, {"app_id": "26390203743090"}])
def test_an_answer_from_the_page_inbox_is_staff(app: dict[str, Any]) -> None:
    event = read(echo(text="Chào bạn", **app))
    assert isinstance(event, StaffEcho)
    assert (event.text, event.address.user_id, event.message_id) == ("Chào bạn", PERSON, "m_echo")


@pytest.mark.parametrize("place", ["messaging", "standby"])
def test_an_answer_of_a_program_is_an_own_echo(place: str) -> None:
    event = read(UPDATES["echo"], place)
    assert isinstance(event, OwnEcho)
    assert (event.metadata, event.app_id, event.text) == ("outbox:7", str(OUR_APP), "Dạ còn ạ")


def test_the_echo_of_buttons_shows_their_words() -> None:
    event = read(UPDATES["echo of buttons"])
    assert isinstance(event, OwnEcho)
    assert event.text == "Chọn"


def test_what_the_page_did_is_never_taken_for_a_person() -> None:
    unmarked = {**message(text="Xin chào"), "sender": {"id": int(PAGE)}, "recipient": {"id": PERSON}}
    assert isinstance(read(unmarked), StaffEcho)
    for name in ("reaction", "edit", "postback", "referral"):
        update = {**UPDATES[name], "sender": {"id": PAGE}, "recipient": {"id": PERSON}}
        event = read(update)
        assert isinstance(event, UnknownEvent)
        assert event.known


def test_what_is_said_in_a_conversation_held_by_another_app_is_overheard() -> None:
    text, press = read(message(text="Alo shop"), "standby"), read(UPDATES["postback of another app"], "standby")
    assert isinstance(text, TextReceived)
    assert isinstance(press, ButtonPressed)
    assert (text.elsewhere, text.text, press.elsewhere, press.payload) == (True, "Alo shop", True, "")
    assert not getattr(read(message(text="Alo shop")), "elsewhere", None)
    assert isinstance(read(UPDATES["read"], "standby"), MessageSeen)
    reaction = read(UPDATES["reaction"], "standby")
    assert isinstance(reaction, UnknownEvent)
    assert reaction.name == "standby.reaction"


@pytest.mark.parametrize(
    ("name", "owner", "app_id", "to_us"),
    [
        ("pass_thread_control", str(OUR_APP), str(OUR_APP), True),
        ("pass_thread_control", OUR_APP, "", True),
        ("pass_thread_control", 263902037430900, str(OUR_APP), False),
        ("pass_thread_control", 263902037430900, "", False),
        ("pass_thread_control", "413038776280800", str(OUR_APP), False),
        ("take_thread_control", 26390203743090, str(OUR_APP), False),
        ("take_thread_control", "413038776280800", "", False),
        ("take_thread_control", OUR_APP, str(OUR_APP), True),
    ],
)
def test_it_is_told_who_may_answer_from_now_on(name: str, owner: Any, app_id: str, to_us: bool) -> None:
    update = item(name, {"previous_owner_app_id": None, "new_owner_app_id": owner, "metadata": ""})
    (event,) = parse(json.dumps(page(entry(update))).encode(), NOW, app_id)
    assert isinstance(event, ThreadPassed)
    assert (event.to_us, event.address.user_id) == (to_us, PERSON)


def test_control_that_goes_to_nobody_is_only_noted() -> None:
    event = read(item("pass_thread_control", {"new_owner_app_id": None}))
    assert isinstance(event, UnknownEvent)
    assert event.known


def test_receipts_name_messages_and_a_watermark() -> None:
    watermark = AT - timedelta(milliseconds=9)
    delivered, bare, read_ = (read(UPDATES[name]) for name in ("delivery", "delivery without ids", "read"))
    assert isinstance(delivered, MessageDelivered)
    assert isinstance(bare, MessageDelivered)
    assert isinstance(read_, MessageSeen)
    assert (delivered.message_ids, delivered.watermark) == (("m_echo", "m_echo2"), watermark)
    assert (bare.message_ids, bare.watermark, read_.watermark) == ((), watermark, watermark)


def test_a_receipt_with_the_page_as_sender_concerns_the_person() -> None:
    event = read({**UPDATES["delivery"], "sender": {"id": PAGE}, "recipient": {"id": PERSON}})
    assert isinstance(event, MessageDelivered)
    assert event.address.user_id == PERSON


def test_stopping_marketing_messages_withdraws_consent_to_marketing_only() -> None:
    event = read(UPDATES["optin stopped"])
    assert isinstance(event, ConsentWithdrawn)
    assert event.scope == "marketing"
    assert isinstance(read(UPDATES["optin"]), UnknownEvent)


def test_a_block_by_the_platform_loses_the_grant_and_a_warning_does_not() -> None:
    block = read(UPDATES["policy block"])
    assert isinstance(block, GrantLost)
    assert (block.reason, block.address.user_id) == ("spam", "")
    assert isinstance(read(UPDATES["policy warning"]), UnknownEvent)


def test_a_template_changes_its_state() -> None:
    (event,) = parse(CHANGES["template"], NOW)
    assert isinstance(event, TemplateChanged)
    assert (event.template_id, event.status, event.reason) == ("61", Status.REJECTED, "WORDS")


def test_the_address_form_shares_a_contact_that_was_typed() -> None:
    event = read(UPDATES["address form"])
    assert isinstance(event, ContactShared)
    assert (event.name, event.phone, event.address_text) == ("Lan", "+84911222333", "2 Phố Ví Dụ, Phường Mẫu")
    assert event.typed


def test_a_comment_is_told_without_taking_its_author_for_a_chat_partner() -> None:
    (event,) = parse(CHANGES["comment"], NOW)
    assert isinstance(event, Commented)
    assert (event.comment_id, event.post_id, event.author_id) == ("81_82", f"{PAGE}_81", "5500")
    assert event.address.user_id == ""


@pytest.mark.parametrize(
    "more", [{"verb": "edited"}, {"item": "like"}, {"from": {"id": PAGE}}, {"comment_id": ["81_82"]}], ids=str
)
def test_what_else_happens_on_a_page_is_only_noted(more: dict[str, Any]) -> None:
    (event,) = parse(change("feed", comment(**more)), NOW)
    assert isinstance(event, UnknownEvent)
    assert event.known and event.name.startswith("feed.")


def test_a_login_code_or_token_is_never_noted() -> None:
    for name in ("account linked", "optin", "optin once"):
        event = read(UPDATES[name])
        assert isinstance(event, UnknownEvent)
        assert not {"secret-code", "9"} & set(event.details.values())


@pytest.mark.parametrize(
    "body",
    [one(item("hologram", {"x": 1})), one(item("hologram", 5)), change("moon_phase", {"x": 1}), change("y", True)],
)
def test_a_new_kind_of_update_is_unknown_and_no_error(body: bytes) -> None:
    (event,) = parse(body, NOW)
    assert isinstance(event, UnknownEvent)
    assert not event.known


def test_a_whole_batch_can_be_replayed() -> None:
    body = dump(page(entry(message("m_1", text="a"), message("m_2", text="b"))))
    assert [event.message_id for event in parse(body, NOW) if isinstance(event, TextReceived)] == ["m_1", "m_2"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_events_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse(body, NOW)


@settings(deadline=None)
@given(st.sampled_from(envelope.NAMES), JSON, JSON, st.sampled_from(["messaging", "standby"]), st.booleans())
def test_any_json_is_events_or_a_value_error(name: str, content: Any, inner: Any, place: str, from_page: bool) -> None:
    for value in (content, {"mid": "m_1", **(content if isinstance(content, dict) else {}), "attachments": inner}):
        update = item(name, value, PAGE if from_page else PERSON)
        body = json.dumps(page(entry(update, place=place))).encode()
        try:
            events = parse(body, NOW)
        except ValueError:
            continue
        assert len(events) == 1


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {"mid": st.just("m_1")},
        optional={
            "text": JSON,
            "quick_reply": st.none() | st.fixed_dictionaries({"payload": JSON}),
            "referral": JSON | st.fixed_dictionaries({"ref": JSON, "ad_id": JSON, "product": JSON}),
            "reply_to": JSON,
            "is_echo": st.booleans(),
            "app_id": JSON,
            "attachments": st.lists(
                st.fixed_dictionaries(
                    {"type": st.sampled_from(["image", "location", "template", "file", "fallback", "sticker"]) | JSON},
                    optional={
                        "payload": JSON
                        | st.fixed_dictionaries(
                            {},
                            optional={
                                "url": st.text(max_size=30).map("https://".__add__) | JSON,
                                "coordinates": JSON,
                                "product": JSON,
                                "sticker_id": JSON,
                                "elements": JSON,
                            },
                        )
                    },
                ),
                max_size=3,
            ),
        },
    )
)
def test_a_message_of_any_shape_is_one_event(content: dict[str, Any]) -> None:
    update = item("message", content)
    if content.get("is_echo"):
        update = {**update, "sender": {"id": PAGE}, "recipient": {"id": PERSON}}
    assert len(parse(json.dumps(page(entry(update))).encode(), NOW)) == 1
