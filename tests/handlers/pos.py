"""The shop's own system: it tells us of customers and orders."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from crm import customers, orders
from crm.orders import Item, News, Status
from tests.chat import Chat

LAN = "KH001"
MINH = "KH002"


async def tells_of_lan(chat: Chat, phone: str = "0901234501") -> None:
    """A customer with Lan's phone number."""
    await chat.does(lambda s: customers.put_customer(s, LAN, now=chat.clock(), name="Nguyễn Thị Lan", phone=phone))


async def tells_of_minh(chat: Chat) -> None:
    """Somebody else."""
    await chat.does(lambda s: customers.put_customer(s, MINH, now=chat.clock(), name="Minh", phone="0901234502"))


async def tells_of_order(
    chat: Chat,
    code: str,
    *,
    owner: str = LAN,
    status: Status = Status.SHIPPING,
    total: int = 250_000,
    days_ago: int = 0,
    items: tuple[Item, ...] = (Item("Áo thun trắng", 2, 100_000), Item("Nón", 1, 50_000)),
) -> None:
    """An order as it stands now."""
    placed = chat.clock() - timedelta(days=days_ago)
    news = News("pos", code, owner, status, total, 1, placed, chat.clock(), items, code)
    await chat.does(lambda s: orders.put(s, news, chat.clock()))


async def prints_code(chat: Chat, owner: str = LAN) -> str:
    """A code on a receipt of this customer."""

    def issue(session: Session) -> str:
        return customers.issue_code(session, customers.known(session, owner, chat.clock()), chat.clock())

    return await chat.does(issue)


async def linked(chat: Chat) -> Chat:
    """The same chat, after Lan is known to the shop and has shared her number."""
    await tells_of_lan(chat)
    await chat.shares_phone()
    assert "liên kết" in chat.heard[-1]
    return chat
