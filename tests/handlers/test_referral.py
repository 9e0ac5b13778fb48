"""Bringing friends in a chat: a code and a link, what the friend hears, and what both get."""

from __future__ import annotations

from crm import referrals
from crm.orders import Status
from simulator.people import MESSENGER, ZALO
from tests.chat import Chat
from tests.crm import programme
from tests.crm.test_referrals import PROGRAMME
from tests.handlers import pos

NONE = "Hiện Tiệm Mây chưa có chương trình giới thiệu bạn."
PROMISED = (
    "Mời bạn bè: khi đơn đầu tiên của bạn ấy giao xong, bạn nhận 50 điểm, bạn ấy nhận 30 điểm.\nMã giới thiệu của bạn: "
)
CAME = (
    "Mình đã ghi nhận bạn được bạn bè giới thiệu. Khi đơn đầu tiên giao xong, bạn nhận 30 điểm.\n"
    "Bạn liên kết số điện thoại dùng khi mua để được cộng điểm nhé."
)
OWN = "Đây là mã của chính bạn, bạn gửi cho bạn bè nhé."
LINKS = {ZALO: "https://zalo.me/", MESSENGER: "https://m.me/"}


async def invites(chat: Chat, source: str = PROGRAMME) -> str:
    """Lan, a member of a programme that rewards friends, asks for her code; the code."""
    await chat.does(lambda s: programme.load(s, source, chat.clock()))
    await pos.linked(chat)
    (answer,) = await chat.says("giới thiệu bạn bè")
    assert answer.startswith(PROMISED)
    assert LINKS[chat.channel] in answer
    return referrals.code_in(answer.removeprefix(PROMISED))


async def test_without_such_rewards_nobody_is_promised_any(chat: Chat) -> None:
    await pos.linked(chat)
    assert await chat.says("giới thiệu bạn bè") == [NONE]


async def test_a_friend_types_the_code_buys_and_both_have_points(each: Chat) -> None:
    code = await invites(each)
    friend = each.of("minh")
    assert await friend.says(f"mã giới thiệu {code}") == [CAME]
    await pos.tells_of_minh(friend)
    await friend.shares_phone()
    each.clock.pass_by(hours=1)
    await pos.tells_of_order(each, "DH9", owner=pos.MINH, status=Status.DELIVERED)
    await each.passes(days=4)
    await friend.says("xem điểm")
    assert friend.heard[-1].startswith("Bạn đang có 30 điểm.")
    await each.says("xem điểm")
    assert each.heard[-1].startswith("Bạn đang có 50 điểm.")
    await each.says("mã giới thiệu của tôi")
    assert "giới thiệu thành công 1 người" in each.heard[-1]


async def test_both_are_told_once_when_it_is_given(each: Chat) -> None:
    code = await invites(each, PROGRAMME.replace("wait_days = 3", "wait_days = 0"))
    friend = each.of("minh")
    await friend.says(f"mã giới thiệu {code}")
    await pos.tells_of_minh(friend)
    await friend.shares_phone()
    each.clock.pass_by(minutes=1)
    heard = []
    for _ in range(2):
        await pos.tells_of_order(each, "DH9", owner=pos.MINH, status=Status.DELIVERED)
        heard += await each.passes(minutes=1)
    assert heard == ["Bạn bè bạn giới thiệu vừa mua đơn đầu tiên: bạn được cộng 50 điểm. Cảm ơn bạn nhé!"]
    assert friend.heard.count("Đơn đầu tiên của bạn đã xong: bạn được cộng 30 điểm vì có bạn bè giới thiệu.") == 1


async def test_a_code_is_asked_for_and_a_wrong_one_told(each: Chat) -> None:
    code = await invites(each)
    friend = each.of("minh")
    await friend.says("mình có mã giới thiệu")
    assert "gồm 7 chữ và số" in friend.heard[-1]
    await friend.says("2222223")
    assert "chưa thấy mã giới thiệu này" in friend.heard[-1]
    assert await friend.says(code.lower()) == [CAME]


async def test_ones_own_code_is_refused(each: Chat) -> None:
    code = await invites(each)
    assert await each.says(f"mã giới thiệu {code}") == [OWN]


async def test_who_comes_by_the_link_needs_no_code(chat: Chat) -> None:
    code = await invites(chat.of("lan", MESSENGER))
    heard = await chat.of("minh", MESSENGER).follows(f"gt-{code}")
    assert heard[0] == CAME
    assert heard[1].startswith("Chào ")


async def test_a_link_that_brings_nobody_is_answered_as_always(chat: Chat) -> None:
    (greeting,) = await chat.of("minh", MESSENGER).follows("gt-2222222")
    assert greeting.startswith("Chào ")
