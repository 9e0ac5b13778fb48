"""The PIN is asked for last: what would be refused all the same is refused before, and nothing is done without it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import broadcasts, customers, loyalty
from crm.staff import Role
from tests.chat import Chat, chatting
from tests.conftest import Clock
from tests.handlers import pos
from tests.staff import PIN, pair

DRAFT = '/gui moi Tết | tatca | Chào {{ khach.ten or "bạn" }}, mai giảm 20%'


@pytest.fixture
async def kim(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """An admin's chat in a shop with one broadcast, not tested yet, that Mai wrote."""
    async with chatting(chat_url, clock, brand_name="Tiệm Mây") as running:  # type: ignore[arg-type]
        await pos.linked(running)
        await (await pair(running.of("mai"), "Mai", Role.MARKETER)).says(DRAFT)
        kim = await pair(running.of("kim"), "Kim", Role.ADMIN)
        await kim.says(DRAFT)
        yield kim


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/gui 1 hen 20h mai", "Chưa gửi thử: gõ /gui 1 thu trước khi hẹn giờ."),
        ("/gui 1 ngay", "Chưa gửi thử: gõ /gui 1 thu trước khi hẹn giờ."),
        ("/gui 1 hen 23h mai", "Giờ đó không được gửi tin"),
        ("/gui 1 hen", "Gửi lúc nào?"),
        ("/gui 1 tiep", "Tin #1 (bản nháp): chỉ gửi tiếp được tin đang tạm dừng."),
        ("/gui 2 duyet", "Người viết không tự duyệt được. Nhờ một người khác (Mai) gõ: /gui 2 duyet"),
        ("/gui 1 tep", "Tin này chưa chốt danh sách người nhận."),
        ("/diem KH001 -500 nhập nhầm", "Không đủ điểm: cần 500, hiện dùng được 0."),
        ("/diem KH001 +999999 thưởng", "Mỗi lần tối đa 100.000 điểm."),
        ("/duyet 7", "Không có"),
        ("/noi KH001 KH001", "✗"),
        ("/dulieu 7 xong", "Không có yêu cầu"),
        ("/chamsoc birthday bat", "Không có quy tắc “birthday”"),
    ],
)
async def test_what_is_refused_all_the_same_is_refused_before_the_pin_is_asked_for(
    kim: Chat, line: str, why: str
) -> None:
    (told,) = await kim.says(line)
    assert told.startswith("✗ ") and why in told and "PIN" not in told
    assert "PIN" not in (await kim.says("/gui 2 bohen"))[0]


async def test_nothing_is_done_before_the_pin_and_all_of_it_after(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock) as shop:
        await pos.linked(shop)
        kim = await pair(shop.of("kim"), "Kim", Role.ADMIN)

        def frozen(session: Session) -> bool:
            return loyalty.card(session, customers.find(session, pos.LAN).id, clock()).frozen

        (asked,) = await kim.says("/khoadiem KH001 nghi gian lận")
        assert asked.startswith("🔒 /khoadiem cần PIN.") and not await kim.does(frozen)
        await kim.says(PIN)
        assert await kim.does(frozen)


async def test_nobody_is_told_and_nothing_is_looked_at_before_the_pin(kim: Chat) -> None:
    await kim.says("/gui 1 thu")
    (asked,) = await kim.says("/gui 1 ngay")
    assert asked.startswith("🔒 /gui cần PIN.")
    looks = text("SELECT count(*) FROM job WHERE kind = 'staff.estimate'")
    assert await kim.does(lambda session: session.connection().execute(looks).scalar()) == 0
    assert (await kim.does(lambda session: broadcasts.get(session, 1))).scheduled_at is None


async def test_who_has_no_pin_hears_first_what_would_be_refused(kim: Chat) -> None:
    lan = await pair(kim.of("hoa"), "Hoa", Role.LEAD, pin="")
    assert (await lan.says("/gui 1 tiep"))[0].startswith("✗ Tin #1 (bản nháp)")
    assert "PIN" in (await lan.says("/gui 1 huy"))[0]
