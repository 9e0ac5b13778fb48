"""What hurried customers mean, and what must never be read into their words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phrases import BOOK, LANGUAGES
from bot.spelling import words
from bot.understanding import SURE, order_codes, tells, understand

MEANT = [
    ("chào shop", "greeting"),
    ("Alo shop ơiiii", "greeting"),
    ("có ai ở đó không ạ", "greeting"),
    ("hello", "greeting"),
    ("good morning", "greeting"),
    ("shop ơi", "greeting"),
    ("shop oi", "greeting"),
    ("cho mình hỏi", "greeting"),
    ("cho e hỏi xíu ạ", "greeting"),
    ("shop ơi cho mình hỏi chút", "greeting"),
    ("mình muốn hỏi", "greeting"),
    ("can I ask something", "greeting"),
    ("👍", "yes"),
    ("👍🏻👍🏻", "yes"),
    ("👌 ✅", "yes"),
    ("❤️", "thanks"),
    ("❤", "thanks"),
    ("🥰🙏", "thanks"),
    ("english please", "language.english"),
    ("tiếng anh", "language.english"),
    ("nói tiếng anh được không", "language.english"),
    ("tiếng việt đi", "language.vietnamese"),
    ("mình không biết tiếng anh", "language.vietnamese"),
    ("I don't speak Vietnamese", "language.english"),
    ("Vietnamese please", "language.vietnamese"),
    ("cảm ơn nhiều nha", "thanks"),
    ("tks shop", "thanks"),
    ("thank you so much", "thanks"),
    ("menu", "menu"),
    ("bạn làm được gì vậy", "menu"),
    ("what can you do?", "menu"),
    ("xem điểm", "loyalty.balance"),
    ("diem cua toi", "loyalty.balance"),
    ("loyalty card", "loyalty.card"),
    ("membership card", "loyalty.card"),
    ("my rewards", "rewards.mine"),
    ("rewards", "rewards.show"),
    ("mk có bn điểm r", "loyalty.balance"),
    ("Tôi muốn biết điểm", "loyalty.balance"),
    ("cho mình biết điểm với", "loyalty.balance"),
    ("ĐIỂM TÍCH LŨY", "loyalty.balance"),
    ("điểmmmm", "loyalty.balance"),
    ("how many points do I have", "loyalty.balance"),
    ("shop đang có khuyến mãi gì không", "loyalty.offers"),
    ("any discount codes?", "loyalty.offers"),
    ("liên kết số điện thoại", "loyalty.link"),
    ("mình muốn nhập mã", "loyalty.link"),
    ("link my account", "loyalty.link"),
    ("huỷ liên kết", "loyalty.unlink"),
    ("hủy liên kết số điện thoại giúp mình", "loyalty.unlink"),
    ("bo lien ket tai khoan", "loyalty.unlink"),
    ("không muốn liên kết nữa", "loyalty.unlink"),
    ("unlink my account", "loyalty.unlink"),
    ("tôi không có mã", "loyalty.no_code"),
    ("khong co ma", "loyalty.no_code"),
    ("mất hóa đơn rồi", "loyalty.no_code"),
    ("lấy mã ở đâu vậy", "loyalty.no_code"),
    ("I don't have a code", "loyalty.no_code"),
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
    ("không nhận được tin nhắn xác nhận", "support.open"),
    ("mình chưa nhận được thông báo nào", "support.open"),
    ("yêu cầu của tôi xử lý chưa", "support.status"),
    ("yêu cầu của mình tới đâu rồi", "support.status"),
    ("yeu cau den dau roi shop", "support.status"),
    ("yêu cầu #9", "support.status"),
    ("yêu cầu hỗ trợ số 9 sao rồi", "support.status"),
    ("ticket #12", "support.status"),
    ("my tickets", "support.status"),
    ("cho mình gặp nhân viên", "person"),
    ("mình muốn nói chuyện với người thật", "person"),
    ("can I talk to a human?", "person"),
    ("hủy đơn giúp mình", "person"),
    ("cancel my order", "person"),
    ("đừng gửi hàng nữa", "person"),
    ("đừng gửi đơn này nữa", "person"),
    ("dung gui hang nua", "person"),
    ("đừng gửi đơn DH1024 nữa", "person"),
    ("shop ơi đừng gửi hàng nữa nhé mình đổi ý rồi", "person"),
    ("đừng giao nữa", "person"),
    ("thôi đừng ship nữa", "person"),
    ("đừng gửi cái áo đó nữa", "person"),
    ("khoan gửi hàng nha", "person"),
    ("stop sending my order", "person"),
    ("don't ship my order", "person"),
    ("ok gặp", "person"),
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
    ("đừng gửi nữa", "consent.stop"),
    ("đừng gửi cho tôi nữa", "consent.stop"),
    ("đừng gửi mấy cái này nữa", "consent.stop"),
    ("dung gui quang cao nua", "consent.stop"),
    ("đừng gửi km nữa nha", "consent.stop"),
    ("đừng spam nữa", "consent.stop"),
    ("đừng gửi mấy tin này cho em nữa", "consent.stop"),
    ("stop sending me promotions", "consent.stop"),
    ("please stop sending me this", "consent.stop"),
    ("do not send me messages", "consent.stop"),
    ("unsubscribe me from your newsletter", "consent.stop"),
    ("bỏ đăng ký", "consent.stop"),
    ("bo dang ky", "consent.stop"),
    ("bỏ đăng ký nhận tin", "consent.stop"),
    ("không nhận khuyến mãi", "consent.stop"),
    ("mình không nhận ưu đãi ạ", "consent.stop"),
    ("không nhận thông báo", "consent.stop"),
    ("không muốn đăng ký nhận quảng cáo", "consent.stop"),
    ("bắt đầu nhận tin", "consent.start"),
    ("đăng ký nhận tin", "consent.start"),
    ("ngưng", "consent.stop"),
    ("ngung", "consent.stop"),
    ("ngừng nhận quảng cáo", "consent.stop"),
    ("ngung nhan quang cao", "consent.stop"),
    ("dừng quảng cáo", "consent.stop"),
    ("dung quang cao", "consent.stop"),
    ("dừng nhận quảng cáo", "consent.stop"),
    ("dung nhan quang cao", "consent.stop"),
    ("shop dừng quảng cáo giúp mình nha", "consent.stop"),
    ("hủy nhận tin", "consent.stop"),
    ("huỷ nhận quảng cáo", "consent.stop"),
    ("hủy đăng ký nhận khuyến mãi", "consent.stop"),
    ("tắt quảng cáo", "consent.stop"),
    ("tắt thông báo khuyến mãi", "consent.stop"),
    ("từ chối quảng cáo", "consent.stop"),
    ("thôi nhận quảng cáo nha", "consent.stop"),
    ("ngưng gửi thông báo", "consent.stop"),
    ("không muốn nhận km nữa", "consent.stop"),
    ("không đồng ý nhận tin", "consent.stop"),
    ("đừng làm phiền tôi nữa", "consent.stop"),
    ("dung lam phien", "consent.stop"),
    ("bỏ theo dõi", "consent.stop"),
    ("ngừng spam", "consent.stop"),
    ("stop all ads", "consent.stop"),
    ("no more spam please", "consent.stop"),
    ("turn off notifications", "consent.stop"),
    ("đồng ý nhận tin", "consent.start"),
    ("nhận tin", "consent.start"),
    ("subscribe to promotions", "consent.start"),
    ("nhận quảng cáo", "consent.start"),
    ("cho tôi nhận tin quảng cáo lại", "consent.start"),
    ("tôi muốn nhận tin khuyến mãi lại", "consent.start"),
    ("I want offers again", "consent.start"),
    ("please send me offers again", "consent.start"),
    ("never send me offers again", "consent.stop"),
    ("nhắn tin quảng cáo lại", ""),
    ("nhan quang cao", "consent.start"),
    ("dang ky nhan tin", "consent.start"),
    ("cho mình nhận khuyến mãi", "consent.start"),
    ("cho minh nhan khuyen mai", "consent.start"),
    ("cho mình đăng ký nhận tin khuyến mãi với ạ", "consent.start"),
    ("đồng ý nhận tin khuyến mãi", "consent.start"),
    ("shop cho em nhận quảng cáo với", "consent.start"),
    ("nhận tin quảng cáo", "consent.start"),
    ("tiếp tục nhận tin", "consent.start"),
    ("đk nhận km", "consent.offer"),
    ("ok nhận quảng cáo", "consent.start"),
    ("I want to get ads", "consent.start"),
    ("sign up for promotions", "consent.start"),
    ("nhan tin quang cao", "consent.offer"),
    ("nhận quảng cáo?", "consent.offer"),
    ("nhận được quảng cáo", "consent.offer"),
    ("do i get ads", "consent.offer"),
    ("subscribe", "consent.offer"),
    ("opt in", "consent.offer"),
    ("start", "menu"),
    ("bắt đầu", "menu"),
    ("xoá dữ liệu của tôi", "data.erase"),
    ("xoá tài khoản của mình", "data.erase"),
    ("xoa tk cua minh giup minh", "data.erase"),
    ("hủy tài khoản", "data.erase"),
    ("i want to delete my account", "data.erase"),
    ("please close my account", "data.erase"),
    ("huỷ yêu cầu xoá dữ liệu", "data.keep"),
    ("huy yeu cau xoa du lieu", "data.keep"),
    ("hủy bỏ cái yêu cầu xóa dữ liệu hôm qua giúp mình", "data.keep"),
    ("rút lại yêu cầu xóa tài khoản", "data.keep"),
    ("không xoá nữa", "data.keep"),
    ("thôi không xóa nữa đâu", "data.keep"),
    ("đừng xóa dữ liệu của tôi", "data.keep"),
    ("mình không muốn xóa tài khoản nữa", "data.keep"),
    ("cancel my deletion request", "data.keep"),
    ("don't delete my data", "data.keep"),
    ("xóa hết dữ liệu cá nhân giúp mình", "data.erase"),
    ("please delete my data", "data.erase"),
    ("thôi", "cancel"),
    ("bỏ qua đi", "cancel"),
    ("hủy", "cancel"),
    ("quay lại", "cancel"),
    ("never mind", "cancel"),
    ("không cần đâu ạ", "cancel"),
    ("thôi ko cần đâu", "cancel"),
    ("vâng ạ", "yes"),
    ("đúng rồi", "yes"),
    ("yes", "yes"),
    ("uh", "yes"),
    ("ờ", "yes"),
    ("dạ muốn ạ", "yes"),
    ("có shop ơi", "yes"),
    ("cũng được", "yes"),
    ("ko", "no"),
    ("ko đâu ạ", "no"),
    ("không ạ", "no"),
    ("no", "no"),
    ("dc k ạ", "unclear"),
    ("được không shop", "unclear"),
    ("cho mình được không", "unclear"),
    ("mình muốn đặt hàng", "order.buy"),
    ("áo này giá bao nhiêu", "order.buy"),
    ("do you sell running shoes", "order.buy"),
]


def test_what_customers_mean() -> None:
    assert [(line, understand(line).intent) for line, _ in MEANT] == MEANT


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
    "đừng gửi hàng nữa",
    "đừng gửi hàng, nhắn tin cho mình trước đã",
    "đừng gửi hàng khi chưa nhắn tin nha",
    "đừng gửi hàng khuyến mãi nữa",
    "đừng gửi nhầm nữa nha",
    "đừng gửi về địa chỉ cũ nữa",
    "stop sending my order",
    "please don't send the parcel",
    "không nhận được tin nhắn xác nhận",
    "mình không nhận được thông báo",
    "khong nhan duoc tin nhan",
    "ngừng bán rồi hả shop",
    "shop ngừng khuyến mãi rồi hả",
    "dừng chương trình khuyến mãi chưa vậy",
    "đừng dừng quảng cáo nha",
    "sao dừng quảng cáo rồi",
]


@pytest.mark.parametrize("line", NOT_THE_END)
def test_consent_is_not_withdrawn_by_what_sounds_like_it(line: str) -> None:
    assert understand(line).intent != "consent.stop"


@pytest.mark.parametrize(
    "line",
    [
        "start", "start over", "bắt đầu", "subscribe", "nhan tin", "nhan tin cho minh", "nhan tin lai cho minh nhe",
        "nhắn tin lại cho mình", "sign me up", "không đồng ý nhận tin", "đồng ý", "nhận hàng", "không nhận tin",
        "không nhận quảng cáo", "nhận quảng cáo không", "nhận quảng cáo nhiều quá", "mình nhận quảng cáo hoài",
        "sao mình nhận quảng cáo", "nhắn tin quảng cáo", "đăng ký nhận tin khuyến mãi ở đâu", "nhận khuyến mãi chưa",
        "mình đâu có đăng ký nhận tin", "đừng nhận quảng cáo", "bật lại thông báo không", "why do i get ads",
        "i don't want to get ads", "get offers?",
    ],
)  # fmt: skip
def test_consent_is_granted_only_by_words_that_name_messages(line: str) -> None:
    assert understand(line).intent != "consent.start"


@pytest.mark.parametrize(
    "line",
    [
        "xóa dữ liệu của tôi", "sao chưa xóa dữ liệu của tôi", "shop không xóa dữ liệu cho mình", "hủy đơn",
        "shop không xóa giúp mình",
        "đừng hủy yêu cầu xóa dữ liệu của mình", "hủy yêu cầu", "không xóa được ảnh", "yêu cầu xóa dữ liệu",
        "why did you not delete my data",
    ],
)  # fmt: skip
def test_a_request_to_erase_is_not_withdrawn_by_what_sounds_like_it(line: str) -> None:
    assert understand(line).intent != "data.keep"


@pytest.mark.parametrize(
    "line",
    [
        "đừng xóa dữ liệu của tôi",
        "mất hết dữ liệu rồi",
        "don't delete my data",
        "xóa dữ liệu là gì",
        "điện thoại mới mua tự xóa hết ảnh",
        "chính sách dữ liệu",
        "huỷ yêu cầu xoá dữ liệu",
        "không xoá nữa",
        "số tài khoản của shop là gì",
        "quên mật khẩu tài khoản",
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
        ("mt 1006", "MT1006"),
        ("MT 1006 ạ", "MT1006"),
        ("DH1024 ạ", "DH1024"),
        ("shop ơi DH1024", "DH1024"),
        ("đơn mt 1006", "MT1006"),
        ("đơn mt 1006 tới đâu rồi", "MT1006"),
        ("đơn hàng DH 001", "DH001"),
        ("DH#001", "DH001"),
        ("#DH 001", "DH001"),
        ("đơn a1", "A1"),
        ("đơn hàng số A1 giao chưa", "A1"),
        ("don hang 456 dau roi", "456"),
        ("kiểm tra đơn số 456", "456"),
        ("order ID 456", "456"),
    ],
)
def test_an_order_code_is_heard(line: str, code: str) -> None:
    meaning = understand(line)
    assert (meaning.intent, meaning.slots["order_code"]) == ("order.status", code)


@pytest.mark.parametrize(("line", "number"), [("mt 1006", "1006"), ("dh 456", "456"), ("đơn của Lan 456", "456")])
def test_the_word_before_a_number_may_be_no_part_of_the_code(line: str, number: str) -> None:
    assert understand(line).slots["order_number"] == number


@pytest.mark.parametrize(
    "line",
    [
        "0901234567", "giá 500 k", "size XL2", "10h30", "SALE30", "lan@mail123.vn", "mua 2 ly", "size M 2",
        "lấy 2 cái M",
        "quận 1", "áo 250", "ok 123", "lan 0901234567", "đơn t2 giao chưa", "đơn 2 ly trà", "order 2 ly", "mã SALE30",
    ],
)  # fmt: skip
def test_other_numbers_are_no_order_codes(line: str) -> None:
    assert "order_code" not in understand(line).slots


@pytest.mark.parametrize("line", ["áo 250", "giá 500 k", "mua 1500", "ok 123", "size M 2", "quan 12", "iphone 15"])
def test_a_word_with_a_number_is_no_order(line: str) -> None:
    assert understand(line).intent != "order.status"


@pytest.mark.parametrize(
    ("line", "number"),
    [("yêu cầu #9", "9"), ("yêu cầu 9", "9"), ("yc số 12 sao rồi", "12"), ("ticket 7", "7"), ("khiếu nại #9", "9")],
)
def test_the_number_of_a_request_is_heard(line: str, number: str) -> None:
    meaning = understand(line)
    assert (meaning.intent, meaning.slots) == ("support.status", {"ticket": number})


def test_a_new_request_is_not_taken_for_an_old_one() -> None:
    assert understand("yêu cầu đổi 2 cái ly bị vỡ").intent == "support.open"


@pytest.mark.parametrize(
    ("line", "shade"),
    [
        ("tạm biệt", "goodbye"),
        ("bye shop", "goodbye"),
        ("good night", "goodbye"),
        ("xong rồi ạ", "done"),
        ("cảm ơn shop", ""),
        ("xem điểm", ""),
    ],
)
def test_a_goodbye_is_known_from_thanks(line: str, shade: str) -> None:
    assert understand(line).shade == shade


@pytest.mark.parametrize(
    "line",
    ["hỗ trợ", "tôi cần hỗ trợ", "khiếu nại", "mình muốn khiếu nại đơn hàng DH1024", "đổi trả", "cho mình hoàn tiền đi",
     "có vấn đề", "I want to make a complaint", "help", "", "👍"],
)  # fmt: skip
def test_who_only_asks_for_help_tells_nothing(line: str) -> None:
    assert not tells(line)


@pytest.mark.parametrize(
    "line", ["hàng bị vỡ", "hang bi vo", "khiếu nại vì giao sai màu", "áo lỗi", "thiếu 2 món", "my cup arrived broken"]
)
def test_who_says_what_is_wrong_tells_something(line: str) -> None:
    assert tells(line)


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
        ("👍", ""),
        ("trời đẹp quá", "vi"),
        ("ok thank you nha", ""),
        ("thank you so much", ""),
        ("good morning shop", ""),
        ("yes", ""),
        ("no thanks", ""),
        ("cancel", ""),
        ("I want to cancel", "en"),
        ("cảm ơn shop", "vi"),
        ("cam on shop", "vi"),
        ("thank you, where is my order", "en"),
        ("good morning, what can you do", "en"),
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


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("T12", "T12"),
        ("#T3", "T3"),
        ("t123 sao rồi shop", "T123"),
        ("T9 xong chưa ạ", "T9"),
        ("T1234 tới đâu rồi", "T1234"),
    ],
)
def test_a_tickets_label_asks_how_far_it_is(line: str, code: str) -> None:
    meaning = understand(line)
    assert (meaning.intent, meaning.slots) == ("order.status", {"order_code": code})


@pytest.mark.parametrize("line", ["T7 shop mở cửa không", "T2 xong chưa", "T12 này có khuyến mãi gì không"])
def test_a_day_or_a_month_is_no_tickets_label(line: str) -> None:
    assert "order_code" not in understand(line).slots


def test_the_codes_in_a_complaint_are_found_without_the_tickets() -> None:
    assert order_codes("áo đơn dh1024 với #A77 bị rách, phiếu T12") == ["DH1024", "A77"]
