"""Linking a chat with a customer of the shop: a shared number or a printed code, and nothing given away."""

from __future__ import annotations

from crm.orders import Status
from tests.chat import Chat
from tests.handlers import pos


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


async def test_a_printed_code_links(each: Chat) -> None:
    await pos.tells_of_lan(each)
    code = await pos.prints_code(each)
    await each.says("nhập mã")
    (answer,) = await each.says(f"{code[:4]} {code[4:].lower()}")
    assert answer == "Mình đã liên kết tài khoản của bạn."


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


async def test_a_typed_number_is_not_taken(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    await chat.presses("kq:link")
    (answer,) = await chat.says("0901234501")
    assert answer.startswith("Để bảo vệ bạn, mình chỉ nhận số điện thoại qua nút chia sẻ")
    (answer,) = await chat.says("xem điểm")
    assert "chưa có điểm" in answer


async def test_what_is_no_code_is_asked_again_and_can_be_left(chat: Chat) -> None:
    await chat.says("nhập mã")
    (answer,) = await chat.says("mã nào vậy ta")
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
    (answer,) = await each.says("ok bạn")
    assert "Mã gồm 8" not in answer, "the question for the code is over"


async def test_linking_keeps_the_language(chat: Chat) -> None:
    await pos.tells_of_lan(chat)
    await chat.says("link my account")
    (answer,) = await chat.shares_phone()
    assert answer == "Your account is now linked."
