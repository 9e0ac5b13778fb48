"""What the bot promises: when somebody is there again, by when a request is answered, and that it keeps count."""

from __future__ import annotations

from functools import partial

import pytest

from crm import tickets
from crm.tickets import State
from tests.chat import Chat
from tests.crm.people import POLICY
from tests.handlers import pos

UNTIL_NIGHT = {"hours": 12}
"""From Monday 10:00; Tuesday 24 November is a public holiday."""


async def state(chat: Chat, number: int = 1) -> str:
    return await chat.does(lambda session: tickets.find(session, number).state)


async def test_who_asks_for_a_person_at_night_is_told_once_when_the_shop_opens(each: Chat) -> None:
    each.clock.pass_by(**UNTIL_NIGHT)
    (answer,) = await each.says("gặp nhân viên")
    assert answer.startswith(
        "Mình đã chuyển cuộc trò chuyện cho nhân viên. Hiện ngoài giờ làm việc, shop mở lại lúc 8:00 thứ Tư 25/11; "
        "nhân viên sẽ trả lời bạn tại đây sau khi mở cửa."
    )
    await each.says("menu")
    (again,) = await each.says("gặp nhân viên")
    assert "mở lại" not in again and "trong giờ làm việc" in again
    each.clock.pass_by(days=2)
    await each.says("menu")
    (next_night,) = await each.says("gặp nhân viên")
    assert "shop mở lại lúc 8:00 ngày mai" in next_night


async def test_who_writes_on_to_staff_after_hours_hears_once_when_the_shop_opens(each: Chat) -> None:
    await each.says("gặp nhân viên")
    await each.is_answered("Dạ chào bạn")
    each.clock.pass_by(hours=11, minutes=30)
    assert await each.says("cảm ơn shop nha") == [], "thanks wait for nothing"
    (told,) = await each.says("còn hàng không bạn")
    assert told.startswith("Hiện ngoài giờ làm việc, shop mở lại lúc 8:00 thứ Tư 25/11; nhân viên sẽ trả lời bạn")
    assert await each.says("alo") == []


async def test_the_bot_does_not_tell_the_hours_between_staff_who_write_late_and_their_customer(each: Chat) -> None:
    await each.says("gặp nhân viên")
    each.clock.pass_by(hours=11, minutes=30)
    await each.is_answered("Mình vẫn ở đây ạ")
    each.clock.pass_by(minutes=4)
    assert await each.says("còn hàng không bạn") == []


async def test_who_asks_for_a_person_hears_how_many_wait_before_them(each: Chat) -> None:
    (first,) = await each.says("gặp nhân viên")
    assert "đang chờ" not in first
    each.clock.pass_by(minutes=1)
    (second,) = await each.of("minh").says("gặp nhân viên")
    assert "Trước bạn còn 1 khách đang chờ." in second


async def test_a_request_at_night_says_when_the_shop_opens_and_by_when_it_is_answered(each: Chat) -> None:
    each.clock.pass_by(**UNTIL_NIGHT)
    await each.says("cần hỗ trợ")
    (answer,) = await each.says("ly bị vỡ")
    assert answer.startswith(
        "Mình đã ghi nhận yêu cầu hỗ trợ T1. Hiện ngoài giờ làm việc, shop mở lại lúc 8:00 thứ Tư 25/11. "
        "Nhân viên sẽ xem và trả lời bạn tại đây, hẹn trước 9:00 thứ Tư 25/11."
    )


async def test_at_night_in_english(each: Chat) -> None:
    each.clock.pass_by(**UNTIL_NIGHT)
    (answer,) = await each.says("I want to talk to a human")
    assert "We are closed now and open again at 8:00 Wednesday 25/11" in answer


@pytest.mark.parametrize(
    "words", ["T1", "t1", "#1", "phiếu T1 tới đâu", "phiếu 1 sao rồi", "phiếu #1", "T1 tới đâu rồi shop"]
)
async def test_how_a_request_stands_is_told_with_what_was_promised(chat: Chat, words: str) -> None:
    await chat.says("cần hỗ trợ")
    await chat.says("ly bị vỡ")
    (answer,) = await chat.says(words)
    assert answer.startswith("Yêu cầu hỗ trợ của bạn:\n• T1 (23/11/2026): đang xử lý, hẹn trả lời trước 11:00 hôm nay.")


async def test_a_promise_that_was_not_kept_is_owned_up_to(each: Chat) -> None:
    await each.says("cần hỗ trợ")
    await each.says("ly bị vỡ")
    each.clock.pass_by(hours=2)
    (answer,) = await each.says("phiếu T1")
    assert "T1 (23/11/2026): đang xử lý, đã trễ hẹn 11:00 hôm nay, mình xin lỗi bạn." in answer


async def test_staffs_answer_in_the_chat_keeps_the_promise_and_the_customers_next_line_begins_another(
    each: Chat,
) -> None:
    await each.says("cần hỗ trợ")
    await each.says("ly bị vỡ")
    await each.is_answered("Dạ shop gửi lại bạn ly mới nhé")
    assert await state(each) == State.ANSWERED
    await each.says("cảm ơn shop")
    assert await state(each) == State.ANSWERED, "thanks ask for nothing"
    await each.says("khi nào tới vậy ạ")
    assert await state(each) == State.OPEN
    await each.says("menu")
    (answer,) = await each.says("phiếu T1 tới đâu")
    assert "hẹn trả lời trước 12:00 hôm nay" in answer


async def test_a_request_that_ended_lately_is_opened_again_by_a_button_or_by_words(each: Chat) -> None:
    await each.says("cần hỗ trợ")
    await each.says("ly bị vỡ")
    end = partial(tickets.close, number=1, now=each.clock(), policy=POLICY, cause="vận chuyển")
    await each.does(lambda session: end(session))
    (answer,) = await each.says("phiếu T1")
    assert "T1 (23/11/2026): đã xong" in answer and each.offered[0] == "Mở lại T1"
    (again,) = await each.presses("Mở lại T1")
    assert again.startswith("Mình đã mở lại yêu cầu T1. Nhân viên sẽ xem lại và trả lời bạn tại đây, hẹn trước 12:00")
    await each.does(lambda session: end(session))
    (again,) = await each.says("vẫn chưa được shop ơi")
    assert again.startswith("Mình đã mở lại yêu cầu T1.")
    await each.does(lambda session: end(session))
    each.clock.pass_by(days=8)
    (fresh,) = await each.says("vẫn chưa được shop ơi")
    assert "kể" in fresh
    assert await state(each) == State.CLOSED


async def test_nobody_opens_the_requests_of_others_again(chat: Chat) -> None:
    await chat.says("cần hỗ trợ")
    await chat.says("ly bị vỡ")
    await chat.does(lambda session: tickets.close(session, 1, chat.clock(), POLICY, "vận chuyển"))
    await chat.of("minh").presses("kq:reopen:1")
    assert await state(chat) == State.CLOSED


async def test_a_request_is_put_to_the_customers_own_order(each: Chat) -> None:
    await pos.tells_of_lan(each)
    await pos.tells_of_minh(each)
    await pos.tells_of_order(each, "DH1024")
    await pos.tells_of_order(each, "DH2000", owner=pos.MINH)
    await each.shares_phone()
    await each.says("cần hỗ trợ")
    (answer,) = await each.says("áo bị rách, đơn dh1024")
    assert "T1 về đơn DH1024." in answer
    await each.says("cần hỗ trợ")
    (answer,) = await each.says("áo bị rách, đơn DH2000")
    assert "T2." in answer and "DH2000" not in answer
    (first, second) = await each.does(lambda s: [tickets.find(s, number).order_id for number in (1, 2)])
    assert first is not None and second is None
