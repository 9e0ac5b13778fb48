"""What customers hear about their points."""

from __future__ import annotations

from crm.orders import Status
from tests.chat import Chat
from tests.handlers import pos

NO_POINTS = "Bạn chưa có điểm nào. Mua hàng để bắt đầu tích điểm nhé!"


async def test_balance_of_a_new_customer(each: Chat) -> None:
    await each.says("xem điểm")
    assert each.heard == [NO_POINTS]
    assert each.offered == ["Liên kết số ĐT"]


async def test_points_come_with_a_delivered_order(each: Chat) -> None:
    await pos.linked(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED, total=12_500_000)
    assert await each.says("mình có bao nhiêu điểm rồi ạ?") == ["Bạn đang có 1.250 điểm."]
    assert each.offered == []


async def test_an_order_on_its_way_has_earned_nothing(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_order(chat, "DH1", status=Status.SHIPPING)
    assert await chat.says("điểm của tôi") == [NO_POINTS]


async def test_hurried_words_without_accents_are_understood(chat: Chat) -> None:
    assert await chat.says("cho e xem diemmmm vs ak") == [NO_POINTS]


async def test_the_menu_button_shows_points(each: Chat) -> None:
    await each.says("menu")
    assert await each.presses("Điểm của tôi") == [NO_POINTS]


async def test_points_in_english(each: Chat) -> None:
    assert await each.says("how many points do I have?") == [
        "You have no points yet. Buy something to start collecting!"
    ]
    assert each.offered == ["Link phone number"]


async def test_offers_are_left_to_people(chat: Chat) -> None:
    (answer,) = await chat.says("shop có mã giảm giá không ạ")
    assert "chưa tra được ưu đãi" in answer
    assert "Gặp nhân viên" in chat.offered
