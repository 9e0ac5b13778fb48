"""Staff in the chat: how a chat becomes theirs, what is no command, help, and playing a customer."""

from __future__ import annotations

import pytest

from crm import staff
from crm.staff import Role
from storage import transcripts
from tests.chat import Chat
from tests.staff import hired, order, pair


async def test_a_code_makes_a_chat_a_member_of_staffs_once(each: Chat) -> None:
    await pair(each.of("minh"))
    code = await each.does(lambda session: hired(session, "Hương", Role.LEAD, each))
    assert (await each.of("huong").says(f" {code.lower()} "))[0].startswith("✓ Chào Hương!")
    assert "Chào" not in (await each.of("duc").says(code))[0]


async def test_a_customer_learns_nothing_of_commands_or_codes(each: Chat) -> None:
    (unknown,) = await each.says("hjkl")
    for person, line in {"mai": "/hjkl", "duc": "/vao", "vy": "NV-ABCDE-FGHJK", "bao": "/hjkl off"}.items():
        assert await each.of(person).says(line) == [unknown], line


async def test_codes_expire_and_are_not_guessed_for_ever(chat: Chat) -> None:
    code = await chat.does(lambda session: hired(session, "Minh", Role.AGENT, chat))
    chat.clock.pass_by(minutes=16)
    assert "Chào" not in (await chat.of("minh").says(code))[0]
    guesser = chat.of("duc")
    for number in range(5):
        await guesser.says(f"NV-ABCDE-FGHJ{number + 2}")
    member = await chat.does(lambda session: staff.named(session, "Minh"))
    fresh = await chat.does(lambda session: staff.issue_pairing(session, member.id, chat.clock()))
    assert "Chào" not in (await guesser.says(fresh))[0]
    assert (await chat.of("minh").says(fresh))[0].startswith("✓ Chào Minh!")


async def test_help_is_short_and_by_role(each: Chat) -> None:
    await pair(each)
    (agent,) = await each.says("/help")
    assert agent.startswith("Lệnh của bạn (agent):") and len(agent.splitlines()) <= 12
    assert "/ds" in agent
    (one,) = await each.says("/trợ giúp ds")
    assert one.startswith("/ds [toi | het]: ") and "Ví dụ: /ds toi" in one


@pytest.mark.parametrize("line", ["/đs", "/DS", "/danhsach", "/Danh  sách", "/waiting", "/chờ"])
async def test_names_match_without_accents_and_in_english(chat: Chat, line: str) -> None:
    await pair(chat)
    assert await chat.says(line) == ["Không có ai."]


async def test_every_name_that_help_shows_is_obeyed_and_explained(chat: Chat) -> None:
    member = await pair(chat.of("minh"))
    await chat.says("cho mình gặp nhân viên")
    await member.says("/ds")
    assert "/trả lời" in (await member.says("/help trả lời"))[0]
    assert (await member.says("/trả lời 1 Đơn đang giao ạ"))[0].startswith("⏳ 6 giây nữa gửi Nguyễn Thị Lan #1 (Zalo")
    assert await chat.passes(seconds=7) == ["Đơn đang giao ạ"]


async def test_an_unknown_command_is_never_guessed(each: Chat) -> None:
    await pair(each)
    (answer,) = await each.says("/hepl ds")
    assert answer.startswith("✗ Không có lệnh /hepl, nên chưa làm gì. Gần giống:\n• /help")
    assert answer.count("•") == 3


async def test_plain_words_go_to_nobody(each: Chat) -> None:
    await pair(each)
    (answer,) = await each.says("đơn của bạn đang giao ạ")
    assert answer.startswith("✗ Chưa gửi. Gửi cho ai?")


async def test_who_waits_is_listed_under_short_numbers(each: Chat) -> None:
    member = await pair(each.of("minh"))
    await each.says("cho mình gặp nhân viên")
    each.clock.pass_by(minutes=3)
    (listed,) = await member.says("/ds")
    assert listed.startswith("#1 Nguyễn Thị Lan (") and "chờ 3 phút: “cho mình gặp nhân viên”" in listed


async def test_what_staff_write_is_no_line_of_a_customer(each: Chat) -> None:
    await pair(each)
    await each.says("/ds")
    await each.says("hello")
    (who,) = await each.does(staff.chats)
    lines = await each.does(lambda session: transcripts.latest(session, who.identity_id))
    assert [line.author for line in lines] == ["customer", "bot", "bot", "bot"]


async def test_staff_may_play_a_customer(each: Chat) -> None:
    (menu,) = await each.of("mai").says("hjkl")
    await pair(each)
    assert "Tới" in (await each.says("/khach on"))[0]
    assert await each.says("/hjkl") == [menu]
    assert (await each.says("/khách off"))[0].startswith("✓ Bạn lại là nhân viên")
    await each.says("/khach on")
    each.clock.pass_by(minutes=61)
    assert (await each.says("hjkl"))[0].startswith("✗ Chưa gửi")


async def test_revoked_staff_are_customers_again_at_once(each: Chat) -> None:
    (unknown,) = await each.of("mai").says("hjkl")
    await pair(each)
    member = await each.does(lambda session: staff.named(session, "Minh"))
    await each.does(lambda session: staff.revoke(session, member.id, each.clock()))
    assert await each.says("/hjkl") == [unknown]


async def test_the_command_line_speaks_the_same(chat: Chat) -> None:
    await pair(chat)
    assert await order(chat, "minh", "/ds") == ["Không có ai."]
    assert (await order(chat, "Minh", "xin chào"))[0].startswith("✗ Chưa gửi")
    assert (await order(chat, "Minh", "/khach on"))[0].startswith("✗ Chỉ dùng được trong chat.")
