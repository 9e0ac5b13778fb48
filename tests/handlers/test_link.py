"""Linking a chat with a customer of the shop: a shared number or a printed code, and nothing given away."""

from __future__ import annotations

import pytest

from bot.understanding import understand
from crm import customers, tickets
from crm.orders import Status
from tests.chat import Chat
from tests.handlers import pos


async def a_code(chat: Chat, digits: int) -> str:
    """A printed code of Lan's; with three digits it looks like an order's, with one it has some, else none."""
    while True:
        code = await pos.prints_code(chat)
        has = sum(map(str.isdigit, code))
        if bool(has) == bool(digits) and understand(code).is_code_alone == (digits >= 3):
            return code


async def test_a_shared_number_links(each: Chat) -> None:
    await pos.tells_of_lan(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED)
    (question,) = await each.says("liên kết số điện thoại")
    assert "bấm nút chia sẻ số điện thoại" in question
    assert await each.shares_phone() == ["Mình đã liên kết tài khoản của bạn.\nBạn đang có 25 điểm."]
    assert each.offered == ["Điểm của tôi", "Đơn hàng"]
    (answer,) = await each.says("xem điểm")
    assert answer == "Bạn đang có 25 điểm."


async def test_a_shared_number_links_while_staff_hold_the_conversation(each: Chat) -> None:
    await pos.tells_of_lan(each)
    await each.presses("kq:person")
    assert await each.shares_phone() == ["Mình đã liên kết tài khoản của bạn."]
    assert await each.says("xem điểm") == [], "staff hold it still"


async def test_both_channels_become_one_customer(chat: Chat) -> None:
    await pos.linked(chat)
    messenger = chat.of("lan", "messenger")
    await messenger.shares_phone()
    await pos.tells_of_order(chat, "DH1", status=Status.DELIVERED)
    assert await messenger.says("xem điểm") == ["Bạn đang có 25 điểm."]


async def test_sharing_again_says_so(each: Chat) -> None:
    await pos.linked(each)
    each.clock.pass_by(minutes=1)
    (answer,) = await each.shares_phone()
    assert answer.startswith("Tài khoản của bạn đã được liên kết từ trước.")


async def test_an_unknown_number_gives_nothing_away_and_links_later(each: Chat) -> None:
    (answer,) = await each.shares_phone()
    assert "Khi xác nhận được với cửa hàng, mình sẽ liên kết cho bạn" in answer
    await pos.tells_of_lan(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED)
    assert await each.says("xem điểm") == ["Bạn đang có 25 điểm."]


async def test_a_second_number_that_the_shop_does_not_know_is_not_promised_anything(each: Chat) -> None:
    await pos.tells_of_lan(each, phone="0901234599")
    code = await pos.prints_code(each)
    await each.says("nhập mã")
    await each.says(code)
    (answer,) = await each.shares_phone()
    assert answer.startswith("Tài khoản của bạn đã được liên kết từ trước, nhưng chưa có số này.")
    assert each.offered == ["Gặp nhân viên"]


async def test_a_printed_code_links(each: Chat) -> None:
    await pos.tells_of_lan(each)
    code = await pos.prints_code(each)
    await each.says("nhập mã")
    (answer,) = await each.says(f"{code[:4]} {code[4:].lower()}")
    assert answer == "Mình đã liên kết tài khoản của bạn."


@pytest.mark.parametrize(
    "words",
    [
        "mã của mình là {}", "ma cua minh la {} nha shop", "đây nè shop: {}.", "mã ở dưới bill ghi {} đó ạ",
        "{} nha", "mã in trên hóa đơn là {}", "code: {}", "mã của em đây\n{}", "mình có mã {}", "mã liên kết {}",
    ],
)  # fmt: skip
async def test_a_code_is_found_among_other_words(chat: Chat, words: str) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    await chat.says("nhập mã")
    (answer,) = await chat.says(words.format(code))
    assert answer == "Mình đã liên kết tài khoản của bạn."


async def test_a_code_in_two_halves_is_found_among_other_words(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = next(code for code in [await pos.prints_code(chat) for _ in range(9)] if any(map(str.isdigit, code)))
    await chat.says("nhập mã")
    (answer,) = await chat.says(f"mã là {code[:4].lower()}-{code[4:].lower()} ạ")
    assert answer == "Mình đã liên kết tài khoản của bạn."


async def test_a_code_under_a_photo_links(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    await chat.says("nhập mã")
    (answer,) = await chat.sends_photo(f"mã đây ạ {code}")
    assert answer == "Mình đã liên kết tài khoản của bạn."


@pytest.mark.parametrize(
    "words",
    ["hàng bị vỡ", "hang bi vo", "bao giờ có", "bao gio co hang", "tôi không có mã", "xem đơn", "chờ chút", "để tìm"],
)
async def test_words_are_no_guesses_at_a_code(chat: Chat, words: str) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    for _ in range(customers.GUESSES + 1):
        await chat.says("nhập mã")
        (answer,) = await chat.says(words)
        assert "không đúng" not in answer
    await chat.says("nhập mã")
    assert await chat.says(code) == ["Mình đã liên kết tài khoản của bạn."]


@pytest.mark.parametrize("words", ["hàng bị vỡ", "hang bi vo", "hàng vỡ rồi, bị vỡ hết"])
async def test_who_tells_of_trouble_instead_of_a_code_is_asked_about_that(chat: Chat, words: str) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.says(words)
    assert "chuyện gì đã xảy ra" in answer


@pytest.mark.parametrize(
    "words",
    [
        "tôi không có mã", "ko có mã ạ", "khong co ma", "mình mất hóa đơn rồi", "không thấy mã đâu", "mã ở đâu vậy",
        "lấy mã ở đâu ạ", "mã nào vậy ta", "ma gi vay shop", "i have no code",
    ],
)  # fmt: skip
async def test_who_has_no_code_hears_the_other_ways(chat: Chat, words: str) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.says(words)
    assert answer.startswith(("Không có mã cũng được", "You can do without a code"))
    assert "gặp nhân viên" in answer or "talk to a person" in answer


async def test_what_is_not_understood_is_asked_about_once_and_ends_the_dialog_then(chat: Chat) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.says("ủa sao kỳ vậy ta")
    assert answer.startswith("Mã gồm 8 chữ và số")
    assert "gặp nhân viên" in answer
    (answer,) = await chat.says("trời đất ơi")
    assert "chưa hiểu ý bạn" in answer
    (answer,) = await chat.says("ok bạn")
    assert "Mã gồm 8" not in answer


async def test_a_person_can_be_called_where_a_code_was_asked_for(each: Chat) -> None:
    await each.says("nhập mã")
    await each.says("ủa sao kỳ vậy ta")
    (answer,) = await each.says("gặp nhân viên")
    assert "Mình đã chuyển" in answer


async def test_a_photo_of_the_receipt_is_answered_once_and_a_code_still_awaited(each: Chat) -> None:
    await pos.tells_of_lan(each)
    code = await pos.prints_code(each)
    await each.presses("kq:link")
    (answer,) = await each.sends_photo()
    assert answer.startswith("Mình đã nhận ảnh, nhưng chưa tự đọc được mã trong ảnh.")
    assert "gặp nhân viên" in answer
    assert await each.sends_photo() == [], "an album is answered once"
    assert await each.says(code) == ["Mình đã liên kết tài khoản của bạn."]


async def test_photos_sent_instead_of_a_code_belong_to_the_trouble_told_of_then(chat: Chat) -> None:
    await chat.says("nhập mã")
    await chat.sends_photo()
    await chat.sends_photo()
    (answer,) = await chat.says("hàng bị vỡ")
    assert "T1 kèm 2 ảnh" in answer
    assert await chat.does(lambda s: len(tickets.photos(s, 1))) == 2


async def test_a_photo_with_a_complaint_instead_of_a_code_opens_a_request(chat: Chat) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.sends_photo("hàng giao bị vỡ rồi")
    assert "T1 kèm 1 ảnh" in answer


@pytest.mark.parametrize("words", ["{}", "{} ạ", "mã của mình là {}", "mình có mã {}", "nhập mã {}", "shop ơi {}"])
async def test_a_code_that_nobody_asked_for_links(chat: Chat, words: str) -> None:
    await pos.tells_of_lan(chat)
    code = await a_code(chat, digits=1)
    assert await chat.says(words.format(code)) == ["Mình đã liên kết tài khoản của bạn."]


@pytest.mark.parametrize("digits", [0, 3])
async def test_a_lone_code_links_whatever_it_looks_like(each: Chat, digits: int) -> None:
    await pos.tells_of_lan(each)
    code = await a_code(each, digits)
    assert await each.says(code.lower()) == ["Mình đã liên kết tài khoản của bạn."]


async def test_a_code_in_two_halves_links_unasked(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = await a_code(chat, digits=1)
    assert await chat.says(f"{code[:4]} {code[4:]}") == ["Mình đã liên kết tài khoản của bạn."]


@pytest.mark.parametrize("digits", [1, 3])
async def test_a_used_code_is_wrong_unasked_too_and_may_be_typed_anew(chat: Chat, digits: int) -> None:
    await pos.tells_of_lan(chat)
    code = await a_code(chat, digits)
    await chat.says(code)
    minh = chat.of("minh")
    (answer,) = await minh.says(code)
    assert answer.startswith("Mã này không đúng hoặc đã hết hạn.")
    assert await minh.says(await a_code(chat, digits)) == ["Mình đã liên kết tài khoản của bạn."]


async def test_guesses_that_nobody_asked_for_are_counted_alike(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    used = await a_code(chat, digits=1)
    await chat.says(used)
    minh = chat.of("minh")
    for _ in range(customers.GUESSES):
        (answer,) = await minh.says(used)
        assert answer.startswith("Mã này không đúng")
        await minh.says("thôi")
    (answer,) = await minh.says(await a_code(chat, digits=1))
    assert answer.startswith("Mình chưa liên kết được")


async def test_an_order_of_the_asker_wins_over_a_code(chat: Chat) -> None:
    await pos.linked(chat)
    code = await a_code(chat, digits=3)
    await pos.tells_of_order(chat, code)
    (answer,) = await chat.says(code)
    assert answer.startswith(f"Đơn {code}: đang giao")


async def test_a_question_about_an_order_is_no_guess_at_a_code(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    used = await a_code(chat, digits=3)
    await chat.of("minh").says(used)
    for _ in range(customers.GUESSES + 1):
        (answer,) = await chat.says(f"đơn {used} tới đâu rồi")
        assert f"không tìm thấy đơn {used}" in answer
    assert await chat.says(await a_code(chat, digits=1)) == ["Mình đã liên kết tài khoản của bạn."]


async def test_who_is_linked_hears_that_a_code_is_used_up(chat: Chat) -> None:
    await pos.linked(chat)
    code = await a_code(chat, digits=1)
    await chat.of("minh").says(code)
    (answer,) = await chat.says(code)
    assert answer.startswith("Mã này không đúng hoặc đã hết hạn.")


async def test_who_is_linked_hears_that_there_is_no_such_order(chat: Chat) -> None:
    await pos.linked(chat)
    await pos.tells_of_minh(chat)
    code = await a_code(chat, digits=3)
    minh = chat.of("minh")
    await minh.says(code)
    (answer,) = await chat.says(code)
    assert f"không tìm thấy đơn {code}" in answer


@pytest.mark.parametrize("words", ["huỷ liên kết", "hủy liên kết tài khoản giúp mình", "unlink my account"])
async def test_ending_a_link_is_for_people(each: Chat, words: str) -> None:
    await pos.linked(each)
    (answer,) = await each.says(words)
    assert "nhân viên" in answer or "our staff" in answer
    assert "Gặp nhân viên" in each.offered or "Talk to a person" in each.offered
    assert "chia sẻ số điện thoại" not in answer


async def test_who_is_not_linked_has_no_link_to_end(chat: Chat) -> None:
    (answer,) = await chat.says("huỷ liên kết")
    assert answer.startswith("Cuộc trò chuyện này chưa được liên kết")


async def test_a_mistyped_code_is_a_wrong_one(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    slip = code[:-1] + ("2" if code[-1] != "2" else "3")
    await chat.says("nhập mã")
    (answer,) = await chat.says(slip)
    assert answer.startswith("Mã này không đúng")
    assert await chat.says(code) == ["Mình đã liên kết tài khoản của bạn."]


async def test_a_used_code_is_like_a_wrong_one(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    await chat.says("nhập mã")
    await chat.says(code)
    minh = chat.of("minh")
    await minh.says("nhập mã")
    (used,) = await minh.says(code)
    (wrong,) = await minh.says("ABCD2345")
    assert used == wrong
    assert used.startswith("Mã này không đúng hoặc đã hết hạn.")


async def test_guessing_ends_with_staff(chat: Chat) -> None:
    await chat.says("nhập mã")
    for _ in range(5):
        assert (await chat.says("ABCD2345"))[0].startswith("Mã này không đúng")
    (answer,) = await chat.says("ABCD2345")
    assert answer.startswith("Mình chưa liên kết được")


@pytest.mark.parametrize(
    "words", ["0901234501", "090 123 4501", "sđt mình là 0901234501", "sdt 0901234501 nha", "số của em +84901234501 ạ"]
)
async def test_a_typed_number_is_not_taken(chat: Chat, words: str) -> None:
    await pos.tells_of_lan(chat)
    await chat.presses("kq:link")
    (answer,) = await chat.says(words)
    assert answer.startswith("Để bảo vệ bạn, mình chỉ nhận số điện thoại qua nút chia sẻ")
    (answer,) = await chat.says("xem điểm")
    assert "chưa xem được điểm" in answer


@pytest.mark.parametrize("number", ["0901234501", "+84901234501"])
async def test_a_number_typed_into_the_address_form_is_not_taken(chat: Chat, number: str) -> None:
    await pos.tells_of_lan(chat)
    await pos.tells_of_order(chat, "DH1", status=Status.DELIVERED)
    thief = chat.of("minh", "messenger")
    (answer,) = await thief.fills_address_form(number)
    assert answer.startswith("Để bảo vệ bạn, mình chỉ nhận số điện thoại qua nút chia sẻ")
    (answer,) = await thief.says("xem điểm")
    assert "chưa xem được điểm" in answer
    (answer,) = await thief.says("đơn hàng của tôi")
    assert "DH1" not in answer


async def test_a_number_typed_into_the_address_form_does_not_link_later_either(chat: Chat) -> None:
    thief = chat.of("minh", "messenger")
    await thief.fills_address_form("0901234501")
    await pos.tells_of_lan(chat)
    await pos.tells_of_order(chat, "DH1", status=Status.DELIVERED)
    (answer,) = await thief.says("xem điểm")
    assert "chưa xem được điểm" in answer


async def test_after_the_address_form_a_code_still_links(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    code = await pos.prints_code(chat)
    lan = chat.of("lan", "messenger")
    await lan.fills_address_form("0901234501")
    assert await lan.says(code) == ["Mình đã liên kết tài khoản của bạn."]


async def test_an_address_form_for_staff_who_hold_the_conversation_is_kept_in_silence(chat: Chat) -> None:
    lan = chat.of("lan", "messenger")
    await lan.presses("kq:person")
    assert await lan.fills_address_form("0901234501") == []
    assert await lan.says("xem điểm") == [], "staff hold it still"


async def test_what_is_no_code_is_asked_again_and_can_be_left(chat: Chat) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.says("ủa sao kỳ vậy ta")
    assert answer.startswith("Mã gồm 8 chữ và số")
    (answer,) = await chat.says("thôi")
    assert "Mình dừng ở đây" in answer


async def test_another_wish_is_answered_though_a_code_was_asked_for(each: Chat) -> None:
    await pos.linked(each)
    await pos.tells_of_order(each, "MT1006")
    await each.says("nhập mã")
    (answer,) = await each.says("đơn MT1006 tới đâu rồi b ơi cho mình hỏi với")
    assert "MT1006" in answer
    await each.says("nhập mã")
    (answer,) = await each.says("MT1006")
    assert "MT1006" in answer
    await each.says("nhập mã")
    (answer,) = await each.says("HD000123")
    assert "không tìm thấy đơn HD000123" in answer
    (answer,) = await each.says("ok bạn")
    assert "Mã gồm 8" not in answer, "the question for the code is over"


async def test_linking_keeps_the_language(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    await chat.says("link my account")
    (answer,) = await chat.shares_phone()
    assert answer == "Your account is now linked."
