"""The member's card in a chat: a picture with the same words below it, for members alone."""

from __future__ import annotations

from crm.orders import Status
from storage import drawings
from storage.columns import NEVER
from tests.chat import Chat
from tests.handlers import pos
from tests.handlers.test_loyalty import NOT_LINKED


def uploads(chat: Chat) -> int:
    """How many pictures the platforms were given."""
    return sum(call.kind.startswith("upload") for call in chat.platform.journal)


async def test_a_member_sees_their_card_and_a_new_one_when_it_says_something_new(each: Chat) -> None:
    await pos.linked(each)
    await pos.tells_of_order(each, "DH1", status=Status.DELIVERED, total=12_500_000)
    for words in ("cho mình xem thẻ thành viên", "mã thành viên của mình"):
        await each.says(words)
        assert sum(bool(line.media) for line in each.answers) == 1
        assert "của Nguyễn Thị Lan" in each.heard[-1]
        assert "Điểm dùng được: 1.250" in each.heard[-1]
        assert uploads(each) == 1
    await pos.tells_of_order(each, "DH2", status=Status.DELIVERED, total=10_000)
    await each.says("thẻ của tôi")
    assert "Điểm dùng được: 1.251" in each.heard[-1]
    assert uploads(each) == 2


async def test_who_is_not_linked_sees_no_card(each: Chat) -> None:
    await pos.tells_of_lan(each)
    assert await each.says("xem thẻ") == [NOT_LINKED]
    assert uploads(each) == 0


async def test_a_card_in_english(chat: Chat) -> None:
    await pos.linked(chat)
    await chat.says("show me my member card please")
    assert "Points to spend: 0" in chat.heard[-1]


async def test_old_pictures_are_forgotten(chat: Chat) -> None:
    await pos.linked(chat)
    await chat.says("xem thẻ")
    assert await chat.does(lambda s: drawings.purge(s, NEVER, 10)) == 0
    kept = await chat.does(lambda s: drawings.purge(s, chat.clock(), 10))
    assert kept == 1
    assert await chat.does(lambda s: drawings.purge(s, chat.clock(), 10)) == 0
    await chat.says("xem thẻ")
    assert uploads(chat) == 2
