"""First words, the menu, and what is not understood."""

from __future__ import annotations

import pytest

from tests.chat import Chat

READY = "Dạ, bạn cần gì cứ nhắn mình nhé."
THANKED = "Không có gì ạ. Khi cần, bạn cứ nhắn mình nhé!"
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


@pytest.mark.parametrize("words", ["tạm biệt", "tạm biệt shop nha", "bye shop", "hẹn gặp lại ạ", "chúc ngủ ngon"])
async def test_a_goodbye_is_answered_with_one(chat: Chat, words: str) -> None:
    (answer,) = await chat.says(words)
    assert answer.startswith("Tạm biệt bạn")


@pytest.mark.parametrize(
    "words", ["shop ơi", "cho mình hỏi", "cho e hỏi xíu ạ", "shop oi cho hoi", "mình muốn hỏi chút"]
)
async def test_who_calls_is_invited_to_ask(each: Chat, words: str) -> None:
    (answer,) = await each.says(words)
    assert "Bạn cần gì nào?" in answer


NODS = ["ok", "👍", "❤️", "ừ", "dạ", "vâng ạ", "Ok shop", "👌👌", "oke"]


@pytest.mark.parametrize("word", NODS)
async def test_a_nod_after_the_bots_last_word_needs_no_answer(each: Chat, word: str) -> None:
    await each.says("cảm ơn shop")
    assert await each.says(word) == []
    assert await each.says("👍") == [], "nor does another"


@pytest.mark.parametrize("word", NODS)
async def test_a_nod_to_nothing_is_answered_shortly(chat: Chat, word: str) -> None:
    (answer,) = await chat.says(word)
    assert answer in (READY, THANKED)
    await chat.says("cảm ơn shop")
    chat.clock.pass_by(hours=1, minutes=1)
    (answer,) = await chat.says(word)
    assert answer in (READY, THANKED)


async def test_a_nod_to_an_offer_is_asked_what_is_wanted(chat: Chat) -> None:
    await chat.says("mình muốn đặt hàng")
    assert await chat.says("ok") == [READY]
    assert chat.offered == ["Menu", "Gặp nhân viên"]


async def test_a_nod_after_staff_is_answered_shortly(chat: Chat) -> None:
    await chat.says("chào shop")
    await chat.presses("kq:person")
    chat.clock.pass_by(hours=13)
    assert await chat.says("dạ") == [READY]


async def test_nods_are_no_misses(chat: Chat) -> None:
    for word in ("ok", "👍", "dạ", "❤️"):
        await chat.says(word)
    (answer,) = await chat.says("blablabla")
    assert "chưa hiểu ý bạn" in answer, "the first miss"


async def test_a_nod_keeps_the_photo_that_was_just_sent(chat: Chat) -> None:
    await chat.sends_photo()
    await chat.says("ok")
    await chat.presses("kq:support")
    (answer,) = await chat.says("ly bị vỡ")
    assert "T1 kèm 1 ảnh" in answer


@pytest.mark.parametrize("word", ["xong", "xong rồi ạ", "gửi xong rồi", "hết rồi", "done"])
async def test_who_is_done_sending_photos_is_not_told_that_it_was_nothing(chat: Chat, word: str) -> None:
    await chat.sends_photo()
    assert await chat.says(word) == []
    await chat.presses("kq:support")
    (answer,) = await chat.says("ly bị vỡ")
    assert "T1 kèm 1 ảnh" in answer, "the photo is still there"


async def test_thanks_keep_the_photo_that_was_just_sent(chat: Chat) -> None:
    await chat.sends_photo()
    assert await chat.says("cảm ơn shop") == [THANKED]
    await chat.presses("kq:support")
    (answer,) = await chat.says("ly bị vỡ")
    assert "T1 kèm 1 ảnh" in answer


async def test_who_asks_for_a_language_gets_it(each: Chat) -> None:
    (answer,) = await each.says("english please")
    assert answer == "Sure, I will write in English. What can I do for you?"
    assert "My points" in each.offered
    (answer,) = await each.says("menu")
    assert answer == "This is what I can do. Please choose:"
    (answer,) = await each.says("Vietnamese please")
    assert answer == "Dạ, mình sẽ trả lời bằng tiếng Việt. Bạn cần gì nào?"
    (answer,) = await each.says("menu")
    assert answer.startswith("Mình giúp được những việc này")


async def test_what_asks_whether_it_may_be_is_no_refusal(chat: Chat) -> None:
    await is_offered_a_person(chat)
    (answer,) = await chat.says("dc k ạ")
    assert "Mình dừng ở đây" not in answer


async def test_the_second_miss_in_a_row_offers_a_person(each: Chat) -> None:
    (answer,) = await each.says("blablabla")
    assert "chưa hiểu ý bạn" in answer
    assert each.offered == MENU
    (answer,) = await each.says("hôm qua trăng tròn")
    assert "vẫn chưa hiểu" in answer
    assert each.offered == ["Gặp nhân viên", "Menu"]


async def is_offered_a_person(chat: Chat) -> None:
    await chat.says("blablabla")
    (offer,) = await chat.says("hôm qua trăng tròn")
    assert offer == "Xin lỗi, mình vẫn chưa hiểu nên đã báo nhân viên. Bạn muốn gặp nhân viên không?"


YES = [
    "có", "vâng", "ok", "dạ có ạ", "co", "uk", "ừ", "uh", "ờ", "oke shop", "đc", "muốn", "dạ muốn ạ", "gặp đi",
    "có, cho mình gặp với", "ok gặp", "có shop ơi", "vâng ạ", "cũng được", "yes",
]  # fmt: skip


@pytest.mark.parametrize("word", YES)
async def test_yes_to_the_offer_of_a_person_calls_one(chat: Chat, word: str) -> None:
    await is_offered_a_person(chat)
    (answer,) = await chat.says(word)
    assert answer.startswith("Mình đã chuyển cuộc trò chuyện cho nhân viên")
    assert await chat.says("xem điểm") == []


@pytest.mark.parametrize(
    "word", ["không", "ko", "k ạ", "thôi", "khỏi", "ko cần đâu", "không đâu", "hông", "không gặp", "chưa", "no"]
)
async def test_no_to_the_offer_of_a_person_leaves_it_there(chat: Chat, word: str) -> None:
    await is_offered_a_person(chat)
    (answer,) = await chat.says(word)
    assert answer.startswith("Mình dừng ở đây")
    assert await chat.says("xem điểm") != [], "nobody was called"


async def test_who_answers_the_offer_with_another_wish_gets_that(each: Chat) -> None:
    await is_offered_a_person(each)
    (answer,) = await each.says("mấy giờ mở cửa")
    assert "8h–21h" in answer
    (answer,) = await each.says("blablabla")
    assert "chưa hiểu ý bạn" in answer, "the row of misses is over"


async def test_the_offer_is_made_again_as_long_as_nothing_is_understood(chat: Chat) -> None:
    await is_offered_a_person(chat)
    for _ in range(3):
        (answer,) = await chat.says("trời đẹp quá")
        assert "vẫn chưa hiểu" in answer
    (answer,) = await chat.says("ừ")
    assert "Mình đã chuyển" in answer


async def test_a_photo_is_no_answer_to_the_offer(chat: Chat) -> None:
    await is_offered_a_person(chat)
    (answer,) = await chat.sends_photo()
    assert "Mình đã nhận ảnh" in answer


async def test_a_yes_after_two_hours_answers_nothing(chat: Chat) -> None:
    await is_offered_a_person(chat)
    chat.clock.pass_by(hours=2)
    assert await chat.says("có") == [READY]
    assert await chat.says("xem điểm") != [], "nobody was called"


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
    assert answer.startswith("This chat is not linked yet")
    (answer,) = await each.says("xem điểm")
    assert answer.startswith("Cuộc trò chuyện này chưa được liên kết")


@pytest.mark.parametrize("word", ["ok thank you nha", "Good morning shop", "yes", "no", "bye", "nice", "see you"])
async def test_small_talk_in_english_does_not_change_the_language(chat: Chat, word: str) -> None:
    await chat.says("chào shop")
    await chat.says(word)
    (answer,) = await chat.presses("kq:points")
    assert answer.startswith("Cuộc trò chuyện này chưa được liên kết")


async def test_an_english_speaker_who_thanks_stays_with_english(chat: Chat) -> None:
    await chat.says("where is my order?")
    (answer,) = await chat.says("ok thank you")
    assert answer == "You are welcome! Write to me whenever you need something."


async def test_english_that_is_not_understood_is_answered_in_english(chat: Chat) -> None:
    (answer,) = await chat.says("what is the meaning of life")
    assert answer.startswith("Sorry, I did not understand.")
