"""What support requests are about, guessed from their words and corrected by one key: a table and a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crm.words import plain


class Category(StrEnum):
    """What a ticket is about."""

    DAMAGED = "damaged"
    WRONG = "wrong"
    DELIVERY = "delivery"
    EXCHANGE = "exchange"
    MONEY = "money"
    POINTS = "points"
    SERVICE = "service"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class About:
    """How a category is called, by which key it is chosen, and by which words it is known, without accents."""

    key: str
    vi: str
    en: str
    words: tuple[str, ...] = ()


TABLE: Mapping[Category, About] = {
    Category.DAMAGED: About(
        "1", "hàng hỏng, lỗi", "damaged or faulty",
        ("hong", "hu", "vo", "be", "rach", "mop", "nut", "tray", "bi loi", "loi", "meo", "dom", "het han", "moc",
         "o vang", "khong len", "chay nuoc", "xi", "dut", "broken", "damaged", "faulty", "defect", "torn",
         "expired", "leaking"),
    ),
    Category.WRONG: About(
        "2", "giao sai, thiếu", "wrong or missing item",
        ("giao nham", "giao sai", "nham", "sai mau", "sai size", "sai mau ma", "sai hang", "giao thieu", "thieu",
         "khong dung", "wrong", "missing"),
    ),
    Category.DELIVERY: About(
        "3", "giao hàng", "delivery",
        ("chua nhan", "chua giao", "chua thay", "chua toi", "giao tre", "giao cham", "giao lau", "lau qua", "shipper",
         "ship", "van chuyen", "giao hang", "bao da giao", "not arrived", "late", "delivery", "shipping", "courier"),
    ),
    Category.EXCHANGE: About(
        "4", "đổi, trả hàng", "exchange or return",
        ("doi tra", "tra hang", "tra lai", "doi hang", "doi size", "doi mau", "hoan hang", "doi cai", "khong vua",
         "chat qua", "rong qua", "bao hanh", "exchange", "return", "warranty"),
    ),
    Category.MONEY: About(
        "5", "tiền, hoàn tiền", "payment or refund",
        ("hoan tien", "tra tien", "tra lai tien", "chuyen khoan", "thanh toan", "tru tien", "tinh sai tien", "hoa don",
         "tinh tien", "refund", "payment", "charged", "invoice", "money back"),
    ),
    Category.POINTS: About(
        "6", "điểm, ưu đãi", "points or offers",
        ("diem", "tich diem", "voucher", "ma giam gia", "khuyen mai", "uu dai", "hang thanh vien", "points", "coupon"),
    ),
    Category.SERVICE: About(
        "7", "thái độ phục vụ", "service",
        ("thai do", "phuc vu", "nhan vien", "goi khong nghe", "khong tra loi", "lua dao", "that vong", "rude", "staff",
         "service"),
    ),
    Category.OTHER: About("8", "khác", "something else"),
}  # fmt: skip

_BY_KEY = {about.key: category for category, about in TABLE.items()}
_LOOKED_AT = 500


def guess(text: str) -> Category:
    """The category that most of the words speak for, longer phrases more; OTHER where none does.

    Of two that are even the one that stands first in the text is meant.
    """
    line = f" {' '.join(_words(text))} "
    found = []
    for category, about in TABLE.items():
        said = [words for words in about.words if f" {words} " in line]
        whole = [words for words in said if not any(words != other and f" {words} " in f" {other} " for other in said)]
        if whole:
            weight = sum(len(words.split()) for words in whole)
            found.append((-weight, min(line.index(f" {words} ") for words in whole), category))
    return min(found)[2] if found else Category.OTHER


def chosen(key: str) -> Category | None:
    """The category of a key ("1" to "8") or of its name."""
    word = key.strip().lower()
    if word in _BY_KEY:
        return _BY_KEY[word]
    return Category(word) if word in set(Category) else None


def _words(text: str) -> list[str]:
    letters = "".join(letter if letter.isalnum() else " " for letter in plain(text[:_LOOKED_AT]))
    return letters.split()
