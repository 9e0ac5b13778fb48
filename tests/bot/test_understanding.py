"""What hurried customers mean, and what must never be read into their words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phrases import BOOK, LANGUAGES
from bot.spelling import words
from bot.understanding import SURE, understand

MEANT = [
    ("chào shop", "greeting"),
    ("Alo shop ơiiii", "greeting"),
    ("có ai ở đó không ạ", "greeting"),
    ("hello", "greeting"),
    ("good morning", "greeting"),
    ("cảm ơn nhiều nha", "thanks"),
    ("tks shop", "thanks"),
    ("thank you so much", "thanks"),
    ("menu", "menu"),
    ("bạn làm được gì vậy", "menu"),
    ("what can you do?", "menu"),
    ("xem điểm", "loyalty.balance"),
    ("diem cua toi", "loyalty.balance"),
    ("mk có bn điểm r", "loyalty.balance"),
    ("ĐIỂM TÍCH LŨY", "loyalty.balance"),
    ("điểmmmm", "loyalty.balance"),
    ("how many points do I have", "loyalty.balance"),
    ("shop đang có khuyến mãi gì không", "loyalty.offers"),
    ("any discount codes?", "loyalty.offers"),
    ("liên kết số điện thoại", "loyalty.link"),
    ("mình muốn nhập mã", "loyalty.link"),
    ("link my account", "loyalty.link"),
    ("đơn hàng của mình giao đến đâu rồi", "order.status"),
    ("don hang den dau r", "order.status"),
    ("bao giờ nhận được hàng vậy shop", "order.status"),
    ("đh ntn rồi", "order.status"),
    ("where is my order", "order.status"),
    ("danh sách đơn hàng", "order.list"),
    ("đơn hàng của tôi", "order.list"),
    ("show my orders", "order.list"),
    ("hàng giao bị vỡ rồi", "support.open"),
    ("shop giao thiếu 2 món", "support.open"),
    ("mình muốn đổi trả", "support.open"),
    ("cho mình hoàn tiền đi", "support.open"),
    ("I want a refund", "support.open"),
    ("my package arrived damaged", "support.open"),
    ("yêu cầu của tôi xử lý chưa", "support.status"),
    ("my tickets", "support.status"),
    ("cho mình gặp nhân viên", "person"),
    ("mình muốn nói chuyện với người thật", "person"),
    ("can I talk to a human?", "person"),
    ("hủy đơn giúp mình", "person"),
    ("cancel my order", "person"),
    ("mấy giờ shop mở cửa", "shop.hours"),
    ("chủ nhật shop có mở không", "shop.hours"),
    ("what time do you open", "shop.hours"),
    ("shop ở đâu vậy", "shop.address"),
    ("cho xin địa chỉ với", "shop.address"),
    ("where are you located?", "shop.address"),
    ("dừng", "consent.stop"),
    ("Stop", "consent.stop"),
    ("từ chối", "consent.stop"),
    ("tu choi nhan tin", "consent.stop"),
    ("đừng gửi tin quảng cáo nữa", "consent.stop"),
    ("unsubscribe me from your newsletter", "consent.stop"),
    ("bắt đầu nhận tin", "consent.start"),
    ("đăng ký nhận tin", "consent.start"),
    ("start", "consent.start"),
    ("xoá dữ liệu của tôi", "data.erase"),
    ("xóa hết dữ liệu cá nhân giúp mình", "data.erase"),
    ("please delete my data", "data.erase"),
    ("thôi", "cancel"),
    ("bỏ qua đi", "cancel"),
    ("hủy", "cancel"),
    ("quay lại", "cancel"),
    ("never mind", "cancel"),
    ("vâng ạ", "yes"),
    ("đúng rồi", "yes"),
    ("yes", "yes"),
    ("ko", "no"),
    ("không ạ", "no"),
    ("no", "no"),
    ("mình muốn đặt hàng", "order.buy"),
    ("áo này giá bao nhiêu", "order.buy"),
    ("do you sell running shoes", "order.buy"),
]


@pytest.mark.parametrize(("line", "intent"), MEANT)
def test_what_customers_mean(line: str, intent: str) -> None:
    assert understand(line).intent == intent


@pytest.mark.parametrize("line", ["", "   ", "???", "😀😀", "444", "hôm qua trăng tròn", "blabla", "mai tính", "Dũng"])
def test_what_says_nothing_means_nothing(line: str) -> None:
    meaning = understand(line)
    assert (meaning.intent, meaning.confidence, meaning.slots) == ("", 0.0, {})


NOT_THE_END = [
    "hủy đơn",
    "hủy",
    "đúng",
    "dùng",
    "Dũng",
    "dung",
    "cho mình hỏi dùng sao",
    "đừng",
    "đừng hủy nhận tin của mình",
    "mình không muốn dừng nhận tin",
    "hủy nhận tin là sao",
    "dừng đơn hàng lại giúp mình",
    "stop my order",
    "why did you unsubscribe me",
    "do not unsubscribe me",
    "bus stop ở đâu",
    "shop từ chối bảo hành cho mình",
]


@pytest.mark.parametrize("line", NOT_THE_END)
def test_consent_is_not_withdrawn_by_what_sounds_like_it(line: str) -> None:
    assert understand(line).intent != "consent.stop"


@pytest.mark.parametrize(
    "line",
    [
        "đừng xóa dữ liệu của tôi",
        "mất hết dữ liệu rồi",
        "don't delete my data",
        "xóa dữ liệu là gì",
        "điện thoại mới mua tự xóa hết ảnh",
        "chính sách dữ liệu",
    ],
)
def test_data_is_not_erased_by_what_sounds_like_it(line: str) -> None:
    assert understand(line).intent != "data.erase"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("đơn DH1024 đến đâu rồi", "DH1024"),
        ("đơn dh1024 đến đâu rồi", "DH1024"),
        ("DH1024", "DH1024"),
        ("#1024", "1024"),
        ("#7", "7"),
        ("KQ-00012", "KQ-00012"),
        ("kiểm tra đơn 456 giúp mình", "456"),
        ("đơn hàng 0987654321", "0987654321"),
        ("where is my order #A77?", "A77"),
        ("track order 00004587345.", "00004587345"),
    ],
)
def test_an_order_code_is_heard(line: str, code: str) -> None:
    meaning = understand(line)
    assert (meaning.intent, meaning.slots) == ("order.status", {"order_code": code})


@pytest.mark.parametrize("line", ["0901234567", "giá 500 k", "size XL2", "10h30", "SALE30", "lan@mail123.vn"])
def test_other_numbers_are_no_order_codes(line: str) -> None:
    assert "order_code" not in understand(line).slots


def test_long_runs_of_digits_in_a_code_stay() -> None:
    assert understand("đơn DH10000 đâu").slots == {"order_code": "DH10000"}


def test_the_whole_line_is_sure_and_a_part_is_not() -> None:
    assert understand("cho mình xem điểm với ạ").confidence == 1.0
    assert understand("thôi mà hôm bữa mình có xem điểm ở cửa hàng rồi").confidence < SURE


def test_a_code_alone_does_not_leave_a_dialog() -> None:
    assert understand("DH1024").confidence < SURE


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("xem điểm", "vi"),
        ("xem diem", "vi"),
        ("where is my order", "en"),
        ("your parcel was empty", "en"),
        ("menu", ""),
        ("ok", ""),
        ("stop", ""),
        ("DH1024", ""),
        ("trời đẹp quá", "vi"),
    ],
)
def test_the_language_shows_only_where_it_is_clear(line: str, language: str) -> None:
    assert understand(line).language == language


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("Điểmmmm!!!", "diem"),
        ("hoà hòa", "hoa hoa"),
        ("đc k", "duoc khong"),
        ("I don’t know", "i dont know"),
        ("e\u0301 😀 à", "e a"),
        ("DH1000", "dh1000"),
    ],
)
def test_spelling_is_evened_out(line: str, plain: str) -> None:
    assert " ".join(word.plain for word in words(line)) == plain


def test_both_ways_of_placing_a_tone_are_one_word() -> None:
    assert words("hoà") == words("hòa")


def test_the_same_words_without_accents_mean_the_same() -> None:
    for line in ("xem điểm của tôi", "đơn hàng của tôi đến đâu rồi", "cho tôi gặp nhân viên", "mấy giờ mở cửa"):
        bare = " ".join(word.plain for word in words(line))
        assert understand(bare).intent == understand(line).intent


def test_every_phrase_can_be_found() -> None:
    """A phrase said by itself is understood as its own intent, or as one that has the same phrase and ranks first."""
    phrases = {phrase for entries in BOOK.by_word.values() for phrase, _ in entries}
    for phrase in phrases:
        found = {match.phrase.intent for match in BOOK.matches(phrase.words)}
        assert phrase.intent in found, phrase
    assert {phrase.language for phrase in phrases} == set(LANGUAGES)


@given(st.text(max_size=2000))
def test_any_text_is_understood_or_not_but_never_breaks(text: str) -> None:
    meaning = understand(text)
    assert meaning.text == text
    assert 0.0 <= meaning.confidence <= 1.0
    assert bool(meaning.intent) == bool(meaning.confidence)


@pytest.mark.parametrize("unit", ["đơn ", "k ", "a", "#a-", "where is my order ", "đừng gửi ", "1", "́"])
def test_long_lines_take_no_longer_than_the_part_that_is_looked_at(unit: str) -> None:
    started = time.perf_counter()
    understand(unit * 100_000)
    assert time.perf_counter() - started < 0.1


def test_a_line_is_understood_quickly() -> None:
    started = time.perf_counter()
    for line, _ in MEANT * 10:
        understand(line)
    assert (time.perf_counter() - started) / (len(MEANT) * 10) < 0.001
