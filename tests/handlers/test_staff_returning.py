"""What `/tra` says agrees with whom broadcasts leave alone because they wait for staff, or talk with them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crm import consent, customers
from crm.staff import Role
from simulator.people import MESSENGER, ZALO
from tests.chat import Chat, chatting
from tests.conftest import Clock
from tests.handlers import pos
from tests.handlers.test_staff_finding import everything
from tests.staff import pair

LEFT_ALONE = "• chờ 1: khách đang chờ hoặc đang nói chuyện với nhân viên"


@pytest.fixture
async def lan(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """A customer who is known and wants the shop's news."""
    async with chatting(chat_url, clock, brand_name="Tiệm Mây") as running:  # type: ignore[arg-type]
        lan = await pos.linked(running.of("lan", ZALO))
        number = await lan.does(lambda session: customers.find(session, pos.LAN).id)
        await lan.does(lambda session: consent.say(session, number, granted=True, at=clock(), channel="zalo"))
        yield lan


async def reached(kim: Chat) -> str:
    """Whom a broadcast would reach now."""
    return (await everything(kim, "/gui 1 xem"))[-1].text


async def test_who_waits_while_the_bot_answers_is_told_to_wait_no_more(lan: Chat) -> None:
    kim = await pair(lan.of("kim"), "Kim", Role.ADMIN)
    await everything(kim, "/gui moi Tết | sdt | Mai nghỉ")
    await lan.presses("kq:support")
    await lan.says("hộp bị móp")
    assert "Lan (Zalo) chờ" in (await kim.says("/ds"))[0] and LEFT_ALONE in await reached(kim)
    assert await kim.says("/tra 1") == ["✓ Nguyễn Thị Lan không còn chờ nhân viên; bot vẫn đang trả lời."]
    assert LEFT_ALONE not in await reached(kim)
    assert await kim.says("/tra 1") == ["✓ Bot vốn đang trả lời Nguyễn Thị Lan; không còn ai phụ trách."]


async def test_who_talks_with_staff_in_another_chat_is_named_with_it(lan: Chat) -> None:
    kim = await pair(lan.of("kim"), "Kim", Role.ADMIN)
    await everything(kim, "/gui moi Tết | sdt | Mai nghỉ")
    other = lan.of("lan", MESSENGER)
    await other.shares_phone()
    await other.says("gặp nhân viên")
    lan.clock.pass_by(minutes=1)
    await lan.says("gặp nhân viên")
    assert (await kim.says("/ds"))[0].startswith("#1 Nguyễn Thị Lan (Messenger)")
    assert await kim.says("/tra 2") == [
        "✓ Bot trả lời Nguyễn Thị Lan lại.\n"
        "Khách còn chờ hoặc đang nói chuyện với nhân viên ở chat khác: #1 (Messenger)"
    ]
    assert LEFT_ALONE in await reached(kim)
    assert await kim.says("/bot on 1") == ["✓ Bot trả lời Nguyễn Thị Lan lại."]
    assert LEFT_ALONE not in await reached(kim)
