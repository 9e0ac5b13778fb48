"""What customers ask about their own data: to see, correct or erase it, or to take consent back."""

from __future__ import annotations

import pytest

from crm import privacy
from crm.privacy import Request
from tests.chat import Chat


async def open_requests(chat: Chat) -> int:
    return await chat.does(lambda s: len(privacy.open_requests(s)))


async def test_a_request_to_erase_is_noted_once_with_its_clock(each: Chat) -> None:
    (question,) = await each.says("xoá dữ liệu của tôi")
    assert "Bạn chắc chắn" in question
    assert await open_requests(each) == 0
    (answer,) = await each.presses("Xóa dữ liệu của tôi")
    assert "trả lời trong 2 ngày làm việc" in answer
    assert await open_requests(each) == 1
    (answer,) = await each.says("xóa hết dữ liệu cá nhân của mình đi")
    assert "đã được ghi nhận từ trước" in answer
    assert await open_requests(each) == 1


@pytest.mark.parametrize(
    "word", ["đồng ý", "có", "vâng ạ", "ok", "xóa", "xoá đi", "xác nhận", "xóa dữ liệu của tôi", "yes", "👍"]
)
async def test_a_yes_in_words_notes_the_request(chat: Chat, word: str) -> None:
    await chat.says("xóa dữ liệu của tôi")
    (answer,) = await chat.says(word)
    assert "2 ngày làm việc" in answer
    assert await open_requests(chat) == 1


@pytest.mark.parametrize("word", ["không", "thôi", "không xóa nữa", "ko xóa", "đừng xóa", "xem điểm", "dc k ạ"])
async def test_anything_but_a_yes_erases_nothing(chat: Chat, word: str) -> None:
    await chat.says("xóa dữ liệu của tôi")
    assert len(await chat.says(word)) == 1
    assert await open_requests(chat) == 0
    await chat.says("có")
    assert await open_requests(chat) == 0, "the question is over"


async def test_a_yes_that_comes_too_late_erases_nothing(chat: Chat) -> None:
    await chat.says("xóa dữ liệu của tôi")
    chat.clock.pass_by(hours=2)
    await chat.says("có")
    assert await open_requests(chat) == 0


@pytest.mark.parametrize("words", ["xoá tài khoản của mình", "i want to delete my account"])
async def test_deleting_the_account_is_the_same_wish(each: Chat, words: str) -> None:
    await each.says(words)
    (button,) = each.offered
    await each.presses(button)
    assert await open_requests(each) == 1


@pytest.mark.parametrize("words", ["huỷ yêu cầu xoá dữ liệu", "không xoá nữa", "cancel my deletion request"])
async def test_a_request_can_be_withdrawn(each: Chat, words: str) -> None:
    await each.says("xóa dữ liệu của tôi")
    await each.says("có")
    (answer,) = await each.says(words)
    assert answer.startswith(("Mình đã hủy yêu cầu xóa dữ liệu", "I have withdrawn your request"))
    assert await open_requests(each) == 0
    (answer,) = await each.says(words)
    assert answer.startswith(("Không có yêu cầu xóa dữ liệu", "There is no request"))


async def test_a_withdrawn_request_can_be_made_anew(chat: Chat) -> None:
    for _ in range(2):
        await chat.says("xóa dữ liệu của tôi")
        (answer,) = await chat.says("có")
        assert "2 ngày làm việc" in answer
        assert await open_requests(chat) == 1
        await chat.says("không xóa nữa")


async def test_a_request_is_withdrawn_while_staff_hold_the_conversation(each: Chat) -> None:
    await each.presses("kq:person")
    await each.says("xóa dữ liệu của tôi")
    (answer,) = await each.says("huỷ yêu cầu xoá dữ liệu")
    assert answer.startswith("Mình đã hủy yêu cầu xóa dữ liệu")
    assert await open_requests(each) == 0


async def test_the_button_counts_though_staff_took_over_meanwhile(chat: Chat) -> None:
    await chat.says("xóa dữ liệu của tôi")
    await chat.presses("kq:person")
    (answer,) = await chat.presses("kq:erase")
    assert "2 ngày làm việc" in answer
    assert await open_requests(chat) == 1


async def test_zalos_own_withdrawal_asks_nothing(chat: Chat) -> None:
    await chat.says("chào shop")
    assert await chat.withdraws() == []
    assert await open_requests(chat) == 1


@pytest.mark.parametrize(
    "words",
    ["xóa dữ liệu của tôi", "xoa du lieu cua toi", "shop xóa hết dữ liệu của em giúp em với ạ", "delete my data"],
)
async def test_a_request_to_erase_counts_while_staff_hold_the_conversation(each: Chat, words: str) -> None:
    await each.presses("kq:person")
    (answer,) = await each.says(words)
    assert "2 ngày làm việc" in answer or "2 working days" in answer
    assert await open_requests(each) == 1
    assert await each.says("xem điểm") == [], "staff hold it still"


async def test_beside_staff_a_mere_mention_of_data_erases_nothing(chat: Chat) -> None:
    await chat.presses("kq:person")
    assert await chat.says("hôm bữa shop nói xóa dữ liệu cá nhân cho mình mà giờ vẫn còn nhận tin") == []
    assert await open_requests(chat) == 0


async def test_what_only_mentions_data_erases_nothing(chat: Chat) -> None:
    await chat.says("đừng xóa dữ liệu của tôi nhé")
    await chat.says("điện thoại bị mất hết dữ liệu thì bảo hành sao")
    assert await open_requests(chat) == 0


async def test_erasure_in_english(chat: Chat) -> None:
    (question,) = await chat.says("delete my data please")
    assert question.startswith("Are you sure")
    (answer,) = await chat.says("yes")
    assert "within 2 working days" in answer


async def requests(chat: Chat) -> list[Request]:
    found = await chat.does(lambda s: [tuple(each) for each in privacy.page(s, 0, 10, everything=True)])
    return [Request(*each) for each in found]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("cho xem dữ liệu của tôi", "see"), ("cho minh xem thong tin ca nhan", "see"), ("show me my data", "see"),
        ("sửa thông tin", "correct"), ("cập nhật thông tin cá nhân giúp mình", "correct"),
        ("please correct my information", "correct"),
    ],
)  # fmt: skip
async def test_a_wish_to_see_or_correct_is_noted_with_its_days(chat: Chat, words: str, kind: str) -> None:
    (answer,) = await chat.says(words)
    assert "2 ngày làm việc" in answer or "2 working days" in answer
    (request,) = await requests(chat)
    assert (request.kind, request.state, request.wording) == (kind, "open", words)
    (answer,) = await chat.says(words)
    assert "từ trước" in answer or "before" in answer
    assert len(await requests(chat)) == 1


@pytest.mark.parametrize("words", ["rút đồng ý", "tôi muốn rút lại sự đồng ý", "withdraw my consent"])
async def test_consent_is_taken_back_at_once_and_on_record(each: Chat, words: str) -> None:
    await each.says("bắt đầu nhận tin")
    each.clock.pass_by(minutes=1)
    (answer,) = await each.says(words)
    assert "không gửi tin quảng cáo" in answer or "neither promotions" in answer
    (request,) = await requests(each)
    assert (request.kind, request.state, request.ended_by) == ("withdraw", "done", "bot")


async def test_a_wish_about_data_counts_while_staff_hold_the_conversation(chat: Chat) -> None:
    await chat.presses("kq:person")
    (answer,) = await chat.says("cho xem dữ liệu của tôi")
    assert "2 ngày làm việc" in answer


@pytest.mark.parametrize("words", ["đổi địa chỉ giao hàng", "xem đơn hàng", "thông tin sản phẩm", "sửa đơn"])
async def test_what_is_about_orders_is_no_request_about_data(chat: Chat, words: str) -> None:
    await chat.says(words)
    assert await requests(chat) == []
