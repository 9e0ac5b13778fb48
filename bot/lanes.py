"""The lanes by which messages go out, as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channels.messenger.rules import HUMAN_AGENT, STANDARD, UTILITY
from bot.channels.zalo.rules import TEMPLATE_PHONE, TEMPLATE_USER
from bot.channels.zalobot.rules import BOT
from crm.care_rules import Words

_WORDS: Mapping[str, Words] = {
    STANDARD: Words("Messenger, trong 24 giờ từ lúc khách nhắn", "Messenger, within 24 hours of their last message"),
    HUMAN_AGENT: Words("Messenger, nhân viên gõ", "Messenger, typed by staff"),
    UTILITY: Words("mẫu tin Messenger", "Messenger template"),
    "consultation": Words("Zalo, trong 48 giờ từ lúc khách nhắn", "Zalo, within 48 hours of their last message"),
    "consultation_paid": Words(
        "Zalo, trong 7 ngày từ lúc khách nhắn (có phí)", "Zalo, within 7 days of their last message (paid)"
    ),
    TEMPLATE_USER: Words("mẫu tin Zalo", "Zalo template"),
    TEMPLATE_PHONE: Words("mẫu tin Zalo theo số điện thoại", "Zalo template by phone number"),
    BOT: Words("bot Zalo", "Zalo bot"),
}


def words(lane: str) -> Words:
    """A lane as people read it; nothing where none was taken, and as it is where nobody knows it any more."""
    return _WORDS.get(lane, Words(lane, lane))
