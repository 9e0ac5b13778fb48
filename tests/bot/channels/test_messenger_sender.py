"""Whatever is to be said fits Messenger's limits, loses nothing, and never carries a retired tag."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import Outgoing, SendError, SendErrorKind
from bot.channels.messenger.fit import chop, cut, units
from bot.channels.messenger.sender import encode, payload, split
from crm.events import Address
from crm.messages import KEPT, Bought, Button, ButtonKind, Card, Message, Receipt

TO = Address("messenger", "700100200300400", "4400123456789012")
SITE = "https://shop.example.vn/"
ANY_TEXT = st.text(max_size=60) | st.text(max_size=30).map(lambda text: text * 90)
BUTTONS = st.lists(
    st.builds(
        Button,
        title=ANY_TEXT,
        value=ANY_TEXT | st.sampled_from([SITE, SITE + "a b", "0901 234 567", "19001234", "x" * 1001]),
        kind=st.sampled_from(ButtonKind),
    ),
    max_size=16,
).map(tuple)
CARDS = st.lists(
    st.builds(Card, title=ANY_TEXT, subtitle=ANY_TEXT, image_url=st.sampled_from(["", SITE, "x"]), buttons=BUTTONS),
    max_size=13,
).map(tuple)
BOUGHT = st.builds(Bought, title=ANY_TEXT, detail=ANY_TEXT, image_url=st.sampled_from(["", SITE, "x"]))
MESSAGES = st.builds(
    Message,
    text=ANY_TEXT,
    buttons=BUTTONS,
    cards=CARDS,
    picture=st.sampled_from(["", SITE + "a.jpg", f"{KEPT}7"]),
    file=st.sampled_from(["", SITE + "a.pdf", "file:7"]),
    sticker=st.sampled_from(["", "369239263222822", "zalo"]),
    reply_to=st.sampled_from(["", "m_quoted"]),
    receipt=st.none() | st.builds(Receipt, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.just(0), st.lists(BOUGHT).map(tuple)),
    template=st.none(),
    reaction=st.just(""),
    speaker=st.sampled_from(["", "Thảo"]),
)


def written(message: Message, lane: str = "standard", metadata: str = "") -> list[dict[str, Any]]:
    """The bodies of all calls that say this."""
    return [json.loads(encode(Outgoing(TO, part, lane, metadata))) for part in split(message)]


def only(message: Message) -> dict[str, Any]:
    (body,) = written(message)
    content = body["message"]
    assert isinstance(content, dict)
    return content


def reply(title: str, value: str = "") -> Button:
    return Button(title, value or f"do:{title}")


def link(title: str, value: str = SITE) -> Button:
    return Button(title, value, ButtonKind.URL)


def phone(title: str, value: str) -> Button:
    return Button(title, value, ButtonKind.PHONE)


def template(content: dict[str, Any]) -> dict[str, Any]:
    assert content["attachment"]["type"] == "template"
    inner = content["attachment"]["payload"]
    assert isinstance(inner, dict)
    return inner


def test_text_is_one_response_to_the_person() -> None:
    assert written(Message(text="Dạ còn ạ"), metadata="outbox:7") == [
        {
            "recipient": {"id": TO.user_id},
            "messaging_type": "RESPONSE",
            "message": {"text": "Dạ còn ạ", "metadata": "outbox:7"},
        }
    ]


def test_the_human_agent_lane_carries_its_tag() -> None:
    (body,) = written(Message(text="Mình đây ạ"), lane="human_agent")
    assert (body["messaging_type"], body["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")


@pytest.mark.parametrize("lane", ["", "consultation", "ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE"])
def test_no_other_lane_can_be_written(lane: str) -> None:
    with pytest.raises(SendError) as caught:
        payload(Outgoing(TO, Message(text="x"), lane))
    assert caught.value.kind is SendErrorKind.PERMANENT


def test_long_text_is_parted_between_sentences_and_keeps_every_word() -> None:
    text = "Áo này mặc mát lắm bạn nhé. " * 200
    parts = [body["message"]["text"] for body in written(Message(text=text))]
    assert [len(part) < 2000 for part in parts] == [True] * len(parts)
    assert all(part.endswith("nhé.") for part in parts)
    assert " ".join(parts) == text.strip()


def test_reply_buttons_are_quick_replies_with_their_payload_as_given() -> None:
    content = only(Message(text="Chọn màu nhé", buttons=(reply("Xanh", "c:Xanh "), reply("Đỏ"))))
    assert content == {
        "text": "Chọn màu nhé",
        "quick_replies": [
            {"content_type": "text", "title": "Xanh", "payload": "c:Xanh "},
            {"content_type": "text", "title": "Đỏ", "payload": "do:Đỏ"},
        ],
    }


def test_a_long_title_is_cut_between_words() -> None:
    content = only(Message(text="x", buttons=(reply("Theo dõi đơn hàng của tôi"),)))
    assert content["quick_replies"][0]["title"] == "Theo dõi đơn hàng…"


def test_a_fourteenth_reply_becomes_a_line_of_text() -> None:
    content = only(Message(text="Chọn", buttons=tuple(reply(f"Màu {n}") for n in range(14))))
    assert len(content["quick_replies"]) == 13
    assert content["text"] == "Chọn\n• Màu 13"


def test_links_and_numbers_stand_on_a_button_template() -> None:
    content = only(Message(text="Ghé shop nhé", buttons=(link("Xem shop", SITE + "a b"), phone("Gọi", "0901 234 567"))))
    assert template(content) == {
        "template_type": "button",
        "text": "Ghé shop nhé",
        "buttons": [
            {"type": "web_url", "url": SITE + "a%20b", "title": "Xem shop"},
            {"type": "phone_number", "title": "Gọi", "payload": "+84901234567"},
        ],
    }


def test_mixed_buttons_are_a_template_with_quick_replies() -> None:
    content = only(Message(text="x", buttons=(reply("Có"), link("Xem"), reply("Không"))))
    assert [button["title"] for button in template(content)["buttons"]] == ["Xem"]
    assert [button["title"] for button in content["quick_replies"]] == ["Có", "Không"]


def test_a_fourth_link_a_hotline_and_a_bad_link_become_lines_of_text() -> None:
    message = Message(
        text="x",
        buttons=(
            *(link(f"L{n}", f"{SITE}{n}") for n in range(4)),
            phone("Tổng đài", "1900 1234"),
            link("Hỏng", "javascript:alert(1)"),
        ),
    )
    inner = template(only(message))
    assert len(inner["buttons"]) == 3
    assert inner["text"].splitlines() == [
        "x",
        f"• L3: {SITE}3",
        "• Tổng đài: 1900 1234",
        "• Hỏng: javascript:alert(1)",
    ]


def test_long_text_before_a_template_keeps_its_buttons_on_the_last_part() -> None:
    contents = [body["message"] for body in written(Message(text="một hai ba " * 250, buttons=(link("Xem"),)))]
    assert ["attachment" in content for content in contents] == [False] * (len(contents) - 1) + [True]
    assert len(template(contents[-1])["text"]) <= 640


def test_buttons_without_words_get_something_to_hang_on() -> None:
    assert only(Message(buttons=(reply("Có"),)))["text"]
    assert template(only(Message(buttons=(link("Xem"),))))["text"]


def test_asking_for_the_phone_is_the_platforms_own_quick_reply_once() -> None:
    ask = Button("Gửi số", kind=ButtonKind.SHARE_PHONE)
    content = only(Message(text="Cho mình xin số nhé", buttons=(ask, reply("Để sau"), ask)))
    assert content["quick_replies"] == [
        {"content_type": "user_phone_number"},
        {"content_type": "text", "title": "Để sau", "payload": "do:Để sau"},
    ]


def test_a_picture_is_a_call_of_its_own_before_the_words() -> None:
    picture, words = written(
        Message(text="Đẹp không", picture=SITE + "a b.jpg", buttons=(reply("Có"),), reply_to="m_q")
    )
    assert picture["message"] == {"attachment": {"type": "image", "payload": {"url": SITE + "a%20b.jpg"}}}
    assert picture["reply_to"] == {"mid": "m_q"}
    assert "reply_to" not in words
    assert words["message"]["quick_replies"][0]["title"] == "Có"


def test_cards_are_a_generic_template_ten_at_a_time() -> None:
    cards = tuple(Card(f"Áo {n}", "99.000 ₫", SITE + "a.jpg", (reply("Mua", f"buy:{n}"),)) for n in range(12))
    words, first, second = (body["message"] for body in written(Message(text="Mời bạn xem", cards=cards)))
    assert words == {"text": "Mời bạn xem"}
    assert [len(template(content)["elements"]) for content in (first, second)] == [10, 2]
    assert template(first)["elements"][0] == {
        "title": "Áo 0",
        "subtitle": "99.000 ₫",
        "image_url": SITE + "a.jpg",
        "buttons": [{"type": "postback", "title": "Mua", "payload": "buy:0"}],
    }


def test_a_tap_on_a_card_opens_its_address_and_no_other_thing() -> None:
    shown, bad = template(only(Message(cards=(Card("Áo", url=SITE + "a b"), Card("Quần", url="javascript:x")))))[
        "elements"
    ]
    assert shown == {"title": "Áo", "default_action": {"type": "web_url", "url": SITE + "a%20b"}}
    assert bad == {"title": "Quần", "subtitle": "·"}


def test_a_picture_that_facebook_holds_carries_links_where_there_are_no_words() -> None:
    (part,) = split(Message(picture=f"{KEPT}7", buttons=(link("Xem"), reply("Có")), speaker="Thảo"))
    content = payload(Outgoing(TO, part._replace(picture="image:687799999980546"), "standard"))["message"]
    assert template(content) == {
        "template_type": "media",
        "elements": [
            {
                "media_type": "image",
                "attachment_id": "687799999980546",
                "buttons": [{"type": "web_url", "url": SITE, "title": "Xem"}],
            }
        ],
    }
    assert [each["title"] for each in content["quick_replies"]] == ["Có"]
    assert len(split(Message("Đẹp", picture=f"{KEPT}7", buttons=(link("Xem"),)))) == 2
    assert len(split(Message(picture=SITE + "a.jpg", buttons=(link("Xem"),)))) == 2


def test_a_receipt_stands_for_its_words_and_its_sums_are_whole_dong() -> None:
    bought = (Bought("Áo thun", "Size M", 2, 199_000, SITE + "a.jpg"),)
    slip = Receipt("DH-1", "Lan", "COD", 418_000, bought, 30_000, (("Khách mới", 10_000),), SITE + "dh/1")
    assert template(only(Message("Đơn DH-1: 418.000 ₫", receipt=slip))) == {
        "template_type": "receipt",
        "recipient_name": "Lan",
        "order_number": "DH-1",
        "currency": "VND",
        "payment_method": "COD",
        "order_url": SITE + "dh/1",
        "summary": {"subtotal": 398_000, "shipping_cost": 30_000, "total_cost": 418_000},
        "adjustments": [{"name": "Khách mới", "amount": 10_000}],
        "elements": [
            {
                "title": "Áo thun",
                "subtitle": "Size M",
                "quantity": 2,
                "price": 199_000,
                "currency": "VND",
                "image_url": SITE + "a.jpg",
            }
        ],
    }
    with_link = written(Message("Đơn DH-1", (link("Xem đơn"),), receipt=slip))
    assert [template(body["message"])["template_type"] for body in with_link] == ["receipt", "button"]
    assert Message.loads(Message("Đơn", receipt=slip).dumps()).receipt == slip


def test_a_reaction_is_an_action_on_a_message_and_nothing_else() -> None:
    (body,) = written(Message("Cảm ơn", reaction="❤️", reply_to="m_1"))
    target = {"message_id": "m_1", "reaction": "❤️"}
    assert body == {"recipient": {"id": TO.user_id}, "sender_action": "react", "payload": target}
    assert written(Message(reaction="❤️")) == []


def test_every_part_bears_the_name_of_who_typed_it() -> None:
    parts = split(Message("dài " * 1000, picture=SITE + "a.jpg", speaker="Thảo"))
    assert {part.speaker for part in parts} == {"Thảo"}
    assert payload(Outgoing(TO, parts[1], "standard", persona="71"))["persona_id"] == "71"
    assert "persona_id" not in payload(Outgoing(TO, parts[1], "standard"))


def test_a_card_never_has_only_a_title_and_its_fourth_button_becomes_a_line() -> None:
    cards = (Card("Trơ"), Card("Đủ", buttons=tuple(reply(f"N{n}") for n in range(4))))
    words, content = (body["message"] for body in written(Message(cards=cards)))
    assert words == {"text": "Đủ • N3"}
    bare, full = template(content)["elements"]
    assert len(bare) > 1
    assert len(full["buttons"]) == 3


def test_nothing_to_say_is_no_call() -> None:
    assert split(Message(text=" \n ")) == ()


def test_emoji_count_two_against_every_limit() -> None:
    assert units("😍a") == 3
    assert [units(part) for part in chop("😍" * 1500, 1999)] == [1998, 1002]
    assert units(cut("😍" * 30, 20)) <= 20


@settings(deadline=None)
@given(MESSAGES, st.sampled_from(["standard", "human_agent"]), st.text(max_size=1200))
def test_no_message_breaks_a_limit_or_carries_a_retired_tag(message: Message, lane: str, metadata: str) -> None:
    for body in written(message, lane, metadata):
        tag = body.pop("tag", None)
        assert (body.pop("messaging_type"), tag) in {("RESPONSE", None), ("MESSAGE_TAG", "HUMAN_AGENT")}
        assert set(body) <= {"recipient", "message", "reply_to"}
        _assert_fits(body["message"])


def _assert_fits(content: dict[str, Any]) -> None:
    assert set(content) <= {"text", "attachment", "sticker_id", "quick_replies", "metadata"}
    assert sum(key in content for key in ("text", "attachment", "sticker_id")) == 1
    assert len(content.get("metadata", "")) < 1000
    if "text" in content:
        assert 0 < units(content["text"]) < 2000
    quick = content.get("quick_replies", [])
    assert len(quick) <= 13
    _assert_buttons_fit([item for item in quick if item["content_type"] == "text"])
    if content.get("attachment", {}).get("type") == "template":
        inner = content["attachment"]["payload"]
        if inner["template_type"] == "button":
            assert 0 < units(inner["text"]) <= 640
            assert 1 <= len(inner["buttons"]) <= 3
            _assert_buttons_fit(inner["buttons"])
        elif inner["template_type"] == "receipt":
            assert all(0 < units(inner[key]) <= 80 for key in ("recipient_name", "order_number", "payment_method"))
        else:
            assert 1 <= len(inner["elements"]) <= 10
        for element in inner.get("elements", ()):
            assert 0 < units(element.get("title", "-" if "media_type" in element else "")) <= 80
            assert units(element.get("subtitle", "")) <= 80
            assert len(element) > 1
            assert len(element.get("buttons", ())) <= 3
            _assert_buttons_fit(element.get("buttons", []))


def _assert_buttons_fit(buttons: list[dict[str, str]]) -> None:
    for button in buttons:
        assert 0 < units(button["title"]) <= 20
        assert 0 < units(button.get("payload", "x")) <= 1000
        assert button.get("url", SITE).startswith(("http://", "https://"))


@settings(deadline=None)
@given(MESSAGES)
def test_a_part_is_not_split_again(message: Message) -> None:
    for part in split(message):
        assert split(part) == (part,)


@settings(deadline=None)
@given(st.text(max_size=400), st.integers(min_value=12, max_value=90))
def test_chopping_loses_only_white_space(text: str, most: int) -> None:
    whole = chop(text, 10_000)
    parts = chop(text, most)
    assert "".join("".join(parts).split()) == "".join("".join(whole).split())
    assert all(0 < units(part) <= most for part in parts)


def test_files_and_stickers_are_calls_of_their_own() -> None:
    parts = written(Message("Bảng giá", file=SITE + "gia.pdf", sticker="369239263222822"))
    assert [part["message"] for part in parts] == [
        {"sticker_id": 369239263222822},
        {"text": "Bảng giá"},
        {"attachment": {"type": "file", "payload": {"url": SITE + "gia.pdf"}}},
    ]


@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
def test_what_was_uploaded_goes_by_its_id_and_as_what_it_was_uploaded(kind: str) -> None:
    (part,) = written(Message(file=f"{kind}:687799999980546"))
    assert part["message"] == {"attachment": {"type": kind, "payload": {"attachment_id": "687799999980546"}}}


def test_a_sticker_of_another_channel_is_left_out() -> None:
    assert written(Message(sticker="bfe458bf64fa8da4d4eb")) == []
