"""A history of points worked out by hand on paper, told through the API and asked in the chat alone."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import points
from tests.chat import Chat, chatting
from tests.conftest import Clock
from tests.crm import programme

KEY = "a key of the till"
PAPER = """
name = "Sổ tay"

[points]
wait_days = 1
expire_months = 1
approve_above = 500

[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1

[[rule]]
id = "tea"
vi = "thêm 2 điểm mỗi hộp trà"
en = "2 more for each box of tea"
each = 2
products = ["Trà sen"]
"""
"""On paper, all times in Việt Nam:

    23/11  A: 255.000đ                         +25          usable 24/11, until 24/12
    25/11  B: 1.000.000đ with 3 boxes of tea   +100 +6      usable 26/11, until 26/12
    27/11  C: 99.000đ                          +9           usable 28/11, until 28/12
    29/11  of B 355.000đ with 1 box go back    645.000đ: 64 + 4 = 68, so −38
    30/11  40 are spent                        25 of A, 15 of B: 53 of B and 9 of C are left
    27/12  B is over                           −53; 9 are left
"""


@pytest.fixture
async def chat(sqlite_template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[Chat]:
    """Lan on Zalo, in a shop whose till has a key."""
    path = tmp_path / "chat.db"
    shutil.copy(sqlite_template, path)
    async with chatting(f"sqlite:///{path}", clock, api_key=KEY) as running:
        yield running


@asynccontextmanager
async def till(chat: Chat) -> AsyncIterator[aiohttp.ClientSession]:
    """The shop's till."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(f"{chat.platform.courier.bot_url}/api/v1/", headers=headers) as session:
        yield session


async def tells(till: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A call that succeeds."""
    async with till.request(method, path, json=body) as response:
        found: dict[str, Any] = await response.json()
        assert response.status == 200, found
        return found


async def buys(till: aiohttp.ClientSession, name: str, day: str, total: int, tea: int = 0) -> None:
    """An order that is delivered at ten in the morning of this day."""
    items = [{"name": "Trà sen", "quantity": tea, "price": 100_000}] if tea else []
    at = f"{day}T10:00:00+07:00"
    body = {"customer": "KH1", "status": "delivered", "total": total, "items": items, "placed_at": at, "code": name}
    await tells(till, "PUT", f"orders/pos/{name}", {**body, "updated_at": at})


def at(clock: Clock, text: str) -> None:
    """It is this time in Việt Nam."""
    clock.now = datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)


async def test_what_is_heard_is_what_was_worked_out_on_paper(chat: Chat, clock: Clock) -> None:
    at(clock, "2026-11-23T09:00:00")
    await chat.does(lambda session: programme.load(session, PAPER, clock()))
    async with till(chat) as pos:
        await tells(pos, "PUT", "customers/KH1", {"name": "Lan", "phone": chat.contact.person.phone})
        await chat.shares_phone()
        at(clock, "2026-11-23T11:00:00")
        await buys(pos, "A", "2026-11-23", 255_000)
        (heard,) = await chat.says("xem điểm")
        assert heard.splitlines() == ["Bạn chưa có điểm dùng được ngay.", "Đang chờ 25 điểm, dùng được từ 24/11/2026."]
        at(clock, "2026-11-25T11:00:00")
        await buys(pos, "B", "2026-11-25", 1_000_000, tea=3)
        at(clock, "2026-11-28T11:00:00")
        await buys(pos, "C", "2026-11-27", 99_000)
        (heard,) = await chat.says("xem điểm")
        assert heard.splitlines()[0] == f"Bạn đang có {25 + 106 + 9} điểm."
        at(clock, "2026-11-29T11:00:00")
        refund = {
            "refunded_at": "2026-11-29T11:00:00+07:00",
            "amount": 355_000,
            "lines": [{"item": "Trà sen", "quantity": 1}],
        }
        await tells(pos, "PUT", "orders/pos/B/refunds/R1", refund)
        at(clock, "2026-11-30T11:00:00")
        spent = await tells(pos, "POST", "loyalty/redemptions", {"customer": "KH1", "points": 40, "key": "bill 1"})
        assert spent["spendable"] == 25 + 68 + 9 - 40
        (heard,) = await chat.says("xem điểm")
        assert heard.splitlines() == ["Bạn đang có 62 điểm.", "Sắp hết hạn: 53 điểm, dùng được đến hết 26/12/2026."]
        at(clock, "2026-12-27T00:00:00")
        (heard,) = await chat.says("xem điểm")
        assert heard.splitlines() == ["Bạn đang có 9 điểm.", "Sắp hết hạn: 9 điểm, dùng được đến hết 28/12/2026."]
    await points.turn(chat.service.database, clock())
    (heard,) = await chat.says("lịch sử điểm")
    changes = [line.split(": ", 1) for line in heard.splitlines()[1:]]
    assert changes == [
        ["27/12/2026", "−53 điểm, hết hạn"],
        ["30/11/2026", "−40 điểm, đổi điểm"],
        ["25/11/2026", "−38 điểm, đơn #B đã đổi, hoàn hoặc hủy"],
        ["27/11/2026", "+9 điểm, đơn #C"],
        ["25/11/2026", "+106 điểm, đơn #B"],
        ["23/11/2026", "+25 điểm, đơn #A"],
    ]
    assert sum(int(line[1].split()[0].replace("−", "-")) for line in changes) == 9
    (heard,) = await chat.says("vì sao đơn B được chừng đó điểm?")
    assert heard.splitlines() == [
        "Đơn B (645.000đ sau hoàn trả) được 68 điểm:",
        "• +64: 1 điểm cho mỗi 10.000đ",
        "• +4: thêm 2 điểm mỗi hộp trà",
    ]
