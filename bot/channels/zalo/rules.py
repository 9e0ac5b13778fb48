"""When Zalo lets an OA write to a person, and at what price, with the dates from which each rule holds.

https://docs.zaloplatforms.com/docs/OA/tin-nhan/tin-tu-van/dieu-kien-gui-tin-tu-van
"""

from __future__ import annotations

from datetime import date, timedelta

from bot.channels.zalo.quotas import PURCHASE, REWARD, SUB, TEMPLATE_DAILY, TEMPLATE_PROMOTION
from crm.reach import Lane, Rules

CONSULTATION_PRICE = 55
TEMPLATE_USER = "template_uid"
TEMPLATE_PHONE = "template_phone"

FREE = frozenset({"reply", "welcome_msg", SUB, REWARD})
"""What Zalo charges to no money: replies, greetings, the package's own allowance, redeem codes. An add-on that was
bought counts at its price."""

RULES = Rules(
    lanes=(
        Lane("consultation", within=timedelta(hours=48), since=date(2026, 1, 1)),
        Lane("consultation", within=timedelta(hours=48), since=date(2020, 1, 1), until=date(2026, 1, 1)),
        Lane(
            "consultation_paid",
            within=timedelta(days=7),
            since=date(2020, 1, 1),
            cost=CONSULTATION_PRICE,
            paid_by=frozenset({SUB, REWARD}),
            opened_by=frozenset({PURCHASE}),
        ),
        Lane(TEMPLATE_USER, within=None, since=date(2025, 12, 10), template=True),
        Lane(
            TEMPLATE_PHONE,
            within=None,
            since=date(2026, 1, 1),
            template=True,
            by_phone=True,
            opened_by=frozenset({TEMPLATE_DAILY, TEMPLATE_PROMOTION}),
        ),
    )
)
"""Free for 48 hours (until 2025 only the first eight messages), then up to 7 days what the package or a code pays for,
else 55 đồng; later only templates, each at its own price, by the person's id or by their phone number. Promotion is
what the template's tag allows."""


def charged(lane: str, quota: str) -> int | None:
    """What a message cost, in đồng, by what the answer says it was charged to; None where the expected price holds."""
    if quota in FREE:
        return 0
    is_template = lane in (TEMPLATE_USER, TEMPLATE_PHONE)
    return None if quota or is_template else CONSULTATION_PRICE
