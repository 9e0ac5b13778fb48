"""What customers hear about their orders, and that nobody hears about another's."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    "words", ["mt 1006", "MT 1006 ạ", "đơn mt 1006", "đơn hàng MT 1006 tới đâu rồi", "#MT 1006", "mt#1006"]
)
async def test_spaces_in_a_code_do_not_matter(chat: Chat, words: str) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, "MT1006")
    (answer,) = await chat.says(words)
    assert answer.startswith("Đơn MT1006: đang giao.")


@pytest.mark.parametrize(
    ("code", "words"),
    [("DH001", "đơn hàng DH 001"), ("DH 001", "dh001"), ("A1", "đơn a1"), ("456", "đh 456"), ("456", "dh 456")],
)
async def test_a_code_is_found_as_people_write_it(chat: Chat, code: str, words: str) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, code)
    (answer,) = await chat.says(words)
    assert answer.startswith(f"Đơn {code}: đang giao.")


@pytest.mark.parametrize("words", ["mua 2 ly", "size M 2", "lấy mình 2 cái size M"])
async def test_a_word_and_a_number_are_not_looked_up(chat: Chat, words: str) -> None:
    (answer,) = await chat.says(words)
    assert "không tìm thấy đơn" not in answer


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
