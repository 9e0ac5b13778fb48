"""Staff send pictures: only where words would go, copied, checked and made small, and told truly."""

from __future__ import annotations

import io
import random
from datetime import timedelta

import pytest
from PIL import Image

from bot.drawing.artist import Artist, Undrawn
from crm import ready
from crm.ready import Kind
from crm.staff import Role
from simulator.chat import Line
from simulator.people import MESSENGER, ZALO, ZALO_BOT
from storage import drawings, media
from storage.ready import ReadyRow
from tests.chat import Chat
from tests.handlers.test_staff_answers import counter
from tests.staff import pair

LAN = "Nguyễn Thị Lan"


def photo(side: int, form: str = "JPEG") -> bytes:
    """A picture that hardly becomes smaller."""
    image = Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3))
    made = io.BytesIO()
    image.save(made, form, quality=95)
    return made.getvalue()


def pictures(chat: Chat) -> list[Line]:
    """The pictures that the brand sent to this person."""
    return [line for line in chat.contact.lines if line.side != "person" and line.kind == "image"]


async def test_a_picture_goes_to_whom_one_entered_and_can_be_taken_back(each: Chat) -> None:
    member = await counter(each)
    await member.says("/vao 1")
    (told,) = await member.sends("image")
    assert told.startswith(f"⏳ 6 giây nữa gửi 1 ảnh cho {LAN} #1 (")
    assert await member.says("/huy") == [f"✓ Đã rút lại, {LAN} không nhận được gì."]
    await each.passes(seconds=7)
    assert pictures(each) == []
    await member.sends("image")
    await each.passes(seconds=7)
    assert len(pictures(each)) == 1
    assert member.heard[-1].startswith(f"✓ đã gửi {LAN} #1")


async def test_a_picture_without_anybody_to_go_to_goes_to_nobody(each: Chat) -> None:
    member = await counter(each)
    (asked,) = await member.sends("image")
    assert asked.startswith("✗ Chưa gửi. Gửi cho ai?")
    await member.says("/pin")
    (where,) = await member.sends("image")
    assert where.startswith("✗ Chưa gửi ảnh.")
    await each.passes(seconds=7)
    assert pictures(each) == []


async def test_words_under_a_picture_name_its_customer(chat: Chat) -> None:
    member = await counter(chat)
    assert (await member.sends_photo("/r 1 Hộp của bạn đây ạ"))[0].startswith("⏳")
    await chat.passes(seconds=7)
    assert [line.text for line in pictures(chat)] == ["Hộp của bạn đây ạ"]
    assert (await member.sends_photo("/kh 1"))[0].startswith("✗ Chưa gửi ảnh.")
    (asked,) = await (await pair(chat.of("huong"), "Hương")).says("/ds")
    assert asked == "Không có ai."


async def test_two_who_answer_are_told_of_each_other_before_a_picture_goes(chat: Chat) -> None:
    first = await counter(chat)
    second = await pair(chat.of("huong"), "Hương")
    await second.says("/ds")
    await first.says("/r 1 Chào bạn")
    (asked,) = await second.sends_photo("/r 1")
    assert asked.splitlines()[-2] == "Vẫn gửi 1 ảnh?"
    await chat.passes(seconds=7)
    assert pictures(chat) == []
    assert (await second.says("/ok " + asked.split("/ok ")[1][:4]))[0].startswith("⏳ 6 giây nữa gửi 1 ảnh")
    await chat.passes(seconds=7)
    assert len(pictures(chat)) == 1


@pytest.mark.parametrize("channel", [ZALO, MESSENGER])
async def test_a_picture_from_the_shops_bot_reaches_a_customer(with_bot: Chat, channel: str) -> None:
    lan = with_bot.of("lan", channel)
    member = await pair(with_bot.of("minh", ZALO_BOT), "Minh")
    await lan.says("cho mình gặp nhân viên")
    await member.says("/ds")
    await member.says("/vao 1")
    assert (await member.sends_picture(photo(200)))[0].startswith("⏳ 6 giây nữa gửi 1 ảnh")
    await lan.passes(seconds=7)
    assert len(pictures(lan)) == 1


async def test_a_large_picture_is_made_small_enough(chat: Chat) -> None:
    content = photo(1100)
    assert len(content) > 1_200_000
    member = await counter(chat)
    await member.says("/vao 1")
    await member.sends_picture(content)
    await chat.passes(seconds=7)
    (shown,) = pictures(chat)
    assert member.heard[-1].startswith("✓ đã gửi")
    kept = chat.platform.media.get(shown.media.rpartition("/")[2])
    assert kept is not None and len(kept.content) <= 1_000_000 and kept.content_type == "image/jpeg"


async def test_what_is_no_picture_does_not_go_out_and_that_is_said(chat: Chat) -> None:
    member = await counter(chat)
    await member.says("/vao 1")
    await member.sends_picture(b"<html>not a picture</html>")
    await chat.passes(seconds=7)
    assert pictures(chat) == []
    assert member.heard[-1].startswith(f"✗ không gửi được cho {LAN} #1:")


async def test_a_picture_is_shrunk_upright_and_what_is_none_is_refused() -> None:
    artist = Artist()
    try:
        image = Image.new("RGBA", (300, 200), (255, 0, 0, 0))
        made = io.BytesIO()
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(made, "PNG", exif=exif)
        with Image.open(io.BytesIO(await artist.shrink(made.getvalue(), 100_000))) as shrunk:
            assert (shrunk.format, shrunk.size, shrunk.getpixel((5, 5))) == ("JPEG", (200, 300), (255, 255, 255))
        with pytest.raises(Undrawn):
            await artist.shrink(b"no picture", 100_000)
    finally:
        await artist.close()


async def canned(chat: Chat, name: str) -> ReadyRow:
    """A canned reply as it is kept."""
    return await chat.does(lambda session: ready.named(session, Kind.REPLY, name))


async def test_a_canned_reply_gets_the_picture_that_is_sent_for_it_and_shows_it(each: Chat) -> None:
    member = await counter(each, role=Role.LEAD)
    await member.says("/mausua size Bảng size đây ạ")
    (asked,) = await member.says("/mauanh size")
    assert asked.startswith("Gửi ảnh cho mẫu size vào chat này")
    assert (await member.sends_picture(photo(40)))[0] == "⏳ Đang lưu ảnh cho mẫu size."
    await member.passes(seconds=0)
    assert member.contact.lines[-1].text == "✓ Đã lưu ảnh cho mẫu size."
    assert (await canned(each, "size")).picture.startswith("media:")
    assert "Ảnh: đã lưu ở đây" in (await member.says("/mau size"))[0]
    await each.passes(seconds=7)
    assert pictures(each) == [], "nothing of it went to a customer"
    await member.says("/mau size 1")
    await each.passes(seconds=7)
    assert len(pictures(each)) == 1


async def test_what_is_no_picture_leaves_the_canned_reply_as_it_was(each: Chat) -> None:
    member = await counter(each, role=Role.LEAD)
    await member.says("/mausua size Bảng size đây ạ")
    await member.says("/mauanh size")
    await member.sends_picture(b"no picture at all")
    await member.passes(seconds=0)
    assert member.contact.lines[-1].text.startswith("✗ Ảnh cho mẫu size chưa lưu được: Đây không phải ảnh")
    await member.says("/mauanh size")
    assert (await member.says("không có ảnh"))[0].startswith("✗ Ảnh cần địa chỉ bắt đầu bằng https://.")
    assert (await canned(each, "size")).picture == ""


async def test_the_picture_under_the_command_is_taken_and_kept_while_it_is_shown(chat: Chat) -> None:
    member = await counter(chat, role=Role.LEAD)
    await member.says("/mausua size Bảng size đây ạ")
    assert (await member.sends_photo("/mauanh size"))[0] == "⏳ Đang lưu ảnh cho mẫu size."
    await member.passes(seconds=0)
    kept = (await canned(chat, "size")).picture.removeprefix("media:")
    later = chat.clock() + timedelta(days=60)

    async def is_there() -> bool:
        await chat.does(lambda session: drawings.purge(session, later, 100))
        return await chat.does(lambda session: media.find(session, kept) is not None)

    assert await is_there()
    await member.says("/r 1 Chào bạn")
    await member.says("/mau size 1")
    await chat.passes(seconds=7)
    assert await is_there()
    await member.says("/mauanh size -")
    assert not await is_there()
