"""Words in messages, found by staff in their chat: accents do not matter, and it says what was not looked at."""

from __future__ import annotations

from simulator.chat import Line
from tests.chat import Chat
from tests.handlers.test_staff_answers import counter

LAN = "Nguyễn Thị Lan"


async def everything(member: Chat, line: str) -> list[Line]:
    """What a member of staff is answered, also by what goes on behind it."""
    before = len(member.contact.lines)
    await member.says(line)
    await member.passes(seconds=0)
    return [each for each in list(member.contact.lines)[before:] if each.side != "person"]


async def looks(member: Chat, line: str) -> str:
    """What comes of looking."""
    asked, found = await everything(member, line)
    assert asked.text.startswith("🔎 Đang tìm")
    return found.text


async def test_words_are_found_without_accents_and_the_conversation_has_a_number(each: Chat) -> None:
    await each.says("hộp bánh bị móp hết một góc rồi shop ơi")
    member = await counter(each)
    found = await looks(member, '/tim "HOP mop"')
    place = f"#1 {LAN} ({each.channel.title()}, 10:00 23/11) ‹ “hộp bánh bị móp hết một góc rồi shop ơi”"
    assert found == f"{place}\n/vao 1 để xem cuộc trò chuyện"
    assert (await looks(member, "/tìm “không có đâu”")) == "Không thấy tin nào có “không có đâu”."
    assert (await member.says('/tim "a"'))[0].startswith("✗ Gõ thêm vài chữ để tìm.")


async def test_staffs_own_words_and_what_was_taken_back_are_not_found(each: Chat) -> None:
    member = await counter(each)
    await member.says("khách này khó tính ghê")
    await member.says("/r 1 khó tính thật")
    await member.says("/huy")
    assert (await looks(member, '/tim "kho tinh"')).startswith("Không thấy tin nào")
    await member.says("/r 1 Dạ khó tính mấy cũng chiều ạ")
    await each.passes(seconds=7)
    assert "› “Dạ khó tính mấy cũng chiều ạ”" in await looks(member, '/tim "kho tinh"')


async def test_older_messages_are_asked_for_by_the_line_that_is_shown(chat: Chat) -> None:
    for number in range(12):
        await chat.says(f"giá món {number} sao shop")
        chat.clock.pass_by(minutes=1)
    member = await counter(chat)
    found = await looks(member, '/tim "gia mon"')
    assert "món 11" in found and "món 2 " in found and "món 1 " not in found
    line = next(line for line in found.splitlines() if line.startswith("Tin cũ hơn"))
    older = await looks(member, line.removeprefix("Tin cũ hơn chưa tìm: "))
    assert "món 1 " in older and "món 0 " in older and "Tin cũ hơn" not in older
