"""Points that wait for a second person: who may decide is told, and so is who asked."""

from __future__ import annotations

from crm.staff import Role
from tests.chat import Chat
from tests.crm import programme
from tests.handlers import pos
from tests.staff import PIN, order, pair

LAN = "Nguyễn Thị Lan"


async def shop(chat: Chat) -> tuple[Chat, Chat]:
    """A shop in which more than 500 points take two; two leads, who gave their PINs, and an agent."""
    await chat.does(lambda session: programme.load(session, programme.PLAIN, chat.clock()))
    await pos.linked(chat)
    await pair(chat.of("duc"), "Đức")
    leads = [await pair(chat.of(person), name, Role.LEAD) for person, name in (("minh", "Minh"), ("huong", "Hương"))]
    for lead in leads:
        await lead.says("/duyet")
        await lead.says(PIN)
    return leads[0], leads[1]


async def confirms(lead: Chat, line: str) -> None:
    """Give a command and confirm its preview."""
    (shown,) = await lead.says(line)
    await lead.says("/ok " + shown.split("/ok ")[1][:4])


def told(chat: Chat) -> list[str]:
    """All that the brand ever said to this person."""
    return [line.text for line in chat.contact.lines if line.side != "person"]


async def test_who_may_decide_is_told_and_then_who_asked(each: Chat) -> None:
    minh, huong = await shop(each)
    await confirms(minh, "/diem KH001 +600 bù đơn lỗi")
    await each.passes(seconds=0)
    asked = f"Minh xin cộng 600 điểm cho {LAN}:\n“bù đơn lỗi”\n/duyet 1 để duyệt · /duyet 1 không để từ chối"
    assert told(huong)[-1] == asked
    assert asked not in told(minh) + told(each.of("duc")) + told(each)
    await confirms(huong, "/duyet 1")
    await each.passes(seconds=0)
    assert told(minh)[-1] == f"✓ Hương đã duyệt 1: {LAN} +600 điểm."
    await confirms(minh, "/diem KH001 +700 thêm")
    await huong.says("/duyet 2 không")
    await each.passes(seconds=0)
    assert told(minh)[-1] == f"✗ Hương không duyệt 2: {LAN} +700 điểm."


async def test_those_on_shift_are_asked_before_others(chat: Chat) -> None:
    minh, huong = await shop(chat)
    mai = await pair(chat.of("mai"), "Mai", Role.ADMIN)
    await order(chat, "Mai", "/ca")
    await confirms(minh, "/diem KH001 +600 bù đơn lỗi")
    await chat.passes(seconds=0)
    assert told(mai)[-1].startswith("Minh xin cộng 600 điểm")
    assert not any("xin cộng" in words for words in told(huong))


async def test_who_asks_where_nobody_else_may_decide_is_told_so(chat: Chat) -> None:
    await chat.does(lambda session: programme.load(session, programme.PLAIN, chat.clock()))
    await pos.linked(chat)
    minh = await pair(chat.of("minh"), "Minh", Role.LEAD)
    await minh.says("/duyet")
    await minh.says(PIN)
    (shown,) = await minh.says("/diem KH001 +600 bù đơn lỗi")
    (asked,) = await minh.says("/ok " + shown.split("/ok ")[1][:4])
    assert asked.endswith("/duyet 1. Chưa ai khác có quyền duyệt: chủ cửa hàng cấp quyền cho thêm một người nhé.")
