"""Words about marketing: a no in whatever form is never a yes, and a yes names what it is to."""

from __future__ import annotations

from itertools import product

import pytest

from bot.spelling import words
from bot.understanding import understand

YES = [
    "nhận tin", "đăng ký nhận tin", "bắt đầu nhận tin", "nhận quảng cáo", "nhận qc", "đăng ký nhận quảng cáo",
    "đăng ký quảng cáo", "nhận tin quảng cáo", "nhận khuyến mãi", "nhận ưu đãi", "nhận tin khuyến mãi lại",
    "nhận tin lại", "nhận lại tin", "đồng ý nhận quảng cáo", "tiếp tục nhận quảng cáo", "bật quảng cáo",
    "bật lại quảng cáo", "nhận thông báo khuyến mãi", "get ads", "send me ads again", "send me offers again",
    "receive marketing", "want ads again", "start messages", "subscribe to promotions", "sign up for offers",
]  # fmt: skip
NO = [
    "không", "ko", "k", "kh", "hok", "hông", "khum", "đừng", "thôi", "chưa", "chẳng", "khỏi", "dừng", "ngưng", "tắt",
    "hủy", "không muốn", "đừng bao giờ", "không bao giờ", "chưa hề", "thôi không", "never", "don't", "do not", "stop",
    "no", "no more", "not", "cannot", "won't",
]  # fmt: skip
FRAMES = [
    "{no} {yes}", "{no} {yes} nữa", "mình {no} {yes} đâu nha", "{no} có {yes}", "{no} cần {yes} nữa đâu shop ơi",
    "shop ơi {no}, {yes} làm gì", "{yes}? {no}!", "{yes} hả, {no} nhé", "{yes} thì {no} nha", "ok {yes} {no} thích",
    "please {no} {yes} again", "i {no} want to {yes}", "{yes}, {no} thanks", "ai bảo {yes}, {no} nha",
]  # fmt: skip


def bare(line: str) -> str:
    """The line as somebody types it who writes no accents."""
    return " ".join(word.plain for word in words(line))


def test_no_denial_anywhere_is_a_yes() -> None:
    lines = [frame.format(no=no, yes=yes) for frame, no, yes in product(FRAMES, NO, YES)]
    taken = {line for said in lines for line in (said, bare(said)) if understand(line).intent == "consent.start"}
    assert taken == set()


@pytest.mark.parametrize("no", ["không", "đừng", "chưa", "thôi", "never", "don't"])
def test_what_is_denied_is_not_offered_either(no: str) -> None:
    lines = (f"{no} {yes}" for yes in ("subscribe", "sign me up", "đăng ký tin", "bật lại thông báo", "bật thông báo"))
    assert [line for line in lines if understand(line).intent == "consent.offer"] == []


@pytest.mark.parametrize(
    "line",
    [
        "never send me ads again", "never send me offers again", "never message me again", "don't ever send me ads",
        "please do not send me offers", "no more marketing please", "no more offers", "stop the offers",
        "stop marketing messages", "I don't want your offers", "đừng đăng ký quảng cáo", "đừng đăng ký nhận tin",
        "không đăng ký quảng cáo", "không đăng ký nhận tin", "không đăng ký nhận thông báo", "không nhận qc",
        "ko nhận qc nữa", "k nhận qc nha", "hok nhận qc", "khum nhận qc", "ko nhận quảng cáo nữa",
        "không nhận tin quảng cáo", "không nhận tin quảng cáo nữa", "không cần quảng cáo", "không muốn quảng cáo nữa",
        "đừng bao giờ gửi quảng cáo", "đừng gửi qc nữa", "khỏi gửi quảng cáo", "tắt qc", "hủy qc",
        "hết muốn nhận tin quảng cáo rồi", "chấm dứt gửi quảng cáo", "cấm gửi quảng cáo cho tôi", "turn off messages",
        "chấm dứt nhận tin quảng cáo", "quit sending me ads",
        "thôi không nhận tin nữa", "thôi đừng gửi quảng cáo", "mình không muốn nhận mấy tin quảng cáo này nữa",
    ],
)  # fmt: skip
def test_a_no_to_marketing_in_whatever_form_ends_it(line: str) -> None:
    assert understand(line).intent == "consent.stop"


@pytest.mark.parametrize("line", ["nhận qc", "nhận qc nha shop", "nhận tin qc", "ok nhận qc", "đăng ký nhận qc"])
def test_a_yes_in_shorthand_is_one(line: str) -> None:
    assert understand(line).intent == "consent.start"


@pytest.mark.parametrize(
    "line", ["đăng ký nhận thông báo", "bật thông báo", "bật lại thông báo giúp mình", "bật lại thông báo không"]
)
def test_who_wants_notices_is_asked_whether_they_want_marketing(line: str) -> None:
    assert understand(line).intent == "consent.offer"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("I get ads again", "consent.offer"), ("you send me ads again!!", "consent.offer"),
        ("so I just receive ads again", "consent.offer"), ("I want to get ads again", "consent.start"),
        ("please send me ads again", "consent.start"),
    ],
)  # fmt: skip
def test_who_says_that_they_get_it_is_asked_whether_they_want_it(line: str, meant: str) -> None:
    assert understand(line).intent == meant


@pytest.mark.parametrize(
    "line",
    [
        "never send my order late again", "hàng qc hay vn vậy",
        "không nhận hàng qc", "mình không nhận được tin", "sao không nhận được khuyến mãi", "why don't you send offers",
        "đừng đăng ký tên mình sai nữa", "tắt máy rồi bật lại thông báo đơn hàng", "đã nhận lại tin",
        "mình đợi nhận tin lại từ shop", "shop nhận lại tin mình gửi nha", "mong sớm nhận tin lại",
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_changes_nothing(line: str) -> None:
    assert not understand(line).intent.startswith("consent.")
