"""What customers hear about their orders, and that nobody hears about another's."""

from __future__ import annotations

from crm.orders import Item, Status
from tests.chat import Chat
from tests.handlers import pos


async def test_a_stranger_is_offered_to_link(each: Chat) -> None:
    (answer,) = await each.says("đơn hàng của tôi")
    assert "chưa thấy đơn hàng nào gắn với cuộc trò chuyện này" in answer
    assert each.offered == ["Liên kết số ĐT", "Gặp nhân viên"]


async def test_the_last_three_orders_newest_first(each: Chat) -> None:
    await pos.linked(each)
    for number, status in enumerate((Status.DELIVERED, Status.DELIVERED, Status.SHIPPING, Status.PENDING)):
        await pos.tells_of_order(each, f"DH100{number}", status=status, days_ago=10 - number)
    (answer,) = await each.says("đơn của mình đến đâu rồi")
    assert answer == (
        "3 đơn gần nhất của bạn:\n"
        "• DH1003: chờ xác nhận, 250.000đ, đặt ngày 16/11/2026\n"
        "• DH1002: đang giao, 250.000đ, đặt ngày 15/11/2026\n"
        "• DH1001: đã giao, 250.000đ, đặt ngày 14/11/2026\n"
        "Bạn nhắn mã đơn để xem chi tiết nhé."
    )


async def test_one_order_by_its_code(each: Chat) -> None:
    await pos.linked(each)
    await pos.tells_of_order(each, "DH1024")
    detail = "Đơn DH1024: đang giao.\n• 2 × Áo thun trắng\n• 1 × Nón\nTổng cộng 250.000đ, đặt ngày 23/11/2026."
    assert await each.says("DH1024") == [detail]
    assert await each.says("đơn #dh1024 tới đâu rồi shop ơi") == [detail]


async def test_the_day_of_delivery_is_told(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, "DH1024", status=Status.DELIVERED, items=(Item("Gạo", 1.5, 20_000),))
    (answer,) = await chat.says("kiểm tra đơn DH1024")
    assert answer.startswith("Đơn DH1024: đã giao ngày 23/11/2026.\n• 1.5 × Gạo\n")


async def test_a_foreign_order_is_answered_like_none(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_minh(chat)
    await pos.tells_of_order(chat, "DH7777", owner=pos.MINH)
    (foreign,) = await chat.says("đơn DH7777 đâu rồi")
    (unknown,) = await chat.says("đơn DH8888 đâu rồi")
    assert foreign == unknown.replace("DH8888", "DH7777")
    assert "không tìm thấy đơn DH7777" in foreign


async def test_linked_without_orders(chat: Chat) -> None:
    await pos.linked(chat)
    (answer,) = await chat.presses("kq:orders")
    assert "chưa thấy đơn hàng nào của bạn" in answer
    assert "Liên kết số ĐT" not in chat.offered


async def test_orders_in_english(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, "DH1024")
    (answer,) = await chat.says("Where is my order DH1024?")
    assert answer.startswith("Order DH1024: on its way.")
