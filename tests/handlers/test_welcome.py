"""First words, the menu, and what is not understood."""

from __future__ import annotations

from tests.chat import Chat

MENU = ["Điểm của tôi", "Đơn hàng", "Hỗ trợ", "Gặp nhân viên", "Giờ & địa chỉ"]


async def test_a_follower_is_welcomed(each: Chat) -> None:
    (answer,) = await each.follows()
    assert "trợ lý tự động của Tiệm Mây" in answer
    assert each.offered == MENU


async def test_a_greeting_is_answered_with_the_menu(each: Chat) -> None:
    (answer,) = await each.says("alo shop ơi")
    assert answer.startswith("Chào ")
    assert each.offered == MENU


async def test_the_menu(each: Chat) -> None:
    assert await each.says("menu") == ["Mình giúp được những việc này, bạn chọn nhé:"]
    assert each.offered == MENU


async def test_thanks(chat: Chat) -> None:
    assert await chat.says("cảm ơn shop nhiều nha") == ["Không có gì ạ. Khi cần, bạn cứ nhắn mình nhé!"]


async def test_the_second_miss_in_a_row_offers_a_person(each: Chat) -> None:
    (answer,) = await each.says("blablabla")
    assert "chưa hiểu ý bạn" in answer
    assert each.offered == MENU
    (answer,) = await each.says("hôm qua trăng tròn")
    assert "vẫn chưa hiểu" in answer
    assert each.offered == ["Gặp nhân viên", "Menu"]


async def test_understanding_ends_the_row_of_misses(chat: Chat) -> None:
    await chat.says("blablabla")
    await chat.says("xem điểm")
    (answer,) = await chat.says("blablabla")
    assert "chưa hiểu ý bạn" in answer


async def test_a_forged_payload_is_not_understood(each: Chat) -> None:
    (answer,) = await each.presses("kq:no-such-thing")
    assert "chưa hiểu ý bạn" in answer


async def test_an_english_speaker_is_answered_in_english_until_they_change(each: Chat) -> None:
    (answer,) = await each.says("What can you do?")
    assert answer == "This is what I can do. Please choose:"
    (answer,) = await each.presses("My points")
    assert answer.startswith("You have no points yet")
    (answer,) = await each.says("xem điểm")
    assert answer.startswith("Bạn chưa có điểm")


async def test_english_that_is_not_understood_is_answered_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("what is the meaning of life")
    assert answer.startswith("Sorry, I did not understand.")
