"""Who waits for a person is given to somebody on shift, told of once, and told of to others when nobody answers."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from bot import upkeep
from bot.staff import desk
from crm import notices, staff
from crm.messages import Message
from crm.staff import Role
from simulator.people import ZALO
from storage import alarms, attendance, customers
from tests.chat import Chat
from tests.staff import hired, order, pair

WAITS = "cho mình gặp nhân viên"


async def on_shift(chat: Chat, name: str, role: Role = Role.AGENT) -> Chat:
    """Somebody new who checked in, on Zalo."""
    member = await pair(chat.of(name.lower(), ZALO), name, role)
    await member.says("/ca")
    return member


async def later(chat: Chat, *listeners: Chat, **span: float) -> list[list[str]]:
    """Time passes and the desk looks; what each of these heard meanwhile."""
    marks = [len(each.contact.lines) for each in listeners]
    await chat.settles()
    chat.clock.pass_by(**span)
    await upkeep.enqueue(chat.service.database, desk.JOB, chat.clock())
    await chat.passes(seconds=0)
    return [
        [line.text for line in list(each.contact.lines)[mark:] if line.side != "person"]
        for each, mark in zip(listeners, marks, strict=True)
    ]


async def owner(chat: Chat) -> int | None:
    """Who looks after this chat."""
    people = await chat.does(lambda session: customers.people(session, [chat.contact.user_id]))
    person = next(iter(people.values()))
    return await chat.does(lambda session: attendance.duty(session, person.identity_id).assigned_to)


async def watched(chat: Chat, **span: float) -> set[str]:
    """Time passes and the watch looks; the kinds of alarms that ring then."""
    await chat.passes(**span)
    await upkeep.enqueue(chat.service.database, "conversations.watch", chat.clock())
    await chat.passes(seconds=0)
    return await rung(chat)


async def rung(chat: Chat) -> set[str]:
    """The kinds of alarms that ring."""
    return {each.kind for each in await chat.does(alarms.unsolved)}


async def test_one_notice_tells_who_waits_their_words_and_why(each: Chat) -> None:
    minh = await on_shift(each, "Minh")
    await each.says("bao giờ thì có hàng mới")
    await each.says(WAITS)
    await each.says("gấp lắm ạ")
    ((notice,),) = await later(each, minh, seconds=20)
    head, words, why, ways = notice.splitlines()
    assert head == f"[#1] Nguyễn Thị Lan · {each.channel.title()} · ⏱ chờ 0 phút"
    assert words == "“bao giờ thì có hàng mới / cho mình gặp nhân viên / gấp lắm ạ” (3 tin)"
    assert why.endswith("vì: khách xin gặp nhân viên")
    assert ways == "Trả lời tin này để gửi khách · /vao 1 · /hen 1 30p nữa"
    await each.says("alo")
    assert await later(each, minh, seconds=60) == [[]]


async def test_what_a_customer_writes_is_collected_until_they_are_quiet(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    assert await later(chat, minh, seconds=3) == [[]]
    await chat.says("mình hỏi về đơn")
    assert await later(chat, minh, seconds=3) == [[]]
    ((notice,),) = await later(chat, minh, seconds=3)
    assert "(2 tin)" in notice


async def test_the_alarm_for_who_waits_counts_the_opening_hours(chat: Chat) -> None:
    chat.clock.pass_by(hours=10, minutes=50)
    await chat.says(WAITS)
    assert "customer_waits" not in await watched(chat, minutes=30), "the shop closed at 21:00"
    assert "customer_waits" not in await watched(chat, hours=34, minutes=44), "the next day is a holiday"
    assert "customer_waits" in await watched(chat, minutes=1), "ten minutes before closing and five since 8:00"


async def test_those_on_shift_take_turns(chat: Chat) -> None:
    minh, hoa = await on_shift(chat, "Minh"), await on_shift(chat, "Hoa")
    await pair(chat.of("off", ZALO), "Off")
    turns = []
    for person in ("lan", "binh", "chi", "dung"):
        await chat.of(person).says(WAITS)
        heard = await later(chat, minh, hoa, seconds=20)
        turns.append([len(each) for each in heard])
    assert turns == [[1, 0], [0, 1], [1, 0], [0, 1]]


async def test_the_owner_who_is_on_shift_keeps_their_customer(chat: Chat) -> None:
    minh, hoa = await on_shift(chat, "Minh"), await on_shift(chat, "Hoa")
    await chat.says(WAITS)
    await later(chat, minh, hoa, seconds=20)
    await minh.says("/r 1 Chào bạn")
    await chat.passes(seconds=7)
    await chat.says("thế còn màu đỏ thì sao")
    heard_minh, heard_hoa = await later(chat, minh, hoa, seconds=20)
    assert "vì: khách nhắn tiếp" in heard_minh[-1] and heard_hoa == []


async def test_who_comes_back_to_somebody_off_shift_goes_back_to_the_queue(chat: Chat) -> None:
    minh, hoa = await on_shift(chat, "Minh"), await on_shift(chat, "Hoa")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    was = await owner(chat)
    await minh.says("/nghi")
    ((notice,),) = await later(chat, hoa, seconds=1)
    assert "Nguyễn Thị Lan" in notice and await owner(chat) != was


async def test_the_ladder_owner_again_team_lead_and_then_the_bot_says_who_it_is(each: Chat) -> None:
    minh, hoa = await on_shift(each, "Minh"), await on_shift(each, "Hoa")
    lead = await pair(each.of("tuan", ZALO), "Tuấn", Role.LEAD)
    await each.says(WAITS)
    heard = await later(each, minh, hoa, lead, seconds=20)
    assert [len(each) for each in heard] == [1, 0, 0]
    again, none, _ = await later(each, minh, hoa, lead, minutes=3)
    assert "nhắc lại" in again[0] and none == []
    _, team, nobody = await later(each, minh, hoa, lead, minutes=3)
    assert "Minh chưa trả lời" in team[0] and nobody == []
    _, _, led = await later(each, minh, hoa, lead, minutes=4)
    assert "chưa ai trả lời (Minh phụ trách)" in led[0]
    ((offer,),) = await later(each, each, minutes=5)
    assert "Mình là trợ lý tự động" in offer
    assert await later(each, each, minutes=29) == [[]]
    _, _, repeated = await later(each, minh, hoa, lead, minutes=2)
    assert "vẫn chưa ai trả lời" in repeated[0]
    assert await later(each, each, hours=1) == [[]]


async def test_nobody_is_told_of_what_was_answered_meanwhile(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    await minh.says("/r 1 Chào bạn")
    await chat.passes(seconds=7)
    assert await later(chat, minh, minutes=30) == [[]]


async def test_what_was_not_told_yet_is_taken_back_once_it_is_closed(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    minh.contact.blocked = True
    await chat.says(WAITS)
    for _ in range(5):
        await later(chat, seconds=20)
    assert "notice_lost" in await rung(chat)
    await chat.says("menu")
    minh.contact.blocked = False
    await later(chat, seconds=10)
    heard = await minh.says("/ca")
    assert not any("Nguyễn Thị Lan" in line for line in heard)
    assert "notice_lost" not in await rung(chat)


async def test_what_a_colleague_gave_is_told_no_more_once_it_is_closed_or_given_on(chat: Chat) -> None:
    minh, hoa = await on_shift(chat, "Minh", Role.LEAD), await on_shift(chat, "Hoa")
    code = await chat.does(lambda session: hired(session, "Tuấn", Role.AGENT, chat))
    await order(chat, "Tuấn", "/ca")
    for customer in (chat, chat.of("mai"), chat.of("binh")):
        await customer.says(WAITS)
        chat.clock.pass_by(seconds=1)
    await minh.says("/ds")
    for number in (1, 2, 3):
        await minh.says(f"/giao {number} @Tuấn")
    chat.clock.pass_by(seconds=1)
    await minh.says("/tra 1")
    await minh.says("/dong 1")
    await minh.says("/giao 2 @Hoa")
    await later(chat, hoa, seconds=5)
    tuan = chat.of("tuan")
    told = "\n".join([*await tuan.says(code), *await tuan.says("/ca")])
    assert told.count("giao cho bạn") == 1


async def test_a_notice_whose_end_stays_unknown_counts_as_held(chat: Chat) -> None:
    await pair(chat.of("minh"), "Minh")
    minh = await chat.does(lambda session: staff.named(session, "Minh"))
    tell = partial(notices.tell, staff_id=minh.id, kind="test", say=lambda _: Message("Lan hỏi"), now=chat.clock())
    await chat.does(lambda session: tell(session))
    lost = text("UPDATE outbox SET state = 'unknown', resent = :yes WHERE id = (SELECT outbox_id FROM notice)")
    await chat.does(lambda session: session.connection().execute(lost, {"yes": True}).rowcount)
    await chat.does(notices.settle)
    assert await chat.does(lambda session: notices.count_held(session, minh.id)) == 1


async def test_a_notice_that_did_not_get_through_is_told_to_the_others_at_once(chat: Chat) -> None:
    minh, hoa = await on_shift(chat, "Minh"), await on_shift(chat, "Hoa")
    minh.contact.blocked = True
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    ((notice,),) = await later(chat, hoa, seconds=31)
    assert "Minh chưa trả lời" in notice


async def test_who_was_cut_off_hears_of_each_customer_once_when_they_are_back(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    minh.contact.blocked = True
    await chat.says(WAITS)
    await chat.of("binh").says(WAITS)
    for span in (20, 180, 180):
        await later(chat, seconds=span)
    minh.contact.blocked = False
    heard = await minh.says("/ca")
    assert "2 thông báo chờ bạn" in heard[0]
    about = [line.split(" · ")[0].split("] ")[1] for line in heard[1:] if line.startswith("[#")]
    assert sorted(about) == sorted({*about}) and len(about) == 2


async def test_the_alarm_of_a_lost_notice_ends_when_it_is_told_after_all(chat: Chat) -> None:
    minh, lead = await on_shift(chat, "Minh"), await on_shift(chat, "Tuấn", Role.LEAD)
    minh.contact.blocked = lead.contact.blocked = True
    await chat.says(WAITS)
    heard = [await later(chat, minh, lead, seconds=31) for _ in range(4)]
    assert heard == [[[], []]] * 4
    assert "notice_lost" in await rung(chat)
    lead.contact.blocked = False
    told = await lead.says("/ca")
    await chat.passes(seconds=1)
    assert any("Nguyễn Thị Lan" in line.text for line in lead.contact.lines), told
    await later(chat, lead, seconds=1)
    assert "notice_lost" not in await rung(chat), "Lan still waits, but somebody knows"


async def test_without_anybody_on_shift_leads_are_told_once_and_the_first_who_comes_gets_them(chat: Chat) -> None:
    lead = await pair(chat.of("tuan", ZALO), "Tuấn", Role.LEAD)
    minh = await pair(chat.of("minh", ZALO), "Minh")
    await chat.says(WAITS)
    ((told,),) = await later(chat, lead, seconds=21)
    assert told.startswith("⚠ 1 khách đang chờ mà chưa ai vào ca.")
    assert "nobody_on_shift" in await rung(chat)
    assert await later(chat, lead, minutes=2) == [[]]
    await minh.says("/ca")
    ((notice,),) = await later(chat, minh, seconds=1)
    assert "Nguyễn Thị Lan" in notice
    assert "nobody_on_shift" not in await rung(chat)


async def test_outside_the_opening_hours_the_queue_waits_for_the_opening(chat: Chat) -> None:
    minh = await pair(chat.of("minh", ZALO), "Minh")
    lead = await pair(chat.of("tuan", ZALO), "Tuấn", Role.LEAD)
    chat.clock.pass_by(hours=12)
    await chat.says(WAITS)
    assert await later(chat, minh, lead, minutes=10) == [[], []]
    assert "nobody_on_shift" not in await rung(chat)
    chat.clock.pass_by(hours=33, minutes=51)
    await minh.says("/ca")
    ((notice,),) = await later(chat, minh, seconds=1)
    assert "Nguyễn Thị Lan" in notice


async def test_who_was_put_off_comes_back_with_what_they_said(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    await minh.says("/hen 1 30p nữa")
    assert await later(chat, minh, minutes=29) == [[]]
    ((notice,),) = await later(chat, minh, minutes=2)
    assert "vì: tới giờ hẹn" in notice and WAITS in notice
    assert await later(chat, minh, minutes=2) == [[]]


async def test_who_was_put_off_rings_no_alarm_until_nobody_answers_then(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    await minh.says("/hen 1 30p nữa")
    assert "customer_waits" not in await watched(chat, minutes=30)
    assert "customer_waits" not in await watched(chat, minutes=14)
    assert "customer_waits" in await watched(chat, minutes=1)


async def test_who_writes_while_put_off_rings_again(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    assert "customer_waits" in await watched(chat, minutes=16)
    await minh.says("/hen 1 4 tiếng nữa")
    assert "customer_waits" not in await watched(chat, minutes=1)
    await chat.says("alo shop ơi")
    assert "customer_waits" in await watched(chat, minutes=1)


async def test_who_was_put_off_is_not_counted_among_those_who_wait_before_you(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    binh = chat.of("binh")
    (told,) = await binh.says(WAITS)
    assert "Trước bạn còn 1 khách đang chờ." in told
    await minh.says("/hen 1 4 tiếng nữa")
    chat.clock.pass_by(seconds=1)
    (told,) = await chat.of("chi").says(WAITS)
    assert "Trước bạn còn 1 khách đang chờ." in told, "Bình alone: Lan was put off"


async def test_who_waits_already_is_not_counted_before_themselves(chat: Chat) -> None:
    for line in ("xyzzy plugh", "plugh xyzzy"):
        await chat.says(line)
    chat.clock.pass_by(minutes=1)
    (told,) = await chat.says(WAITS)
    assert "đang chờ" not in told


async def test_a_promise_nearly_used_up_is_told_to_the_owner_and_a_broken_one_to_a_lead_too(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    lead = await pair(chat.of("tuan", ZALO), "Tuấn", Role.LEAD)
    await chat.says("cần hỗ trợ")
    await chat.says("ly bị vỡ")
    await later(chat, minh, seconds=20)
    await later(chat, minh, minutes=47)
    heard, none = await later(chat, minh, lead, minutes=1)
    assert any(line.startswith("⏱ Sắp tới hẹn phiếu T1 · [#1] Nguyễn Thị Lan") for line in heard)
    assert not any("phiếu T1" in line for line in none)
    heard, led = await later(chat, minh, lead, minutes=12)
    assert all(any(line.startswith("‼ Trễ hẹn phiếu T1") for line in each) for each in (heard, led))


async def test_a_promise_about_what_was_done_meanwhile_is_told_to_nobody(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says("cần hỗ trợ")
    await chat.says("ly bị vỡ")
    await later(chat, minh, seconds=20)
    minh.contact.blocked = True
    await later(chat, minutes=48)
    await order(chat, "Minh", "/dong T1 vỡ khi giao")
    await later(chat, seconds=10)
    minh.contact.blocked = False
    heard = await minh.says("/ca")
    assert not any("Sắp tới hẹn" in line for line in heard)


@pytest.mark.parametrize("words", ["/ok", "chào bạn"])
async def test_plain_words_after_a_notice_go_to_nobody(chat: Chat, words: str) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    since = len(chat.contact.lines)
    await minh.says(words)
    await chat.passes(seconds=7)
    assert len(chat.contact.lines) == since
