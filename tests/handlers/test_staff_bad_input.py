"""What must not do anything, or nothing twice: replays, edits, late lines, groups, quotes, forwarded codes."""

from __future__ import annotations

from crm import notices, staff
from crm.staff import Role
from simulator import speech, zalo_events
from simulator.people import ZALO, Contact
from simulator.speech import Said
from storage import notices as rows
from tests.chat import Chat
from tests.handlers.test_staff_answers import WAITS, counter, standing, tell, who
from tests.staff import hired, pair


def body_of(chat: Chat, contact: Contact, line: str, message_id: str) -> dict[str, object]:
    """A line as Zalo tells it."""
    message = {"text": line, "msg_id": message_id}
    return zalo_events.from_person(chat.platform.config, contact, "user_send_text", message, chat.platform.now())


async def test_a_command_that_is_told_twice_is_obeyed_once(chat: Chat) -> None:
    member = await counter(chat)

    def twice(contact: Contact) -> Said:
        body = body_of(chat, contact, "/r 1 Chào bạn", "told-twice")
        chat.platform.courier.send(ZALO, contact.user_id, body)
        return Said("told-twice", chat.platform.courier.send(ZALO, contact.user_id, body))

    assert len(await member._do(twice)) == 1
    assert await chat.passes(seconds=7) == ["Chào bạn"]


async def test_an_edited_command_is_not_obeyed_again(chat: Chat) -> None:
    member = await counter(chat.of("lan", "messenger"), person="minh")
    lan = chat.of("lan", "messenger")
    await member.says("xin chào")
    line = next(line for line in reversed(member.contact.lines) if line.side == "person")
    await member._do(lambda contact: speech.edit(chat.platform, contact, line.message_id, "/r 1 Sửa rồi"))
    assert await lan.passes(seconds=7) == []


async def test_a_line_that_comes_late_is_not_obeyed(chat: Chat) -> None:
    member = await counter(chat)

    def late(contact: Contact) -> Said:
        body = body_of(chat, contact, "/r 1 Chào bạn", "late")
        chat.clock.pass_by(minutes=11)
        return Said("late", chat.platform.courier.send(ZALO, contact.user_id, body))

    (answer,) = await member._do(late)
    assert answer == "✗ Tin bạn nhắn lúc 10:00 23/11 tới muộn, nên chưa làm. Nhắn lại nếu vẫn cần."
    assert await chat.passes(seconds=7) == []


async def test_a_command_inside_of_a_line_is_plain_words(each: Chat) -> None:
    member = await counter(each)
    for line in ("Minh nhắn: /r 1 chào", "> /r 1 chào", "“/r 1 chào”", "xin\n/r 1 chào"):
        assert (await member.says(line))[0].startswith("✗ Chưa gửi. Gửi cho ai?"), line
    assert await each.passes(seconds=7) == []


async def test_a_quoted_message_is_not_read_only_who_it_was_about(each: Chat) -> None:
    member = await counter(each)
    await tell(each, "Minh", "[#{}] /r 1 đừng gửi")
    notice = member.contact.lines[-1]
    await member.says("Chào bạn", quoting=notice.message_id)
    assert await each.passes(seconds=7) == ["Chào bạn"]


async def test_a_reply_about_a_closed_or_reassigned_conversation_asks_first(each: Chat) -> None:
    member = await counter(each)
    await tell(each, "Minh", "[#{}] Lan hỏi")
    notice = member.contact.lines[-1]
    (sure,) = await member.says("/dong 1")
    await member.says("/ok " + sure.split("/ok ")[1][:4])
    (asked,) = await member.says("Còn hàng ạ", quoting=notice.message_id)
    assert asked.startswith("Cuộc trò chuyện với Nguyễn Thị Lan đã đóng.\nVẫn gửi “Còn hàng ạ”?")
    other = await pair(each.of("huong"), "Hương")
    await each.says("còn không shop?")
    await each.does(lambda session: hired(session, "Đức", Role.LEAD, each))
    await member.says("/giao 1 @Hương")
    await other.passes(seconds=0)
    (asked,) = await member.says("Còn hàng ạ", quoting=notice.message_id)
    assert asked.startswith("Hương đang phụ trách Nguyễn Thị Lan.\nVẫn gửi")
    assert other.contact.lines[-1].text.startswith("[#1] Nguyễn Thị Lan")
    assert each.contact.lines[-1].text != "Còn hàng ạ"


async def test_who_was_revoked_meanwhile_orders_nothing(each: Chat) -> None:
    member = await counter(each)
    minh = await each.does(lambda session: staff.named(session, "Minh"))
    await each.does(lambda session: staff.revoke(session, minh.id, each.clock()))
    await member.says("/r 1 Chào bạn")
    assert await each.passes(seconds=7) == []
    assert (await standing(each)).waiting_since is not None


async def test_a_code_in_a_group_pairs_nobody(chat: Chat) -> None:
    code = await chat.does(lambda session: hired(session, "Minh", Role.AGENT, chat))

    def in_group(contact: Contact) -> Said:
        body = body_of(chat, contact, code, "in-group") | {"event_name": "user_send_group_text", "group_id": "g1"}
        return Said("in-group", chat.platform.courier.send(ZALO, contact.user_id, body))

    contact = chat.contact
    said = in_group(contact)
    assert said.delivery is not None and await said.delivery.status == 200
    assert await chat.does(staff.chats) == []


async def test_what_could_not_be_told_is_held_and_told_when_they_check_in(each: Chat) -> None:
    member = await counter(each)
    each.clock.pass_by(days=8)
    await each.says(WAITS)
    await tell(each, "Minh", "[#{}] Lan hỏi")
    await each.passes(seconds=31)
    minh = await each.does(lambda session: staff.named(session, "Minh"))
    await each.does(notices.settle)
    (held,) = await each.does(lambda session: rows.held(session, minh.id, 5))
    assert held.kind == "test"
    shift, notice = await member.says("/ca")
    assert "· 1 thông báo chờ bạn" in shift and notice == "[#1] Lan hỏi"
    assert (await member.says("Chào bạn", quoting=member.contact.lines[-1].message_id))[0].startswith("⏳")
    assert (await who(each)).staff_id is None
