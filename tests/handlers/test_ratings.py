"""How content customers were: asked in the chat while the window is open, once, and never beside a person's talk."""

from __future__ import annotations

import asyncio
from argparse import Namespace

import pytest

from bot import upkeep
from bot.commands import tickets as ticket_command
from bot.ratings import JOB
from crm import ratings, tickets
from crm.ratings import RatingRow
from crm.staff import Role
from simulator.people import ZALO
from storage import jobs
from tests.chat import PATIENCE_S, Chat
from tests.crm.people import POLICY
from tests.handlers.test_staff_desk import later, on_shift
from tests.staff import pair

ASKED = "Yêu cầu T1 của bạn đã xong. Bạn hài lòng với cách shop xử lý ở mức nào"


async def closed_request(chat: Chat) -> None:
    """A request that was opened and closed."""
    await chat.says("cần hỗ trợ")
    await chat.says("ly bị vỡ")
    await chat.does(lambda session: tickets.close(session, 1, chat.clock(), POLICY, "vận chuyển"))


async def looks(chat: Chat) -> list[str]:
    """The job looks; what the customer hears of it."""
    before = len(chat.contact.lines)
    await upkeep.enqueue(chat.service.database, JOB, chat.clock())
    for _ in range(round(PATIENCE_S / 0.02)):
        if await chat.service.database.read(lambda session: jobs.oldest_waiting(session)) is None:
            break
        await asyncio.sleep(0.02)
    await chat._until_quiet()
    return [line.text for line in list(chat.contact.lines)[before:]]


async def rating(chat: Chat, number: int = 1) -> RatingRow:
    return RatingRow(*await chat.does(lambda session: tuple(ratings.find(session, number) or ())))


async def test_a_customer_is_asked_once_and_answers_by_button_and_words(each: Chat) -> None:
    await closed_request(each)
    assert await looks(each) == []
    each.clock.pass_by(minutes=30)
    (question,) = await looks(each)
    assert question.startswith(ASKED)
    (thanks,) = await each.presses("kq:rate:1:5")
    assert thanks.startswith("Cảm ơn bạn đã đánh giá!")
    assert await each.says("giao lại nhanh lắm, cảm ơn bạn tư vấn") == ["Cảm ơn bạn, mình đã ghi nhận."]
    found = await rating(each)
    assert (found.state, found.score, found.alert_at) == ("given", 5, None)
    assert found.comment == "giao lại nhanh lắm, cảm ơn bạn tư vấn"
    each.clock.pass_by(hours=1)
    assert await looks(each) == []


@pytest.mark.parametrize("words", ["2", "2 sao", " 2. "])
async def test_a_low_digit_is_to_be_told_to_a_lead_until_it_was(chat: Chat, words: str) -> None:
    await closed_request(chat)
    chat.clock.pass_by(minutes=30)
    await looks(chat)
    chat.clock.pass_by(minutes=30)
    await looks(chat)
    (sorry,) = await chat.says(words)
    assert sorry.startswith("Mình xin lỗi vì bạn chưa hài lòng") and chat.offered == ["Mở lại T1"]
    assert "Mình dừng ở đây nhé" in (await chat.says("thôi"))[0]
    (alert,) = await chat.does(lambda session: [tuple(each) for each in ratings.alerts(session)])
    assert (RatingRow(*alert).ticket_id, RatingRow(*alert).score) == (1, 2)
    await chat.does(lambda session: ratings.alerted(session, 1))
    assert await chat.does(lambda session: len(ratings.alerts(session))) == 0


async def test_another_wish_is_no_score(chat: Chat) -> None:
    await closed_request(chat)
    chat.clock.pass_by(minutes=30)
    await looks(chat)
    (answer,) = await chat.says("xem điểm")
    assert "điểm" in answer and "đánh giá" not in answer
    assert (await rating(chat)).score is None


async def test_nobody_is_asked_while_staff_hold_or_another_request_is_open_and_the_reason_is_kept(chat: Chat) -> None:
    await closed_request(chat)
    await chat.says("gặp nhân viên")
    chat.clock.pass_by(hours=2)
    assert await looks(chat) == []
    assert (await rating(chat)).state == "planned"
    chat.clock.pass_by(hours=30)
    assert await looks(chat) == []
    found = await rating(chat)
    assert (found.state, found.reason) == ("skipped", "busy")


async def test_nobody_is_asked_after_the_window_closed(each: Chat) -> None:
    await closed_request(each)
    each.clock.pass_by(days=8)
    assert await looks(each) == []
    found = await rating(each)
    assert (found.state, found.reason) == ("skipped", "window_closed")


async def test_a_request_that_goes_on_is_not_asked_about(chat: Chat) -> None:
    await closed_request(chat)
    await chat.does(lambda session: tickets.reopen(session, 1, chat.clock(), POLICY))
    chat.clock.pass_by(hours=1)
    assert await looks(chat) == []


async def test_nobody_rates_the_requests_of_others_or_what_was_not_asked(chat: Chat) -> None:
    await closed_request(chat)
    await chat.presses("kq:rate:1:1")
    assert (await rating(chat)).score is None
    chat.clock.pass_by(minutes=30)
    await looks(chat)
    await chat.of("minh").presses("kq:rate:1:1")
    for press in ("kq:rate:1:9", "kq:rate:77:3"):
        await chat.presses(press)
    assert (await rating(chat)).score is None


async def test_a_low_score_is_told_to_leads_alone_with_what_was_added_and_once(chat: Chat) -> None:
    minh, lead = await on_shift(chat, "Minh"), await on_shift(chat, "Tuấn", Role.LEAD)
    await closed_request(chat)
    chat.clock.pass_by(minutes=30)
    await looks(chat)
    chat.clock.pass_by(minutes=1)
    await looks(chat)
    await chat.says("1")
    await chat.says("ly vỡ mà không ai gọi lại")
    assert await later(chat, minh, lead, seconds=90) == [[], []]
    _, (told,) = await later(chat, minh, lead, seconds=31)
    assert "T1" in told and "1/5" in told and "“ly vỡ mà không ai gọi lại”" in told
    assert await later(chat, minh, lead, minutes=5) == [[], []]


async def test_a_low_score_is_told_to_every_lead_where_none_is_on_shift(chat: Chat) -> None:
    lead, other = [await pair(chat.of(name, ZALO), name, Role.LEAD) for name in ("Tuấn", "Hạnh")]
    await closed_request(chat)
    for minutes in (30, 1):
        chat.clock.pass_by(minutes=minutes)
        await looks(chat)
    await chat.says("2")
    heard = await later(chat, lead, other, minutes=3)
    assert [len(each) for each in heard] == [1, 1]


async def test_the_card_and_the_command_line_tell_the_score_or_why_there_is_none(chat: Chat) -> None:
    minh = await pair(chat.of("minh", ZALO))
    await closed_request(chat)

    async def shown() -> tuple[str, str]:
        report = await ticket_command.run(
            Namespace(action="show", number=1, save=None), chat.service.database, chat.settings, chat.clock()
        )
        return (await minh.says("/phieu T1"))[0], "\n".join(report.lines)

    card, lines = await shown()
    assert "Nguyên nhân: vận chuyển" in card and "hài lòng" not in card and "rating: to be asked" in lines
    for minutes in (30, 1):
        chat.clock.pass_by(minutes=minutes)
        await looks(chat)
    card, lines = await shown()
    assert "Đã hỏi mức hài lòng, khách chưa chấm" in card and "rating: asked, no answer yet" in lines
    await chat.says("4")
    await chat.says("shop gọi lại nhanh")
    card, lines = await shown()
    assert "Khách chấm 4/5: “shop gọi lại nhanh”" in card and "rated 4/5: shop gọi lại nhanh" in lines


async def test_the_card_tells_why_nobody_was_asked(chat: Chat) -> None:
    minh = await pair(chat.of("minh", ZALO))
    await closed_request(chat)
    chat.clock.pass_by(days=8)
    await looks(chat)
    assert "Không hỏi được mức hài lòng: hết hạn nhắn" in (await minh.says("/phieu T1"))[0]
