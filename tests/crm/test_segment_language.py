"""The language of segments: every tree has a text that is read back as the same, and every refusal has a place."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import segment_words
from crm.segment_clauses import Clause, Span, Wish, printed
from crm.segment_language import SegmentError, read
from storage.segment_tree import All, No, Some
from tests.crm.shops import WISHES

NAMES = st.text(min_size=1, max_size=12).map(lambda text: unicodedata.normalize("NFC", text)).filter(str.strip)


def named(wish: Wish, name: str) -> Wish:
    """A tree with a clause beside it that names something."""
    return All((Some((wish, Clause("tag", "=", name))), No(Clause("truong", "!=", name, key=name))))


@settings(max_examples=50, deadline=None)
@given(WISHES, NAMES)
def test_every_tree_has_a_text_that_is_read_back_as_the_same_tree(wish: Wish, name: str) -> None:
    tree = named(wish, name)
    assert read(printed(tree)) == tree
    assert read(printed(tree, "en")) == tree


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("hang>=vang va mua<90ngay va khong(tag:khieu_nai)", "tier>=vang and bought<90d and not(tag:khieu_nai)"),
        ("chi>=500k trong 3thang hoac don>=2", "spent>=500000 within 3months or orders>=2"),
        ("sinhnhat:homnay+3 va (vip hoac r>=4)", "birthday:today+3 and (vip or r>=4)"),
        ("sinhnhat:thang12 hoac sinhnhat:thangnay", "birthday:month12 or birthday:thismonth"),
        ("nhom:vip_moi@2 va tatca", "segment:vip_moi@2 and all"),
    ],
)
def test_whoever_reads_english_reads_no_vietnamese(text: str, english: str) -> None:
    assert printed(read(text), "en") == english
    assert printed(read(english)) == printed(read(text))


def test_every_word_has_a_name_in_both_languages() -> None:
    for word in segment_words.WORDS:
        for locale in ("vi", "en"):
            assert segment_words.BY_NAME[word.called(locale)] is word


def test_what_ends_too_early_has_a_place_with_a_length() -> None:
    with pytest.raises(SegmentError) as refused:
        read("sinhnhat:")
    assert (refused.value.place, refused.value.length) == (9, 1)


SCRAPS = st.sampled_from(
    ["tag:", "hang>=", "vang", "va", "hoặc", "khong", "(", ")", "mua<90ngay", '"', "“", " ", "trong", "1.5",
     "12/13/2026", "don", ">=", "0", "sinhnhat:", "homnay", "≥", "chi", "5tr5", "truong:", "\\", "²", "٣",
     "𝟝", "!", "lien he"]
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(SCRAPS | st.text(max_size=3), max_size=12).map("".join) | st.text())
def test_any_text_is_understood_or_refused_in_words_with_the_place(text: str) -> None:
    try:
        tree = read(text)
    except SegmentError as error:
        length = len(unicodedata.normalize("NFC", text))
        assert 0 <= error.place <= length and error.length >= 1
        assert error.words("vi") and error.words("en") and str(error.place + 1) in error.words("vi")
    else:
        assert read(printed(tree)) == tree


GOLD = Clause("hang", ">=", "vang")
RECENT = Clause("mua", "<", Span(90, "ngay"))
COMPLAINED = Clause("tag", "=", "khieu_nai")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("hang>=vang va mua<90ngay va khong(tag:khieu_nai)", All((GOLD, RECENT, No(COMPLAINED)))),
        ("hạng ≥ vang và mua < 90 ngày và không nhãn:khieu_nai", All((GOLD, RECENT, No(COMPLAINED)))),
        ("tier => vang AND bought<90d and not tag = khieu_nai", All((GOLD, RECENT, No(COMPLAINED)))),
        ("hang>=vang & mua<90ngay | !tag:khieu_nai", Some((All((GOLD, RECENT)), No(COMPLAINED)))),
        ("(hang>=vang hoặc mua<90ngay) và (tag:khieu_nai)", All((Some((GOLD, RECENT)), COMPLAINED))),
        ("chi >= 1,5tr trong 3 tháng", Clause("chi", ">=", 1_500_000, Span(3, "thang"))),
        ("chi >= 1tr5", Clause("chi", ">=", 1_500_000)),
        ("spent>=500k within 2w", Clause("chi", ">=", 500_000, Span(2, "tuan"))),
        ("chi>=1.200.000đ", Clause("chi", ">=", 1_200_000)),
        ("lần mua", None),
        ("mua dau = 01/12/2026", Clause("muadau", "=", date(2026, 12, 1))),
        ("mua>=2026-12-01", Clause("mua", ">=", date(2026, 12, 1))),
        ("sinh nhật: hôm nay + 3", Clause("sinhnhat", "=", "homnay+3")),
        ("birthday: this month", Clause("sinhnhat", "=", "thangnay")),
        ("sinh_nhat:thang 12 va sdt", All((Clause("sinhnhat", "=", "thang12"), Clause("sdt")))),
        ("tag:“khách sỉ”", Clause("tag", "=", "khách sỉ")),
        ('truong:"loại da"=dầu', Clause("truong", "=", "dầu", key="loại da")),
        ("khong khong vip", No(No(Clause("vip")))),
    ],
)
def test_words_are_understood_as_people_write_them(text: str, tree: Wish | None) -> None:
    if tree is None:
        with pytest.raises(SegmentError):
            read(text)
    else:
        assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("hagn>=vang", 0, "hang"),
        ("hang>=vang va mau<3ngay", 14, "mua"),
        ("hang>=vang tag:x", 11, "“va” hoặc “hoac”"),
        ("(vip va sdt", 0, "chưa được đóng"),
        ("vip)", 3, "Dư dấu"),
        ("vip va", 6, "Thiếu một điều kiện"),
        ("mua<90", 4, "Thiếu đơn vị"),
        ("mua<31/02/2026", 4, "Không có ngày"),
        ("diem>=nhiều", 6, "con số"),
        ("chi>=1,55k", 5, None),
        ("chi>=1,5555k", 5, "không phải số"),
        ("hang", 4, "hang>=vang"),
        ("vip=1", 3, "đứng một mình"),
        ("tag>3", 4, "tag:…"),
        ("diem>3 trong 3ngay", 7, "không đi với"),
        ("sinhnhat:maymua", 9, "homnay"),
        ("(" * 30 + "vip", 21, "lớp ngoặc"),
        (" va ".join(["vip"] * 51), 350, "50 điều kiện"),
    ],
)
def test_a_refusal_names_the_place_and_what_would_do(text: str, place: int, words: str | None) -> None:
    if words is None:
        read(text)
        return
    with pytest.raises(SegmentError) as caught:
        read(text)
    assert caught.value.place == place
    assert words in caught.value.words("vi")


def test_no_two_words_are_spelt_alike_and_none_is_an_operator() -> None:
    spellings = [name for word in segment_words.WORDS for name in (word.name, *word.also)]
    assert len(spellings) == len(set(spellings))
    taken = segment_words.AND | segment_words.OR | segment_words.NOT | segment_words.WITHIN
    assert not taken & set(spellings)
    assert all(name == segment_words.folded(name) for name in spellings)
