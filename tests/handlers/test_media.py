"""Pictures, stickers, voices, files and places get an honest answer."""

from __future__ import annotations

import pytest

from tests.chat import Chat


async def test_a_lone_sticker_gets_a_friendly_line(each: Chat) -> None:
    assert await each.sends_sticker() == ["Dễ thương quá! Mình là trợ lý tự động, bạn cần gì cứ nhắn nhé. 😊"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("audio", "tin thoại, nhưng chưa tự nghe được."), ("video", "video, nhưng chưa tự xem được."),
        ("file", "tệp, nhưng chưa tự mở được."),
    ],
)  # fmt: skip
async def test_what_the_bot_cannot_open_is_kept(each: Chat, kind: str, words: str) -> None:
    (answer,) = await each.sends(kind)
    assert answer.startswith(f"Mình đã lưu {words}")


async def test_a_photo_offers_a_request(each: Chat) -> None:
    (answer,) = await each.sends_photo()
    assert answer.startswith("Mình đã nhận ảnh và lưu lại")
    assert each.offered == ["Gửi yêu cầu hỗ trợ", "Gặp nhân viên"]


async def test_a_place_is_acknowledged(each: Chat) -> None:
    (answer,) = await each.sends_place()
    assert answer.startswith("Mình đã nhận và lưu vị trí của bạn.")


async def test_a_place_does_not_end_a_dialog(chat: Chat) -> None:
    await chat.says("khiếu nại")
    await chat.sends_place()
    (answer,) = await chat.says("giao sai chỗ này rồi")
    assert "T1" in answer
