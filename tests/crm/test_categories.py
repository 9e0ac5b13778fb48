"""What a request is about, guessed from real sentences, with and without accents."""

from __future__ import annotations

import pytest

from crm import categories, words
from crm.categories import TABLE, Category

SENTENCES = [
    ("Áo giao bị rách tay, đơn DH1024", Category.DAMAGED),
    ("hàng bị vỡ hết rồi shop ơi", Category.DAMAGED),
    ("nắp bị nứt, chảy nước", Category.DAMAGED),
    ("my cup arrived broken", Category.DAMAGED),
    ("shop giao nhầm màu, mình đặt màu đen", Category.WRONG),
    ("Đơn giao thiếu một phin nhôm.", Category.WRONG),
    ("App báo đã giao nhưng mình chưa nhận được.", Category.DELIVERY),
    ("đặt 5 ngày rồi mà chưa thấy hàng", Category.DELIVERY),
    ("mình muốn đổi size L", Category.EXCHANGE),
    ("cho mình đổi trả cái quần này", Category.EXCHANGE),
    ("hoàn tiền cho mình", Category.MONEY),
    ("mình chuyển khoản rồi mà đơn chưa xác nhận", Category.MONEY),
    ("sao mua rồi mà không được cộng điểm", Category.POINTS),
    ("nhân viên có thái độ khó chịu", Category.SERVICE),
    ("mình có việc cần shop xem giúp", Category.OTHER),
    ("", Category.OTHER),
]


@pytest.mark.parametrize(("said", "about"), SENTENCES)
def test_a_sentence_is_about_this(said: str, about: Category) -> None:
    assert categories.guess(said) == about
    assert categories.guess(words.plain(said).upper()) == about


def test_every_category_has_a_key_of_its_own_and_is_chosen_by_it_or_its_name() -> None:
    assert set(TABLE) == set(Category)
    assert len({about.key for about in TABLE.values()}) == len(TABLE)
    for category, about in TABLE.items():
        assert categories.chosen(about.key) == categories.chosen(category.upper()) == category
    assert categories.chosen("9") is None


def test_no_word_speaks_for_two_categories() -> None:
    said = [word for about in TABLE.values() for word in about.words]
    assert len(said) == len(set(said))
    assert all(word == words.plain(word) for word in said)
