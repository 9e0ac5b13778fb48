"""Talking with a person: the bot hands over, is silent, and comes back."""

from __future__ import annotations

import pytest

from tests.chat import Chat


async def test_the_bot_hands_over_and_is_silent(each: Chat) -> None:
    (answer,) = await each.says("cho mình gặp nhân viên")
    assert "Mình đã chuyển cuộc trò chuyện cho nhân viên" in answer
    assert "trong giờ làm việc: 8h–21h mỗi ngày" in answer
    assert "ngay" not in answer.replace("mỗi ngày", "")
    assert await each.says("xem điểm") == []
    assert await each.sends_photo() == []


async def test_the_menu_hands_back(each: Chat) -> None:
    await each.presses("kq:person")
    assert await each.says("menu") == ["Mình giúp được những việc này, bạn chọn nhé:"]
    (answer,) = await each.says("xem điểm")
    assert "chưa xem được điểm" in answer


async def test_a_talk_with_staff_that_mentions_a_menu_goes_on(chat: Chat) -> None:
    await chat.presses("kq:person")
    assert await chat.says("cho mình xin menu món mới và hướng dẫn đặt nha") == []


async def test_a_person_can_be_called_from_a_dialog(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.says("gặp nhân viên")
    assert "Mình đã chuyển" in answer


async def test_orders_are_taken_by_people(chat: Chat) -> None:
    (answer,) = await chat.says("mình muốn đặt hàng")
    assert "chưa tư vấn sản phẩm hay nhận đặt hàng được" in answer
    assert "Gặp nhân viên" in chat.offered
    assert await chat.says("xem điểm") != [], "nobody was called yet"


async def test_cancelling_an_order_is_for_people(chat: Chat) -> None:
    (answer,) = await chat.says("hủy đơn DH1024 giúp mình")
    assert "Mình đã chuyển" in answer


@pytest.mark.parametrize(
    "words",
    [
        "đừng gửi hàng nữa", "đừng gửi đơn này nữa", "dung gui hang nua nha shop", "đừng gửi đơn DH1024 nữa",
        "đừng giao nữa ạ", "thôi đừng ship nữa", "đừng gửi cái áo đó nữa", "please stop sending my order",
    ],
)  # fmt: skip
async def test_stopping_a_delivery_is_for_people(chat: Chat, words: str) -> None:
    (answer,) = await chat.says(words)
    assert answer.startswith(("Mình đã chuyển", "I have passed this chat"))


async def test_a_person_in_english(each: Chat) -> None:
    (answer,) = await each.says("I want to talk to a human")
    assert answer.startswith("I have passed this chat to our staff.")
