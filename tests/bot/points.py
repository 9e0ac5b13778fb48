"""Cards, histories and explanations of points, for the texts that tell of them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

from crm.earning import Step, Why
from crm.ledger import Kind
from crm.loyalty import Card, Coming, Told
from crm.member_cards import MemberCard
from crm.programme import Tier
from crm.tiers import Standing

AT = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
MEMBER, SILVER, GOLD = (
    Tier("member", "Thành viên", "Member", 0),
    Tier("silver", "Bạc", "Silver", 2_000_000),
    Tier("gold", "Vàng", "Gold", 5_000_000),
)
NOWHERE = Standing(None, None, 0, 0, None, 0, 0, None)
STANDINGS = (
    NOWHERE,
    Standing(MEMBER, SILVER, 0, 2_000_000, None, 0, 0, None),
    Standing(SILVER, GOLD, 800_000, 4_200_000, AT, 800_000, 1_200_000, AT),
    Standing(GOLD, None, 5_000_000, 0, None, 5_000_000, 0, AT),
)
COMING = (Coming(120, AT), Coming(20, None))
CARDS = [
    *(
        Card(spendable, spendable, 0, 0, waiting, Coming(5, AT) if expiring else None, standing, frozen)
        for spendable, waiting, expiring, standing, frozen in product(
            (0, 1, 1250), ((), COMING), (False, True), STANDINGS, (False, True)
        )
    ),
    Card(-8, 0, 0, 8, (), None, NOWHERE, False),
    Card(10, 0, 10, 0, (), None, NOWHERE, False),
]
NOTHING = Card(0, 0, 0, 0, (), None, NOWHERE, False)
MEMBER_CARDS = [
    MemberCard(1, "vi", name, tier, 0, points, "K7QWM2XHPA")
    for name in ("", "Lan")
    for tier in ("", "Vàng")
    for points in (0, 1250)
]
LINES = (
    *(
        Told(kind, points, AT, "Ly giữ nhiệt", order)
        for kind in Kind
        for points in (-40, 1250)
        for order in ("", "#DH1")
    ),
    Told("adjust", 5, AT, "opening"),
    Told("adjust", 5, AT, ""),
    Told("earn", 10, AT, "sign-up", "", "quà liên kết", "a gift for linking"),
    Told("redeem", -30, AT, "Ly cà phê", reward_vi="Ly cà phê", reward_en="A coffee"),
)
STEPS = tuple(
    Step("rule", "hạng Vàng thêm 50%", "Gold: 50% more", "spend", points, why)
    for why, points in ((why, {Why.FIRED: 40, Why.CAPPED: -10}.get(why, 0)) for why in Why)
)
