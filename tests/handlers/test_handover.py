"""When the bot calls a person by itself, when it does not, and what becomes of who is blocked."""

from __future__ import annotations

from functools import partial

from sqlmodel import Session

from crm import tags
from crm.staff import Role
from simulator import speech
from storage import conversations, customers
from storage.conversations import Standing
from tests.chat import Chat
from tests.handlers.test_staff_desk import WAITS, later, on_shift
from tests.staff import order, pair


async def standing(chat: Chat) -> Standing:
    """How this chat stands."""
    people = await chat.does(lambda session: customers.people(session, [chat.contact.user_id]))
    person = next(iter(people.values()))
    (found,) = await chat.does(lambda session: conversations.some(session, [person.identity_id]))
    return found


async def reason(chat: Chat) -> str:
    """Why this customer waits; "" where they do not."""
    now = await standing(chat)
    return now.reason if now.waiting_since else ""


async def tag(chat: Chat, name: str) -> None:
    people = await chat.does(lambda session: customers.people(session, [chat.contact.user_id]))
    customer = next(iter(people.values())).customer_id
    await chat.does(partial(_tag, customer=customer, name=name, chat=chat))


def _tag(session: Session, customer: int, name: str, chat: Chat) -> None:
    tags.put_on(session, [customer], name, by="test", at=chat.clock())


async def test_who_is_angry_is_handed_over_with_a_word_of_regret(each: Chat) -> None:
    (answer,) = await each.says("làm ăn kiểu gì vậy, lừa đảo à")
    assert answer.startswith("Mình rất tiếc vì bạn chưa hài lòng. Mình đã chuyển cuộc trò chuyện cho nhân viên.")
    assert await reason(each) == "angry" and (await standing(each)).holder == "staff"
    assert await each.says("bực quá") == []


async def test_anger_in_a_complaint_keeps_the_complaint(chat: Chat) -> None:
    await chat.says("cần hỗ trợ")
    ticket, regret = await chat.says("ly bị vỡ, dịch vụ quá tệ")
    assert "T1" in ticket and regret.startswith("Mình rất tiếc")
    assert await reason(chat) == "angry"


async def test_a_second_line_that_the_bot_does_not_understand_calls_a_person(each: Chat) -> None:
    await each.says("xyzzy plugh")
    assert await reason(each) == ""
    await each.says("plugh xyzzy")
    assert await reason(each) == "missed" and (await standing(each)).holder == "bot"
    await each.says("xem điểm")
    assert await reason(each) == ""


async def test_who_waits_already_and_asks_for_a_person_keeps_their_place_and_that_is_told(each: Chat) -> None:
    minh = await on_shift(each, "Minh")
    await each.says("xyzzy plugh")
    await each.says("plugh xyzzy")
    since = (await standing(each)).waiting_since
    ((missed,),) = await later(each, minh, seconds=20)
    await later(each, minh, minutes=2)
    await each.says(WAITS)
    assert (await standing(each)).waiting_since == since
    ((asked,),) = await later(each, minh, seconds=6)
    assert "vì: bot chưa hiểu 2 lần" in missed and "vì: khách xin gặp nhân viên" in asked and "chờ 2 phút" in asked
    assert await later(each, minh, seconds=6) == [[]]
    ((again,),) = await later(each, minh, minutes=1)
    assert "nhắc lại" in again, "the time of the next step did not move"


async def test_thanks_and_a_bare_yes_to_what_asked_nothing_wait_for_nobody(each: Chat) -> None:
    await each.says(WAITS)
    await each.is_answered("Dạ bên mình đổi mới cho bạn rồi ạ")
    for words in ("cảm ơn shop nhé", "ok shop", "dạ vâng"):
        assert await each.says(words) == [] and await reason(each) == "", words
    await each.is_answered("Bạn lấy size M hay L ạ")
    await each.says("ok shop")
    assert await reason(each) == "wrote"


async def test_who_wants_no_person_waits_for_none(chat: Chat) -> None:
    await chat.says("xyzzy plugh")
    await chat.says("plugh xyzzy")
    await chat.says("không")
    assert await reason(chat) == ""


async def test_a_person_is_called_for_a_customer_with_the_tag_while_the_bot_answers(each: Chat) -> None:
    await each.says("xin chào")
    assert await reason(each) == ""
    await tag(each, "VIP")
    assert await each.says("xem điểm") != []
    assert await reason(each) == "vip" and (await standing(each)).holder == "bot"


async def test_who_is_blocked_hears_so_once_and_nobody_is_told(each: Chat) -> None:
    minh = await on_shift(each, "Minh")
    await each.says(WAITS)
    await later(each, minh, seconds=20)
    *_, preview = await minh.says("/chan 1")
    await minh.says(f"/ok {preview.rsplit('/ok ', 1)[1][:4]}")
    (refusal,) = await each.says("alo alo")
    assert refusal.startswith("Cuộc trò chuyện này đang tạm dừng")
    assert await each.says("alo") == [] and await each.says("menu") == [] and await each.says("lừa đảo") == []
    (stopped,) = await each.says("dừng")
    assert stopped
    assert await later(each, minh, each, hours=13) == [[], []]
    await pair(each.of("hoa"), "Hoa", Role.LEAD)
    assert (await standing(each)).holder == "blocked"


async def test_who_is_unblocked_is_answered_again(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    await chat.says(WAITS)
    await later(chat, minh, seconds=20)
    *_, preview = await minh.says("/chan 1")
    await minh.says(f"/ok {preview.rsplit('/ok ', 1)[1][:4]}")
    await minh.says("/bochan 1")
    assert await chat.says("xem điểm") != []
    assert (await order(chat, "Minh", "/ds"))[0].startswith("Không có ai")


async def test_a_flood_is_one_notice_with_a_count(chat: Chat) -> None:
    minh = await on_shift(chat, "Minh")
    for number in range(chat.settings.flood_per_minute + 3):
        said = speech.say_text(chat.platform, chat.contact, f"mua đi {number}")
        assert said.delivery is not None and await said.delivery.status == 200
    ((notice,),) = await later(chat, minh, seconds=60)
    assert "vì: nhắn dồn dập" in notice and "/chan 1 nếu là rác" in notice and "tin)" in notice
