"""The wish to be forgotten."""

from __future__ import annotations

from crm import consent
from tests.chat import Chat


async def open_requests(chat: Chat) -> int:
    return await chat.does(lambda s: len(consent.open_requests(s)))


async def test_a_request_to_erase_is_noted_once_with_its_clock(each: Chat) -> None:
    (answer,) = await each.says("xoá dữ liệu của tôi")
    assert "trả lời trong 2 ngày làm việc" in answer
    assert await open_requests(each) == 1
    (answer,) = await each.says("xóa hết dữ liệu cá nhân của mình đi")
    assert "đã được ghi nhận từ trước" in answer
    assert await open_requests(each) == 1


async def test_what_only_mentions_data_erases_nothing(chat: Chat) -> None:
    await chat.says("đừng xóa dữ liệu của tôi nhé")
    await chat.says("điện thoại bị mất hết dữ liệu thì bảo hành sao")
    assert await open_requests(chat) == 0


async def test_erasure_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("delete my data please")
    assert "within 2 working days" in answer
