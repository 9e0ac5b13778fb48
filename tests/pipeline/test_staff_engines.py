"""Staff at work on each engine: everything that a shift writes, once through the whole product."""

from __future__ import annotations

from crm.staff import Role
from tests.chat import chatting
from tests.conftest import Clock
from tests.handlers.test_staff_answers import WAITS
from tests.staff import PIN, order, pair


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
