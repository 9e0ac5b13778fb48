"""Points by staff: above the limit by two, frozen and freed, and an order's points explained rule by rule."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from sqlmodel import Session

from bot.staff import hearing
from crm import adjustments, customers, ledger, loyalty
from crm.ledger import FOREVER, Fact
from crm.orders import Item, Status
from crm.staff import Role
from storage import lots
from storage.tickets import Ticket
from tests.chat import Chat
from tests.crm import programme
from tests.crm.replay import rows
from tests.handlers import pos
from tests.staff import PIN, hired, office, order


@pytest.fixture
async def shop(chat: Chat) -> Chat:
    """A shop where more than 500 points need two; Mai and Hoa lead it."""
    await chat.does(lambda session: programme.load(session, programme.FULL, chat.clock()))
    await pos.linked(chat)
    for name in ("Mai", "Hoa"):
        await chat.does(lambda session, name=name: hired(session, name, Role.LEAD, chat))
    return chat


async def agreed(chat: Chat, name: str, line: str) -> str:
    """A command that is shown first and confirmed, with the PIN where that is asked for; the answer at last."""
    (shown,) = await order(chat, name, line)
    if "PIN" in shown:
        (shown,) = await order(chat, name, PIN)
    return "\n".join(await order(chat, name, f"/ok {code_in(shown)}"))


def code_in(shown: str) -> str:
    """The code that confirms what is shown."""
    found = re.search(r"/ok (\d{4})", shown)
    assert found is not None, shown
    return found[1]


async def spendable(chat: Chat) -> int:
    """What Lan can spend."""

    def read(session: Session) -> int:
        return loyalty.card(session, customers.find(session, pos.LAN).id, chat.clock()).spendable

    return await chat.does(read)


async def test_points_by_hand_expire_as_others_do(shop: Chat) -> None:
    assert (await agreed(shop, "Mai", f"/diem {pos.LAN} +50 quà")).endswith("đã cộng 50 điểm, còn 50.")
    (lot,) = await shop.does(lambda s: lots.open_lots(s, customers.find(s, pos.LAN).id, "spend"))
    assert lot.expires_at < FOREVER


async def test_more_than_the_limit_waits_for_a_second_person(shop: Chat) -> None:
    asked = await agreed(shop, "Mai", f"/diem {pos.LAN} +600 bù đơn lỗi")
    assert asked == "⏳ Nguyễn Thị Lan: cộng 600 điểm, chờ người thứ hai duyệt: /duyet 1"
    assert await spendable(shop) == 0
    assert await order(shop, "Mai", "/duyet") == ["1 · Nguyễn Thị Lan: +600 điểm (bù đơn lỗi), Mai xin"]
    assert (await order(shop, "Mai", "/duyet 1"))[0].startswith("✗ Cần người khác duyệt.")
    assert await agreed(shop, "Hoa", "/duyet 1") == "✓ đã duyệt 1 của Mai: Nguyễn Thị Lan +600 điểm."
    assert await spendable(shop) == 600
    assert (await order(shop, "Hoa", "/duyet 1"))[0].startswith("✗ Yêu cầu này đã được quyết định.")
    assert await order(shop, "Hoa", "/duyet") == ["Không có điểm nào chờ duyệt."]


async def test_what_a_second_person_refuses_never_comes(shop: Chat) -> None:
    await agreed(shop, "Mai", f"/diem {pos.LAN} +600 bù đơn lỗi")
    await order(shop, "Hoa", "/duyet")
    await order(shop, "Hoa", PIN)
    refused = await order(shop, "Hoa", "/duyet 1 không")
    assert refused == ["✓ không duyệt 1 của Mai: Nguyễn Thị Lan +600 điểm."]
    assert await spendable(shop) == 0 and await shop.does(adjustments.waiting) == []


async def test_frozen_points_are_not_spent_until_they_are_freed(shop: Chat) -> None:
    await shop.does(
        lambda s: ledger.earn(s, customers.find(s, pos.LAN).id, 40, Fact(key="gift", now=shop.clock())).points
    )
    await order(shop, "Mai", f"/khoadiem {pos.LAN} nghi gian lận")
    (frozen,) = await order(shop, "Mai", PIN)
    assert frozen.startswith("✓ đã khóa điểm của Nguyễn Thị Lan (nghi gian lận)")
    (heard,) = await shop.says("xem điểm")
    assert heard.startswith("Điểm của bạn đang tạm khóa.")
    assert await order(shop, "Mai", f"/khoadiem {pos.LAN} mở") == ["✓ Nguyễn Thị Lan dùng điểm lại được."]
    assert await shop.says("xem điểm") != [heard]


async def test_an_orders_points_are_explained_rule_by_rule_and_add_up(shop: Chat) -> None:
    items = (Item("Cà phê hạt", 3, 100_000, category="beans"),)
    await pos.tells_of_order(shop, "DH7", status=Status.DELIVERED, total=400_000, items=items)
    (told,) = await order(shop, "Mai", "/thudiem DH7")
    assert told.splitlines() == [
        "DH7 · Nguyễn Thị Lan · đã giao · 400.000đ",
        "✓ +40 điểm: 1 điểm cho mỗi 10.000đ",
        "✓ +15 điểm: thêm 5 điểm mỗi gói cà phê hạt",
        "✗ hạng Vàng thêm 50% (chưa ở hạng này lúc đặt)",
        "✓ +20 điểm: đơn đầu tiên",
        "= 75 điểm, sổ đang ghi 75.",
    ]
    await pos.tells_of_order(shop, "DH8", status=Status.CANCELLED)
    (told,) = await order(shop, "Mai", "/thudiem DH8")
    assert told.splitlines()[-1] == "Đơn ở trạng thái này chưa có điểm, sổ đang ghi 0."
    assert (await order(shop, "Mai", "/thudiem DH9"))[0].startswith("✗ Không có đơn “DH9”.")


async def test_all_of_it_is_told_in_english_too(shop: Chat) -> None:
    english = replace(office(shop), locale="en")

    async def gives(name: str, line: str) -> str:
        give = partial(hearing.order, office=english, name=name, line=line, now=shop.clock())
        return await shop.does(lambda session: give(session).said[-1].text)

    await pos.tells_of_order(shop, "DH7", status=Status.DELIVERED, total=400_000)
    assert (await gives("Mai", "/explain DH7")).endswith("= 60 points; the ledger holds 60.")
    await gives("Mai", f"/points {pos.LAN} +600 late parcel")
    shown = await gives("Mai", PIN)
    assert "a second one must approve it" in shown
    assert "/approve 1" in await gives("Mai", f"/ok {code_in(shown)}")
    assert (await gives("Mai", "/approve")).endswith("asked by Mai")
    await gives("Hoa", "/approve 1")
    shown = await gives("Hoa", PIN)
    assert (await gives("Hoa", f"/ok {code_in(shown)}")).startswith("✓ approved 1 of Mai")
    assert "are frozen (look)" in await gives("Hoa", f"/freeze {pos.LAN} look")
    assert "can spend points again" in await gives("Hoa", f"/freeze {pos.LAN} open")


async def test_staff_join_a_chat_to_a_customer_whose_points_it_sees_from_then_on(shop: Chat) -> None:
    other = shop.of("minh")
    await other.says("xem điểm")
    (listed,) = await order(shop, "Mai", "/tim Minh")
    number = re.search(r"\b(\d+)\b", listed)
    assert number is not None, listed
    await shop.does(
        lambda s: ledger.earn(s, customers.known(s, "KH77", shop.clock()), 40, Fact(key="g", now=shop.clock())).points
    )
    done = await agreed(shop, "Mai", f"/noi {number[1]} KH77")
    assert done.startswith("✓ chat của") and "KH77" in done
    (heard,) = await other.says("xem điểm")
    assert heard.startswith("Bạn đang có 40 điểm.")
    third = shop.of("nam")
    await third.says("chào shop")
    (found,) = await order(shop, "Mai", "/tim Nam")
    nam = re.search(r"\b(\d+)\b", found)
    assert nam is not None, found
    for line, why in (
        (f"/noi {number[1]} KH77", "đã là của một khách POS"),
        (f"/noi {nam[1]} {nam[1]}", "Cần khách của POS"),
        (f"/noi {nam[1]} KH99", "Không có khách “KH99”"),
    ):
        assert why in (await order(shop, "Mai", line))[0]


async def test_a_chat_that_was_joined_by_mistake_is_split_off_with_its_tickets_and_may_be_joined_anew(
    shop: Chat,
) -> None:
    other = shop.of("minh")
    await other.says("mình cần hỗ trợ")
    await other.says("hàng bị vỡ, hộp móp hết")
    (listed,) = await order(shop, "Mai", "/tim Minh")
    number = re.search(r"\b(\d+)\b", listed)
    assert number is not None, listed
    for name, points in (("KH77", 40), ("KH78", 7)):
        gift = Fact(key=name, now=shop.clock())
        await shop.does(
            lambda s, n=name, p=points, g=gift: ledger.earn(s, customers.known(s, n, shop.clock()), p, g).points
        )
    await agreed(shop, "Mai", f"/noi {number[1]} KH77")
    done = await agreed(shop, "Mai", f"/tach {number[1]}")
    assert done.startswith("✓ chat của") and "đã tách khỏi" in done
    (heard,) = await other.says("xem điểm")
    assert "chưa xem được điểm" in heard
    owners = await shop.does(lambda s: [customers.name_of(s, row["customer_id"]) for row in rows(s, Ticket)])
    assert owners == [""], "the ticket is the chat's"
    refused = await order(shop, "Mai", f"/tach {number[1]}")
    assert "chưa là của khách POS nào" in refused[0]
    assert "KH78" in await agreed(shop, "Mai", f"/noi {number[1]} KH78")
    (heard,) = await other.says("điểm của tôi")
    assert heard.startswith("Bạn đang có 7 điểm.")
