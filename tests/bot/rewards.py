"""Offers, vouchers and stamp cards, for the texts that tell of them."""

from __future__ import annotations

from datetime import UTC, datetime

from crm.programme import Reward, StampCard
from crm.rewards import Offer, Why
from crm.stamps import Standing
from crm.voucher_cards import VoucherCard
from storage.vouchers import VoucherRow
from tests.bot.points import GOLD, SILVER

AT = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
REWARD = Reward(code="coffee", vi="Ly cà phê", en="A coffee", points=1250, uses=5)
OFFERS = tuple(
    Offer(REWARD, left, 40 if why is Why.TOO_FEW_POINTS else 0, (SILVER, GOLD), why)
    for why in Why
    for left in (None, 3)
)
VOUCHERS = tuple(
    (
        VoucherRow(
            1, "ABCDEFGHJKMN", 1, "coffee", "Ly cà phê", "A coffee", uses, 0, 0, "k", 1, "spend", 30, "", AT, AT, None,
            0, reserved,
        ),
        VoucherCard(1, "vi", "Ly cà phê", "31/12/2026", uses, "ABCDEFGHJKMN"),
    )
    for uses, reserved in ((1, 0), (1, 1), (5, 2))
)  # fmt: skip
CARD = StampCard(currency="stamp:coffee", vi="Thẻ cà phê", en="Coffee card", stamps=9, reward="coffee")
CARDS = (Standing(CARD, REWARD, 5, 2), Standing(CARD, REWARD, 9, 0))
