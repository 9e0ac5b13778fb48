"""Support requests in a dialog: words, photos before and after, ways out."""

from __future__ import annotations

import pytest

from crm import tickets
from storage import conversations
from storage.tickets import TicketRow
from tests.chat import Chat
from tests.crm.people import POLICY

ASKED = 'Bạn kể giúp mình chuyện gì đã xảy ra nhé, kèm mã đơn nếu có. Gửi ảnh cũng được. Muốn dừng, bạn nhắn "thôi".'


async def the_ticket(chat: Chat, number: int = 1) -> TicketRow:
    return TicketRow(*await chat.does(lambda s: tuple(tickets.find(s, number))))


async def photos(chat: Chat, number: int = 1) -> int:
    return await chat.does(lambda s: len(tickets.photos(s, number)))


async def test_a_request_is_described_and_numbered(each: Chat) -> None:
    assert await each.says("tôi cần hỗ trợ") == [ASKED]
    (answer,) = await each.says("Áo giao bị rách tay, đơn DH1024")
    assert answer.startswith(
        "Mình đã ghi nhận yêu cầu hỗ trợ T1. Nhân viên sẽ xem và trả lời bạn tại đây, hẹn trước 11:00 hôm nay."
    )
    assert (await the_ticket(each)).summary == "tôi cần hỗ trợ\nÁo giao bị rách tay, đơn DH1024"


async def test_who_opened_a_request_waits_for_a_person_even_after_the_menu(each: Chat) -> None:
    await each.presses("kq:support")
    await each.says("hộp bị móp")
    await each.presses("kq:menu")
    (held,) = await each.does(conversations.held)
    assert held.waiting_since == each.clock()


async def test_photos_that_follow_are_attached(each: Chat) -> None:
    await each.presses("kq:support")
    await each.says("hộp bị móp")
    assert await each.sends_photo() == ["Mình đã đính kèm ảnh vào yêu cầu T1."]
    assert await each.sends_photo() == ["Mình đã đính kèm ảnh vào yêu cầu T1."]
    assert await photos(each) == 2


async def test_photos_for_staff_who_hold_the_conversation_are_attached_in_silence(each: Chat) -> None:
    await each.sends_photo()
    await each.presses("kq:support")
    await each.says("hộp bị móp")
    await each.presses("kq:person")
    assert await each.sends_photo() == []
    assert await photos(each) == 2
    each.clock.pass_by(minutes=31)
    assert await each.sends_photo() == []
    assert await photos(each) == 2


async def test_a_photo_after_half_an_hour_is_a_new_matter(chat: Chat) -> None:
    await chat.presses("kq:support")
    await chat.says("hộp bị móp")
    chat.clock.pass_by(minutes=31)
    (answer,) = await chat.sends_photo()
    assert "Mình đã nhận ảnh và lưu lại" in answer
    assert await photos(chat) == 0


async def test_photos_in_the_dialog_come_with_the_request(chat: Chat) -> None:
    await chat.says("khiếu nại")
    assert await chat.sends_photo() == ["Mình đã nhận ảnh. Bạn viết thêm vài dòng về chuyện đã xảy ra nhé."]
    (answer,) = await chat.says("khóa kéo hỏng")
    assert "T1 kèm 1 ảnh" in answer
    assert await photos(chat) == 1


@pytest.mark.parametrize("words", ["hàng bị vỡ", "hang bi vo roi shop oi", "áo giao sai màu", "my cup arrived broken"])
async def test_who_said_what_is_wrong_needs_no_more_words_beside_a_photo(each: Chat, words: str) -> None:
    (question,) = await each.says(words)
    assert "hoặc gửi ảnh" in question or "or send a photo" in question
    (answer,) = await each.sends_photo()
    assert "T1 kèm 1 ảnh" in answer or "T1 with 1 photo" in answer
    assert (await the_ticket(each)).summary == words
    assert await photos(each) == 1
    (answer,) = await each.says("yêu cầu của mình tới đâu rồi")
    assert answer.startswith("Yêu cầu hỗ trợ của bạn:\n• T1")


@pytest.mark.parametrize(
    "word", ["hết rồi", "ok", "xong", "xong rồi ạ", "dạ", "không", "không có ảnh", "vậy thôi", "👍", "done"]
)
async def test_who_has_no_more_to_say_opens_the_request_with_what_was_said(chat: Chat, word: str) -> None:
    await chat.says("hàng bị vỡ")
    (answer,) = await chat.says(word)
    assert answer.startswith("Mình đã ghi nhận yêu cầu hỗ trợ T1.") or answer.startswith("I have noted")
    assert (await the_ticket(chat)).summary == "hàng bị vỡ"


async def test_more_words_are_put_to_the_first(chat: Chat) -> None:
    await chat.says("hàng bị vỡ")
    await chat.says("vỡ 2 cái ly, đơn DH1024")
    assert (await the_ticket(chat)).summary == "hàng bị vỡ\nvỡ 2 cái ly, đơn DH1024"


async def test_small_talk_after_the_trouble_is_asked_for_more_again(chat: Chat) -> None:
    (question,) = await chat.says("hàng bị vỡ")
    assert await chat.sends_sticker() == [question]
    assert await chat.says("shop ơi") == [question]
    assert await chat.says("dc k ạ") == [question]
    (answer,) = await chat.says("xong")
    assert "T1" in answer


async def test_who_takes_back_the_trouble_opens_nothing(chat: Chat) -> None:
    await chat.says("hàng bị vỡ")
    (answer,) = await chat.says("thôi")
    assert "Mình dừng ở đây" in answer
    assert await chat.does(lambda s: len(tickets.waiting(s))) == 0


@pytest.mark.parametrize("words", ["hỗ trợ", "khiếu nại", "mình muốn đổi trả", "hoàn tiền cho mình", "có vấn đề"])
async def test_a_bare_wish_for_help_is_asked_what_happened(chat: Chat, words: str) -> None:
    assert await chat.says(words) == [ASKED]
    assert await chat.sends_photo() == ["Mình đã nhận ảnh. Bạn viết thêm vài dòng về chuyện đã xảy ra nhé."]
    assert await chat.does(lambda s: len(tickets.waiting(s))) == 0


async def test_a_photo_and_a_bare_wish_are_asked_what_happened(chat: Chat) -> None:
    await chat.sends_photo()
    assert await chat.says("gửi yêu cầu hỗ trợ") == [ASKED]
    (answer,) = await chat.says("nắp bị nứt")
    assert "T1 kèm 1 ảnh" in answer


async def test_a_photo_first_then_the_button_then_words(each: Chat) -> None:
    await each.sends_photo()
    assert each.offered == ["Gửi yêu cầu hỗ trợ", "Gặp nhân viên"]
    assert await each.presses("Gửi yêu cầu hỗ trợ") == [ASKED]
    (answer,) = await each.says("ly bị vỡ")
    assert "T1 kèm 1 ảnh" in answer
    assert await photos(each) == 1


async def test_a_photo_first_then_words_that_complain(chat: Chat) -> None:
    await chat.sends_photo()
    assert await chat.sends_photo() == [], "an album is answered once"
    (answer,) = await chat.says("hàng giao bị vỡ hết rồi shop ơi")
    assert "T1 kèm 2 ảnh" in answer
    assert await photos(chat) == 2


async def test_a_photo_whose_caption_complains_opens_a_request(chat: Chat) -> None:
    (answer,) = await chat.sends_photo("hàng giao bị vỡ rồi")
    assert "T1 kèm 1 ảnh" in answer
    assert (await the_ticket(chat)).summary == "hàng giao bị vỡ rồi"


async def test_a_caption_in_the_dialog_is_the_description(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.sends_photo("nắp không khít")
    assert "T1 kèm 1 ảnh" in answer


async def test_a_photo_first_then_another_question(chat: Chat) -> None:
    await chat.sends_photo()
    (answer,) = await chat.says("xem điểm")
    assert "chưa xem được điểm" in answer


async def test_cancel_leaves_the_dialog(each: Chat) -> None:
    await each.says("khiếu nại")
    (answer,) = await each.says("thôi")
    assert "Mình dừng ở đây" in answer
    (answer,) = await each.says("hôm nay trời đẹp")
    assert "chưa hiểu" in answer


async def test_no_leaves_the_dialog_too(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.says("không")
    assert "Mình dừng ở đây" in answer


async def test_another_wish_leaves_the_dialog(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.says("xem điểm")
    assert "chưa xem được điểm" in answer
    (answer,) = await chat.says("hôm nay trời đẹp")
    assert "chưa hiểu" in answer


async def test_what_was_told_outlives_another_wish(each: Chat) -> None:
    """What is wrong was told already; a question in between is answered, and the request is still there."""
    await each.says("khiếu nại hàng bị vỡ")
    points, kept = await each.says("xem điểm")
    assert "chưa xem được điểm" in points
    assert 'nhắn "xong" để gửi' in kept
    _, kept = await each.presses("kq:orders")
    assert 'nhắn "xong" để gửi' in kept
    (answer,) = await each.says("xong")
    assert "yêu cầu hỗ trợ T1" in answer
    assert (await the_ticket(each)).summary == "khiếu nại hàng bị vỡ"


async def test_what_was_told_ends_by_the_word_that_stops(chat: Chat) -> None:
    await chat.says("khiếu nại hàng bị vỡ")
    await chat.says("xem điểm")
    (answer,) = await chat.says("thôi")
    assert "Mình dừng ở đây" in answer
    (answer,) = await chat.says("xong")
    assert "T1" not in answer


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("yêu cầu của tôi sao rồi", "chưa có yêu cầu hỗ trợ nào"),
        ("yc của mình sao r ạ", "chưa có yêu cầu hỗ trợ nào"),
        ("yeu cau cua toi sao roi", "chưa có yêu cầu hỗ trợ nào"),
        ("liên kết tài khoản", "chia sẻ số điện thoại"),
        ("cho em liên kết sđt với ạ", "chia sẻ số điện thoại"),
        ("có khuyến mãi gì không", "chưa tra được ưu đãi"),
        ("shop có km gì ko ạ", "chưa tra được ưu đãi"),
        ("shop đang có khuyến mãi gì không vậy", "chưa tra được ưu đãi"),
        ("co voucher khong shop", "chưa tra được ưu đãi"),
        ("có giảm giá không ạ", "chưa tra được ưu đãi"),
        ("cho mình hỏi giá bao nhiêu", "chưa tư vấn sản phẩm"),
        ("mình muốn đặt hàng", "chưa tư vấn sản phẩm"),
    ],
)
async def test_a_sure_wish_in_the_dialog_is_no_description(chat: Chat, words: str, told: str) -> None:
    await chat.presses("kq:support")
    (answer,) = await chat.says(words)
    assert told in answer
    assert await chat.does(lambda s: tickets.latest(s, 1)) is None


@pytest.mark.parametrize(
    "words",
    [
        "mã giảm giá không dùng được", "khuyến mãi không được áp dụng", "liên kết tài khoản hoài không được",
        "yêu cầu hoàn tiền đơn DH1024", "chuyển khoản rồi mà chưa có hàng", "mất hóa đơn rồi", "DH1024",
        "đặt hàng hôm qua giờ chưa ai gọi",
    ],
)  # fmt: skip
async def test_trouble_with_other_things_is_a_description(chat: Chat, words: str) -> None:
    await chat.presses("kq:support")
    (answer,) = await chat.says(words)
    assert "yêu cầu hỗ trợ T1" in answer


async def test_a_description_that_mentions_other_things_is_a_description(chat: Chat) -> None:
    await chat.says("khiếu nại")
    (answer,) = await chat.says("đơn hàng của mình chưa được cộng điểm như nhân viên nói")
    assert "yêu cầu hỗ trợ T1" in answer


async def test_small_talk_is_no_description(chat: Chat) -> None:
    await chat.says("khiếu nại")
    assert await chat.says("vâng ạ") == [ASKED]
    assert await chat.sends_sticker() == [ASKED]


async def test_a_dialog_ends_after_two_hours(chat: Chat) -> None:
    await chat.says("khiếu nại")
    chat.clock.pass_by(hours=2)
    (answer,) = await chat.says("trời đẹp quá")
    assert "chưa hiểu" in answer


async def test_the_state_of_requests(each: Chat) -> None:
    await each.presses("kq:support")
    await each.says("ly bị vỡ")
    (answer,) = await each.says("yêu cầu của tôi")
    assert answer == "Yêu cầu hỗ trợ của bạn:\n• T1 (23/11/2026): đang xử lý, hẹn trả lời trước 11:00 hôm nay. ly bị vỡ"
    await each.does(lambda s: tickets.close(s, 1, each.clock(), POLICY, "vận chuyển"))
    (answer,) = await each.says("yêu cầu của tôi")
    assert "đã xong" in answer


async def test_a_request_is_found_by_its_number(chat: Chat) -> None:
    await chat.presses("kq:support")
    await chat.says("ly bị vỡ")
    (answer,) = await chat.says("#1")
    assert answer.startswith("Yêu cầu hỗ trợ của bạn:")
    (answer,) = await chat.of("minh").says("#1")
    assert "không tìm thấy đơn 1" in answer


@pytest.mark.parametrize(
    "words", ["yêu cầu #2", "yêu cầu 2", "yêu cầu số 2 sao rồi", "khiếu nại #2", "#2", "ticket #2"]
)
async def test_one_request_is_shown_by_its_number(chat: Chat, words: str) -> None:
    for told in ("ly bị vỡ", "áo bị rách"):
        await chat.presses("kq:support")
        await chat.says(told)
    (answer,) = await chat.says(words)
    assert "• T2" in answer and "áo bị rách" in answer
    assert "T1" not in answer


async def test_an_old_request_is_found_by_its_number_too(chat: Chat) -> None:
    for number in range(7):
        await chat.presses("kq:support")
        await chat.says(f"ly số {number} bị vỡ")
    (answer,) = await chat.says("#1")
    assert "• T1" in answer


@pytest.mark.parametrize("number", [1, 9, 999999999])
async def test_the_number_of_no_request_of_theirs_tells_nothing(each: Chat, number: int) -> None:
    await each.presses("kq:support")
    await each.says("ly bị vỡ")
    minh = each.of("minh")
    (answer,) = await minh.says(f"yêu cầu #{number}")
    assert answer.startswith(f"Mình không tìm thấy yêu cầu T{number} trong các yêu cầu của bạn.")


async def test_nobody_sees_the_requests_of_others(chat: Chat) -> None:
    await chat.presses("kq:support")
    await chat.says("ly bị vỡ")
    (answer,) = await chat.of("minh").says("yêu cầu của tôi")
    assert "chưa có yêu cầu hỗ trợ nào" in answer


async def test_support_in_english(each: Chat) -> None:
    (asked,) = await each.says("I want to make a complaint")
    assert asked.startswith("Please tell me what happened")
    (answer,) = await each.says("The cup arrived broken")
    assert answer.startswith("I have noted your support request T1.")
