"""Segments saved in the chat: where a name ends and the segment begins."""

from __future__ import annotations

import pytest

from crm.staff import Role
from tests.chat import Chat
from tests.staff import hired, order


async def says(chat: Chat, line: str) -> str:
    """What is answered to a line of Hoa's."""
    return "\n".join(await order(chat, "Hoa", line))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("khach_si don>=3", "khach_si"), ("khach_si = don>=3", "khach_si"), ("khach_si: don>=3", "khach_si"),
        ("khach_si=don>=3", "khach_si"), ('"Khách sỉ" don>=3', "khach_si"), ("“Khách sỉ” = don>=3", "khach_si"),
        ("Khách sỉ = don>=3", "khach_si"), ("Khách sỉ lâu năm: don>=3", "khach_si_lau_nam"),
    ],
)  # fmt: skip
async def test_a_name_may_have_several_words(chat: Chat, line: str, name: str) -> None:
    await chat.does(lambda session: hired(session, "Hoa", Role.ADMIN, chat))
    assert (await says(chat, f"/nhom luu {line}")).startswith(f"✓ Đã lưu nhóm {name} (bản 1): don>=3")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Khách sỉ don>=3 va sdt", 'Tên nhiều chữ thì đặt trong ngoặc kép: /nhom luu "Khách sỉ" don>=3 va sdt'),
        ("khach_si", "Ghi tên rồi tới nhóm: /nhom luu vip_moi vip va tao<30ngay."),
        ("", "Ghi tên rồi tới nhóm: /nhom luu vip_moi vip va tao<30ngay."),
        ("khach_si hagn>=vang", "Không có từ “hagn”. Có phải: nhan, hang, hethan? (ở ký tự thứ 1)"),
    ],
)
async def test_what_cannot_be_a_name_and_a_segment_says_what_to_write(chat: Chat, line: str, told: str) -> None:
    await chat.does(lambda session: hired(session, "Hoa", Role.ADMIN, chat))
    assert await says(chat, f"/nhom luu {line}") == f"✗ {told}"


async def test_a_comparison_behind_a_name_of_one_word_is_no_end_of_the_name(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Hoa", Role.ADMIN, chat))
    assert (await says(chat, "/nhom luu ba_don don=3")).startswith("✓ Đã lưu nhóm ba_don (bản 1): don=3")


async def test_why_tells_of_a_chat_that_is_joined_to_nobody(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Hoa", Role.ADMIN, chat))
    await chat.says("nhận quảng cáo")
    told = await says(chat, f"/visao {chat.contact.user_id} dongy:zalo")
    first, clause, last = told.splitlines()
    assert first.endswith("thuộc nhóm này:") and clause == "✓ dongy:zalo · zalo đã đồng ý"
    assert last == "Chat này chưa nối với khách nào của POS: chỉ xét những gì biết từ chat."
    assert (await says(chat, "/visao 999999 dongy")).startswith("✗ Không có khách “999999”")
