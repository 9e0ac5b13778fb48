"""Our messages as Zalo shows them."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.text import clean, pieces, shortened
from bot.channels.zalo.sender import BANNER, payload, split
from crm.messages import Button, ButtonKind, Card, Message

LAN = "9300400500600700800"
ASK = Button("Chia sẻ số điện thoại", kind=ButtonKind.SHARE_PHONE)


def said(message: Message, *, lists: bool = False) -> list[dict[str, Any]]:
    """The `message` of every call that this message takes."""
    return [payload(LAN, part)["message"] for part in split(message, lists=lists)]


def replies(count: int) -> tuple[Button, ...]:
    return tuple(Button(f"Chọn {number}", f"kq:{number}") for number in range(1, count + 1))


def template(**parts: Any) -> dict[str, Any]:
    return {"type": "template", "payload": parts}


def test_text_goes_to_the_person_as_it_is() -> None:
    (part,) = split(Message("Chào bạn"))
    assert payload(LAN, part) == {"recipient": {"user_id": LAN}, "message": {"text": "Chào bạn"}}


def test_text_is_composed_before_it_is_counted() -> None:
    decomposed = unicodedata.normalize("NFD", "ệ" * 2000)
    assert said(Message(decomposed)) == [{"text": "ệ" * 2000}]


def test_a_quote_stands_on_the_first_part_only() -> None:
    assert said(Message("Dạ còn ạ", reply_to="m1")) == [{"text": "Dạ còn ạ", "quote_message_id": "m1"}]
    first, second = said(Message("a " * 1500, reply_to="m1"))
    assert first["quote_message_id"] == "m1"
    assert "quote_message_id" not in second


def test_long_text_breaks_at_a_paragraph_and_loses_no_word() -> None:
    paragraphs = ["Một câu dài. " * 90, "Hai câu dài. " * 90]
    parts = said(Message("\n\n".join(paragraphs)))
    assert [part["text"] for part in parts] == [paragraph.strip() for paragraph in paragraphs]


def test_long_text_breaks_at_a_sentence_before_a_word() -> None:
    text = "a" * 1500 + ". " + "b" * 300 + " " + "c" * 900
    assert [part["text"] for part in said(Message(text))] == ["a" * 1500 + ".", "b" * 300 + " " + "c" * 900]


def test_a_word_without_end_is_cut_at_the_limit() -> None:
    assert [len(part["text"]) for part in said(Message("x" * 4500))] == [2000, 2000, 500]


def test_buttons_of_every_kind() -> None:
    buttons = (
        Button("Xem điểm", "kq:loyalty.balance"),
        Button("Website", "https://shop.vn", ButtonKind.URL),
        Button("Gọi shop", "0911 222 333", ButtonKind.PHONE),
        Button("Tổng đài", "1900 1234", ButtonKind.PHONE),
        Button("Gọi", "+84 911 222 333", ButtonKind.PHONE),
    )
    (message,) = said(Message("Bạn cần gì?", buttons))
    assert message["text"] == "Bạn cần gì?"
    assert message["attachment"] == template(
        buttons=[
            {"title": "Xem điểm", "type": "oa.query.hide", "payload": "kq:loyalty.balance"},
            {"title": "Website", "type": "oa.open.url", "payload": {"url": "https://shop.vn"}},
            {"title": "Gọi shop", "type": "oa.open.phone", "payload": {"phone_code": "84911222333"}},
            {"title": "Tổng đài", "type": "oa.open.phone", "payload": {"phone_code": "19001234"}},
            {"title": "Gọi", "type": "oa.open.phone", "payload": {"phone_code": "84911222333"}},
        ]
    )


def test_buttons_stand_under_the_last_part() -> None:
    first, last = said(Message("câu. " * 500, replies(2)))
    assert "attachment" not in first
    assert len(last["attachment"]["payload"]["buttons"]) == 2


def test_buttons_beyond_five_become_numbered_lines() -> None:
    (message,) = said(Message("Chọn nhé", (*replies(6), Button("Web", "https://shop.vn", ButtonKind.URL))))
    assert message["text"] == "Chọn nhé\n6. Chọn 6\n7. Web: https://shop.vn"
    assert len(message["attachment"]["payload"]["buttons"]) == 5


@pytest.mark.parametrize(
    "button",
    [
        Button("Mở", "javascript:alert(1)", ButtonKind.URL),
        Button("Gọi", "không có", ButtonKind.PHONE),
        Button("Chọn", "x" * 1001),
    ],
    ids=lambda button: button.kind.value,
)
def test_a_button_that_zalo_would_refuse_becomes_a_line(button: Button) -> None:
    (message,) = said(Message("Xem", (button,)))
    assert "attachment" not in message
    assert message["text"].startswith(f"Xem\n1. {button.title}")


def test_buttons_without_text_get_their_titles_as_text() -> None:
    (message,) = said(Message(buttons=replies(2)))
    assert message["text"] == "1. Chọn 1\n2. Chọn 2"


def test_a_picture_takes_a_caption() -> None:
    (message,) = said(Message("Mẫu mới", picture="https://shop.vn/a.jpg"))
    assert message == {
        "text": "Mẫu mới",
        "attachment": template(
            template_type="media", elements=[{"media_type": "image", "url": "https://shop.vn/a.jpg"}]
        ),
    }


def test_an_uploaded_picture_goes_by_its_id() -> None:
    (message,) = said(Message(picture="upload-7"))
    assert message["attachment"]["payload"]["elements"] == [{"media_type": "image", "attachment_id": "upload-7"}]
    assert "text" not in message


def test_words_picture_file_and_sticker_are_calls_of_their_own_where_zalo_wants_it_so() -> None:
    parts = said(Message("Bảng giá", picture="https://shop.vn/a.jpg", file="token-1", sticker="s1"))
    assert parts == [
        {"attachment": template(template_type="media", elements=[{"media_type": "sticker", "attachment_id": "s1"}])},
        {
            "text": "Bảng giá",
            "attachment": template(
                template_type="media", elements=[{"media_type": "image", "url": "https://shop.vn/a.jpg"}]
            ),
        },
        {"attachment": {"type": "file", "payload": {"token": "token-1"}}},
    ]


def test_a_file_elsewhere_becomes_a_link_for_zalo_takes_uploads_only() -> None:
    assert said(Message("Bảng giá", file="https://shop.vn/gia.pdf")) == [{"text": "Bảng giá\nhttps://shop.vn/gia.pdf"}]


@pytest.mark.parametrize("message", [Message("Mẫu mới", replies(1)), Message("câu. " * 500)], ids=["buttons", "long"])
def test_a_picture_with_buttons_or_long_text_goes_before(message: Message) -> None:
    parts = said(Message(message.text, message.buttons, picture="https://shop.vn/a.jpg"))
    assert parts[0]["attachment"]["payload"]["template_type"] == "media"
    assert "text" not in parts[0]
    assert all("media" not in json.dumps(part) for part in parts[1:])


CARDS = (
    Card("Áo dài", "450.000 đ", "https://shop.vn/ao.jpg", (Button("Mua", "kq:buy:1"),)),
    Card("Nón lá", buttons=(Button("Xem", "https://shop.vn/non", ButtonKind.URL),)),
)


def test_cards_become_numbered_text_and_keep_their_buttons() -> None:
    (message,) = said(Message("Hàng mới:", cards=CARDS))
    assert message["text"] == "Hàng mới:\n1. Áo dài\n450.000 đ\n2. Nón lá\nXem: https://shop.vn/non"
    assert message["attachment"]["payload"]["buttons"] == [
        {"title": "1. Mua", "type": "oa.query.hide", "payload": "kq:buy:1"}
    ]


def test_cards_are_a_list_where_lists_are_switched_on() -> None:
    words, listed = said(Message("Hàng mới:", replies(1), CARDS), lists=True)
    assert words == {"text": "Hàng mới:"}
    assert listed["attachment"]["payload"] == {
        "template_type": "list",
        "elements": [
            {
                "title": "Áo dài",
                "subtitle": "450.000 đ",
                "image_url": "https://shop.vn/ao.jpg",
                "default_action": {"type": "oa.query.hide", "payload": "kq:buy:1"},
            },
            {"title": "Nón lá", "default_action": {"type": "oa.open.url", "url": "https://shop.vn/non"}},
        ],
        "buttons": [{"title": "Chọn 1", "type": "oa.query.hide", "payload": "kq:1"}],
    }


def test_too_many_cards_for_a_list_become_text() -> None:
    (message,) = said(Message(cards=tuple(Card(f"Món {number}") for number in range(6))), lists=True)
    assert message["text"].splitlines()[5] == "6. Món 5"


def test_asking_for_the_phone_uses_the_text_as_title_and_line() -> None:
    (message,) = said(Message("Khách quen ơi\nBạn cho mình số điện thoại nhé?", (ASK,)))
    assert message == {
        "attachment": template(
            template_type="request_user_info",
            elements=[
                {"title": "Khách quen ơi", "subtitle": "Bạn cho mình số điện thoại nhé?", "image_url": BANNER},
            ],
        )
    }


def test_a_short_question_gets_the_buttons_words_as_its_line() -> None:
    (message,) = said(Message("Cho mình số nhé?", (ASK,)))
    (element,) = message["attachment"]["payload"]["elements"]
    assert (element["title"], element["subtitle"]) == ("Cho mình số nhé?", ASK.title)


def test_a_request_shows_the_shops_own_picture() -> None:
    (part,) = split(Message("Cho mình số nhé?", (ASK,)))
    (element,) = payload(LAN, part, banner="https://shop.vn/b.png")["message"]["attachment"]["payload"]["elements"]
    assert element["image_url"] == "https://shop.vn/b.png"


@pytest.mark.parametrize(
    "message",
    [Message("Chọn", (*replies(1), ASK)), Message("câu. " * 200, (ASK,)), Message("Ảnh", (ASK,), picture="up")],
    ids=["other buttons", "long text", "picture"],
)
def test_a_request_that_fits_with_nothing_else_comes_last_alone(message: Message) -> None:
    *before, last = said(message)
    assert last["attachment"]["payload"]["template_type"] == "request_user_info"
    assert before
    assert all("request_user_info" not in json.dumps(part) for part in before)


@pytest.mark.parametrize("kind", ButtonKind)
def test_a_button_without_any_words_is_left_out(kind: ButtonKind) -> None:
    assert said(Message("Chào bạn", (Button("", " ", kind),))) == [{"text": "Chào bạn"}]


@pytest.mark.parametrize("message", [Message(), Message("  \n "), Message("\0")])
def test_nothing_to_say_takes_no_call(message: Message) -> None:
    assert split(message) == ()


BUTTONS = st.builds(Button, st.text(max_size=120), st.text(max_size=1100), st.sampled_from(ButtonKind))
CARDS_ = st.builds(
    Card, st.text(max_size=120), st.text(max_size=600), st.text(max_size=9), st.lists(BUTTONS, max_size=3).map(tuple)
)
LONG = st.builds(lambda text, times: text * times, st.text(max_size=40), st.integers(0, 150))
MESSAGES = st.builds(
    Message,
    LONG,
    st.lists(BUTTONS, max_size=8).map(tuple),
    st.lists(CARDS_, max_size=7).map(tuple),
    st.sampled_from(["", "up", "https://shop.vn/a.jpg"]),
    st.sampled_from(["", "m1"]),
    sticker=st.just(""),
    reply_to=st.just(""),
    template=st.none(),
    receipt=st.none(),
    reaction=st.just(""),
    speaker=st.just(""),
)


@settings(deadline=None)
@given(MESSAGES, st.booleans())
def test_no_message_breaks_a_limit(message: Message, lists: bool) -> None:
    for content in said(message, lists=lists):
        assert content
        assert len(content.get("text", "")) <= 2000
        assert content.get("text", "x").strip()
        template = content.get("attachment", {}).get("payload", {})
        buttons, elements = template.get("buttons", []), template.get("elements", [])
        assert len(buttons) <= 5
        assert all(0 < len(button["title"]) <= 100 and button["payload"] for button in buttons)
        assert all(len(button["payload"]) <= 1000 for button in buttons if button["type"] == "oa.query.hide")
        assert not (buttons and template.get("template_type") == "media")
        assert "quote_message_id" not in content or not template
        if template.get("template_type") == "request_user_info":
            assert len(elements) == 1
            assert 0 < len(elements[0]["title"]) <= 100
            assert 0 < len(elements[0]["subtitle"]) <= 500
        json.dumps(content).encode()


@settings(deadline=None)
@given(LONG, st.integers(1, 60))
def test_pieces_fit_and_lose_only_white_space(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(0 < len(piece) <= limit for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@settings(deadline=None)
@given(st.text(st.characters()))
def test_clean_text_can_be_stored_and_is_clean_at_once(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned == clean(cleaned)


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(1, 40))
def test_shortened_text_fits_and_says_that_something_is_missing(text: str, limit: int) -> None:
    found = shortened(text, limit)
    assert len(found) <= limit
    assert found == text or found.endswith("…")
