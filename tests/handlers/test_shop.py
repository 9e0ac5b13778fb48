"""What the shop says about itself, and what it has not said."""

from __future__ import annotations

from tests.chat import Chat, chatting
from tests.conftest import Clock

ALL = "Giờ mở cửa: 8h–21h mỗi ngày\nĐịa chỉ: 12 Lê Lợi, Quận 1\nĐiện thoại: 02838220000"


async def test_hours_and_address(each: Chat) -> None:
    assert await each.says("mấy giờ shop mở cửa vậy ạ") == [ALL]
    assert await each.says("địa chỉ shop ở đâu") == [ALL]
    assert await each.presses("kq:shop") == [ALL]


async def test_a_shop_that_said_nothing_is_honest(chat_url: str, clock: Clock) -> None:
    async with chatting(chat_url, clock) as chat:
        (answer,) = await chat.says("mấy giờ mở cửa")
        assert answer.startswith("Mình chưa có thông tin giờ mở cửa.")
        (answer,) = await chat.says("shop ở đâu")
        assert answer.startswith("Mình chưa có địa chỉ hay số điện thoại")
        (answer,) = await chat.presses("kq:shop")
        assert answer.startswith("Mình chưa có thông tin liên hệ")
        (answer,) = await chat.says("gặp nhân viên")
        assert "giờ làm việc" not in answer


async def test_the_address_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("where is your store?")
    assert "Address: 12 Lê Lợi, Quận 1" in answer
