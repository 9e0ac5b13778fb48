"""Staff at work on each engine: everything that a shift writes, once through the whole product."""

from __future__ import annotations

import asyncio

import pytest

from bot.staff.desk import Desk, Looking
from crm.calls import Ladder
from crm.staff import Role
from tests.chat import chatting
from tests.conftest import Clock
from tests.crm.people import POLICY
from tests.handlers.test_staff_answers import WAITS
from tests.handlers.test_staff_desk import later, on_shift, owner, rung
from tests.staff import PIN, office, order, pair

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""On SQLite the tests of handlers show it."""


async def test_a_shift_is_worked_on_each_engine(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock) as lan:
        minh = await pair(lan.of("minh"), "Minh", Role.ADMIN)
        huong = await pair(lan.of("huong"), "Hương", Role.AGENT)
        await huong.says("/ca")
        await lan.says(WAITS)
        assert (await minh.says("/ca"))[0].startswith("✓ Bạn vào ca")
        assert (await minh.says("/ds"))[0].startswith("#1 Nguyễn Thị Lan")
        await minh.says("/r 1 Nhầm")
        assert (await minh.says("/huy"))[0].startswith("✓ Đã rút lại")
        await minh.says("/vao 1")
        await minh.says("Chào bạn")
        assert await lan.passes(seconds=7) == ["Chào bạn"]
        assert minh.contact.lines[-1].text.startswith("✓ đã gửi Nguyễn Thị Lan #1")
        await minh.says("/giao 1 @Hương")
        await minh.says("/hen 1 30p nữa")
        await lan.passes(minutes=31)
        assert huong.contact.lines[-1].text.startswith("[#1] ⏰ Nguyễn Thị Lan")
        (asked,) = await minh.says("/giu 1")
        assert (await minh.says("/ok " + asked.split("/ok ")[1][:4]))[0].startswith("✓ Bạn phụ trách")
        await minh.says("/diem 1 +50 quà")
        (seen,) = await minh.says(PIN)
        assert (await minh.says("/ok " + seen.split("/ok ")[1][:4]))[0].endswith("đã cộng 50 điểm, còn 50.")
        assert (await minh.says("/dong 1"))[0].startswith("✓ Đã đóng")
        assert await order(lan, "Hương", "/ds") == ["Không có ai."]


@on_postgresql
async def test_who_waits_is_given_told_told_again_and_put_off_on_postgresql(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock) as lan:
        lead = await pair(lan.of("tuan"), "Tuấn", Role.LEAD)
        await lan.says(WAITS)
        ((nobody,),) = await later(lan, lead, seconds=21)
        assert nobody.startswith("⚠ 1 khách đang chờ") and await rung(lan) == {"nobody_on_shift"}
        minh = await on_shift(lan, "Minh")
        ((notice,),) = await later(lan, minh, seconds=1)
        assert "Nguyễn Thị Lan" in notice and await owner(lan) is not None and await rung(lan) == set()
        minh.contact.blocked = True
        for minutes in (3, 1, 1):
            await later(lan, minutes=minutes)
        assert "vẫn" in lead.contact.lines[-1].text or "chưa ai trả lời" in lead.contact.lines[-1].text
        minh.contact.blocked = False
        await minh.says("/ca")
        clock.pass_by(seconds=1)
        await minh.says("/hen 1 30p nữa")
        assert await later(lan, minh, lead, minutes=29) == [[], []]
        ((woken,), _) = await later(lan, minh, lead, minutes=2)
        assert "vì: tới giờ hẹn" in woken
        await minh.says("/nghi")
        await later(lan, seconds=1)
        assert await owner(lan) is None


@on_postgresql
async def test_many_looks_at_once_tell_once(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock) as lan:
        members = [await on_shift(lan, name) for name in ("Minh", "Hoa")]
        people = [lan, *(lan.of(name) for name in ("binh", "chi", "dung"))]
        for each in people:
            await each.says(WAITS)
        clock.pass_by(seconds=21)
        looking = Looking(lan.service.database, Desk(office(lan), POLICY, Ladder()), clock)
        await asyncio.gather(*(looking.look({}) for _ in range(6)))
        await lan.passes(seconds=0)
        told = [[line for line in each.contact.lines if line.text.startswith("[#")] for each in members]
        assert [len(each) for each in told] == [2, 2]
