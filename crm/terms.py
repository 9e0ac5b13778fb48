"""What customers are told before they agree to messages: what they get, how, in which form, how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from crm.consent import CARE, MARKETING


class Offer(NamedTuple):
    """What one purpose brings, in one language."""

    content: str
    method: str
    form: str
    frequency: str


_METHOD = {"vi": "tin nhắn tại đây", "en": "messages here"}
_FORM = {"vi": "chữ, ảnh và nút bấm", "en": "words, pictures and buttons"}
_FREQUENCY = {"vi": "không quá {} tin mỗi tuần", "en": "no more than {} messages a week"}
_NO_CAP = {"vi": "mỗi khi có tin", "en": "whenever there is news"}
_CONTENT: Mapping[str, Mapping[str, str]] = {
    MARKETING: {"vi": "ưu đãi và hàng mới", "en": "promotions and new products"},
    CARE: {
        "vi": "lời hỏi thăm sau mua, nhắc điểm và chúc sinh nhật",
        "en": "notes after a purchase, about points and on birthdays",
    },
}


def offer(purpose: str, locale: str, per_week: int) -> Offer:
    """What this purpose brings, in Vietnamese or, for every other language, in English; 0 a week: without a cap."""
    language = "vi" if locale == "vi" else "en"
    frequency = _FREQUENCY[language].format(per_week) if per_week else _NO_CAP[language]
    return Offer(_CONTENT[purpose][language], _METHOD[language], _FORM[language], frequency)
