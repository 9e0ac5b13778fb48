"""Staff are told of requests about personal data, and deal with them in the chat."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session

from bot.staff import data_requests
from crm import privacy, staff
from crm.privacy import Kind, State
from crm.staff import Role
from storage import customers
from storage import notices as notice_rows
from tests.chat import Chat
from tests.staff import PIN, hired, office, order


async def asks(chat: Chat, words: str) -> int:
    """Somebody asks for it; the number of the request."""
    await chat.says(words)
    if words.startswith("xóa"):
        await chat.says("có")
    return (await chat.does(lambda session: [each.id for each in privacy.open_requests(session)]))[-1]


@pytest.fixture
async def lead(chat: Chat) -> Chat:
    """A shop with a lead who gave their PIN."""
    await chat.does(lambda session: hired(session, "Minh", Role.LEAD, chat))
    await order(chat, "Minh", "/dulieu")
    await order(chat, "Minh", PIN)
    return chat


async def test_a_lead_is_told_of_a_request_once(lead: Chat) -> None:
    number = await asks(lead, "cho xem dữ liệu của tôi")
    for _ in range(2):
        await lead.does(lambda session: data_requests.tell(session, office(lead), lead.clock()))
    told = await lead.does(lambda session: [row.body for row in notice_rows.held(session, _minh(session), 10)])
    assert len(told) == 1 and f"Yêu cầu dữ liệu số {number}" in told[0] and "xem dữ liệu" in told[0]


async def test_a_request_is_listed_answered_and_done(lead: Chat) -> None:
    (none,) = await order(lead, "Minh", "/dulieu")
    assert none == "Không có yêu cầu dữ liệu nào đang chờ."
    number = await asks(lead, "cho xem dữ liệu của tôi")
    (listed,) = await order(lead, "Minh", "/dulieu")
    assert listed.startswith(f"{number}. ") and "trả lời trước" in listed
    assert await order(lead, "Minh", f"/dulieu {number} nhan") == [f"✓ Yêu cầu {number}: đã trả lời khách."]
    assert await order(lead, "Minh", f"/dulieu {number} nhan") == [f"✓ Yêu cầu {number}: không có gì thay đổi."]
    assert await order(lead, "Minh", f"/dulieu {number} xong") == [f"✓ Yêu cầu {number}: đã xong."]
    assert (await order(lead, "Minh", f"/dulieu {number} xong"))[0].startswith("✗ Yêu cầu")


async def test_one_shows_the_customers_words_and_what_to_do_next(lead: Chat) -> None:
    number = await asks(lead, "cho xem dữ liệu của tôi")
    (shown,) = await order(lead, "Minh", f"/dulieu {number}")
    first, said, by, *steps = shown.splitlines()
    assert first.startswith(f"Yêu cầu {number}: [#") and first.endswith("muốn xem dữ liệu")
    assert said.startswith("“cho xem dữ liệu của tôi” · 10:00 thứ Hai 23/11")
    assert by.startswith("Trả lời trước 10:00 thứ Năm 26/11 · xong trước ")
    assert re.match(rf"1\. Báo khách là đã nhận: /r \d+ …, rồi /dulieu {number} nhan$", steps[0])
    assert f"khachquen privacy show {number} --save" in steps[1] and steps[1].endswith(f"rồi /dulieu {number} xong")
    await order(lead, "Minh", f"/dulieu {number} nhan")
    assert "\nTiếp: xuất dữ liệu" in (await order(lead, "Minh", f"/dulieu {number}"))[0]
    await order(lead, "Minh", f"/dulieu {number} xong")
    (over,) = await order(lead, "Minh", f"/dulieu {number}")
    assert over.splitlines()[-1].startswith("Kết quả: đã xong 10:00 thứ Hai 23/11")


async def test_one_to_be_erased_shows_what_was_first_asked(lead: Chat) -> None:
    number = await asks(lead, "xóa dữ liệu của tôi")
    (shown,) = await order(lead, "Minh", f"/dulieu {number}")
    assert "muốn xóa dữ liệu\n“xóa dữ liệu của tôi → có” · " in shown
    assert f"2. /dulieu {number} xong là xóa hẳn (PIN, /ok)\n" in shown


async def test_a_refusal_has_a_reason(lead: Chat) -> None:
    number = await asks(lead, "sửa thông tin")
    assert "Cần ghi lý do" in (await order(lead, "Minh", f"/dulieu {number} tuchoi"))[0]
    await order(lead, "Minh", f"/dulieu {number} từ chối không phải chủ tài khoản")
    request = await lead.does(lambda session: tuple(privacy.find(session, number)))
    assert request[10] == State.REFUSED and request[-1] == "không phải chủ tài khoản"
    assert "Ghi nhan, xong" in (await order(lead, "Minh", f"/dulieu {number} gì đó"))[0]


async def test_erasing_takes_a_second_look_and_really_erases(lead: Chat) -> None:
    number = await asks(lead, "xóa dữ liệu của tôi")
    (preview,) = await order(lead, "Minh", f"/dulieu {number} xong")
    assert "XÓA HẲN" in preview
    assert await lead.does(
        lambda session: privacy.awaits(session, privacy.find(session, number).customer_id, Kind.ERASE)
    )
    code = preview.split("/ok ")[1].split()[0]
    assert await order(lead, "Minh", f"/ok {code}") == [f"✓ Yêu cầu {number}: đã xóa hẳn dữ liệu của khách."]
    assert await lead.does(lambda session: customers.people(session, [lead.contact.user_id])) == {}
    await lead.says("chào shop")
    assert lead.heard, "who writes again is welcome, as somebody new"


def _minh(session: Session) -> int:
    return staff.named(session, "Minh").id
