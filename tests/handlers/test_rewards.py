"""Rewards in dialogue: listed, looked at, taken once, used at the counter; stamps until the card is full."""

from __future__ import annotations

import re

from sqlmodel import Session

from crm import customers, ledger, vouchers
from crm.ledger import Fact
from storage import ledger_check
from tests.chat import Chat
from tests.crm.rewards import open_shop
from tests.handlers import pos
from tests.staff import order, pair

CODE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}")


async def shop(chat: Chat, points: int = 60) -> int:
    """Lan, linked, with so many points, in a shop with rewards; her id."""

    def begin(session: Session) -> int:
        open_shop(session, chat.clock())
        customer = customers.known(session, pos.LAN, chat.clock())
        ledger.earn(session, customer, points, Fact(key="gift", now=chat.clock()))
        return customer

    await pos.linked(chat)
    return await chat.does(begin)


async def balance(chat: Chat, customer: int) -> int:
    """The points that are held."""
    return await chat.does(lambda session: ledger.holding(session, customer).balance)


async def test_a_reward_is_chosen_looked_at_and_taken_once(each: Chat) -> None:
    lan = await shop(each)
    (listed,) = await each.says("đổi quà")
    assert listed.splitlines() == [
        "Bạn có 60 điểm. Quà đổi bằng điểm:",
        "1. Quà hạng Vàng: 5 điểm (dành cho hạng Vàng)",
        "2. Túi vải: 10 điểm (còn 1)",
        "3. Giảm 20.000đ: 20 điểm",
        "4. Ly cà phê: 30 điểm",
        "Bạn gửi số của món muốn đổi nhé.",
    ]
    (shown,) = await each.says("4")
    assert shown == "Đổi 30 điểm lấy Ly cà phê? Sau đó bạn còn 30 điểm. Voucher dùng trong 30 ngày."
    *_, first = await each.presses("Đổi ngay")
    payload = "kq:take:coffee:30:"
    assert CODE.search(first) and first.startswith("Đã đổi Ly cà phê. Mã của bạn: ") and payload not in first
    assert await balance(each, lan) == 30
    *_, mine = await each.says("voucher của tôi")
    assert mine.splitlines()[1] == f"• {CODE.search(first)[0]}: Ly cà phê, đến hết 23/12/2026"  # type: ignore[index]


async def test_a_wish_pressed_twice_is_one_and_a_forged_one_is_none(chat: Chat) -> None:
    lan = await shop(chat)
    *_, first = await chat.says("kq:take:coffee:30:a1b2")
    assert (await chat.says("kq:take:coffee:30:a1b2"))[-1] == first
    assert await balance(chat, lan) == 30
    (dear,) = await chat.says("kq:take:last:1:a1b3")
    assert dear == "Giá của quà này đã đổi. Bạn chưa bị trừ điểm."
    assert (await chat.says("kq:take:coffee:-5:a1b4"))[0].startswith("Bạn có 30 điểm.")
    assert (await chat.says("kq:reward:gold"))[0] == "Quà hạng Vàng dành cho hạng Vàng."
    assert await balance(chat, lan) == 30


async def test_english_speakers_read_tiers_in_english(chat: Chat) -> None:
    await shop(chat)
    await chat.says("English please")
    (listed,) = await chat.says("rewards")
    assert listed.splitlines()[1] == "1. A gift for Gold: 5 points (for Gold)"


async def test_english_speakers_read_in_english_what_they_took(chat: Chat) -> None:
    await shop(chat)
    await chat.says("kq:take:coffee:30:a1")
    assert "đổi điểm: Ly cà phê" in (await chat.says("lịch sử điểm"))[0]
    await chat.says("English please")
    (listed,) = await chat.says("points history")
    assert listed.splitlines()[1] == "23/11/2026: −30, spent: A coffee"


async def test_a_no_leaves_the_points_and_strangers_see_nothing(chat: Chat) -> None:
    lan = await shop(chat)
    await chat.says("kq:reward:coffee")
    assert await chat.says("không") == ["Vâng, mình không đổi. Điểm của bạn vẫn giữ nguyên."]
    assert await balance(chat, lan) == 60
    stranger = chat.of("minh")
    for words in ("đổi quà", "voucher của tôi", "tem", "kq:take:coffee:30:a1"):
        assert (await stranger.says(words))[0].startswith("Cuộc trò chuyện này chưa được liên kết"), words


async def test_staff_use_a_voucher_once_and_cancel_another(chat: Chat) -> None:
    lan = await shop(chat)
    await pair(chat.of("minh"))
    codes = [CODE.search((await chat.says(f"kq:take:coffee:30:a{n}"))[-1])[0] for n in (1, 2)]  # type: ignore[index]
    for code, action, done in (
        (codes[0].lower(), "", "✓ đã dùng Ly cà phê của Nguyễn Thị Lan."),
        (codes[1], " huỷ", "✓ đã hủy Ly cà phê của Nguyễn Thị Lan, trả lại 30 điểm."),
    ):
        (shown,) = await order(chat, "Minh", f"/v {code}{action}")
        assert shown.startswith("Voucher Ly cà phê của Nguyễn Thị Lan: ")
        assert await order(chat, "Minh", f"/ok {shown.split('/ok ')[1][:4]}") == [done]
    assert await order(chat, "Minh", f"/v {codes[0]}") == ["Voucher Ly cà phê của Nguyễn Thị Lan: đã dùng hết lượt."]
    assert "ký tự" in (await order(chat, "Minh", f"/v {codes[0][:-1]}0"))[0]
    assert await balance(chat, lan) == 30
    assert await chat.does(ledger_check.faults) == []


async def test_staff_stamp_a_card_until_it_is_full(chat: Chat) -> None:
    lan = await shop(chat)
    await pair(chat.of("minh"))
    assert await order(chat, "Minh", f"/tem {pos.LAN} 7") == ["✓ đã đóng 7 tem cho Nguyễn Thị Lan.\nThẻ cà phê: 7/9"]
    assert await chat.says("tem") == ["Thẻ cà phê: 7/9 tem, còn 2 tem nữa được Ly cà phê."]
    (full,) = await order(chat, "Minh", f"/tem {pos.LAN} 3")
    assert "Thẻ cà phê: 1/9\nThẻ đầy! Voucher mới của khách: " in full
    (voucher,) = await chat.does(lambda session: vouchers.of_customer(session, lan, chat.clock()))
    assert vouchers.shown(voucher.code) in full


async def test_a_voucher_is_seen_with_its_qr_code_when_taken_and_later_by_its_owner_alone(each: Chat) -> None:
    await shop(each)
    await each.says("kq:take:coffee:30:a1b2")
    (picture,) = [line.media for line in each.answers if line.media]
    await each.says("voucher của tôi")
    assert [line.media for line in each.answers if line.media] == [picture], "one alone is shown at once"
    await each.says("kq:take:last:10:a1b3")
    await each.says("voucher của tôi")
    assert not any(line.media for line in each.answers)
    await each.presses("Mã QR: Ly cà phê")
    assert [line.media for line in each.answers if line.media] == [picture]
    assert each.heard[-1].startswith("Ly cà phê. Mã: ") and "hết 23/12/2026" in each.heard[-1]
    await each.says("kq:voucher:12")
    assert each.heard[-1].startswith("Voucher của bạn:") and not any(line.media for line in each.answers)
