"""A report that is too long for the chat: a summary there, and a workbook where the chat can hold one."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlmodel import Session

from crm import staff
from crm.messages import Message, Purpose
from crm.outbox import compose
from crm.reach import Refusal
from crm.staff import Role
from simulator.people import MESSENGER, ZALO, ZALO_BOT
from storage import outbox, replies
from tests.chat import Chat
from tests.handlers.test_staff_answers import who
from tests.handlers.test_staff_finding import everything
from tests.staff import hired, order, pair


async def worked(chat: Chat, people: int) -> None:
    """So many members of staff answered Lan today."""
    await chat.says("xin chào")
    lan = await who(chat)

    def answer(session: Session) -> None:
        for number in range(people):
            member = staff.add(session, f"Người {number}", Role.AGENT, chat.clock())
            rows = compose(lan, [Message("Chào bạn")], Purpose.STAFF, chat.clock(), typed_by_person=True)
            assert not isinstance(rows, Refusal)
            outbox.add_many(session.connection(), rows)
            outbox.move(session, rows[0]["id"], "waiting", state="sent")
            key = rows[0]["id"]
            sent = {"id": key, "part_of": key, "staff_id": member.id, "surface": "cli", "at": chat.clock()}
            replies.add(session, [{**sent, "conversation_id": lan.identity_id, "waited_since": None}])

    await chat.does(answer)


async def test_everybody_comes_in_a_workbook_where_they_do_not_fit(with_bot: Chat) -> None:
    lan = with_bot.of("lan", MESSENGER)
    await worked(lan, 9)
    hoa = await pair(lan.of("hoa"), "Hoa", Role.LEAD)
    summary, file = await everything(hoa, "/bc tuần")
    assert len(summary.text.splitlines()) <= 15 and "… và 2 người nữa: tệp XLSX" in summary.text
    kept = hoa.platform.media.get(file.media.rsplit("/", 1)[1])
    assert kept is not None and kept.name == "bao-cao-week-2026-11-23.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(kept.content))
    assert sum(str(row[0]).startswith("Người") for row in book["Nhân viên"].iter_rows(values_only=True)) == 9


@pytest.mark.parametrize("surface", [ZALO, ZALO_BOT, "cli"])
async def test_where_no_workbook_can_be_sent_it_is_said_what_to_do(with_bot: Chat, surface: str) -> None:
    await worked(with_bot, 8)
    if surface == "cli":
        await with_bot.does(lambda session: hired(session, "Hoa", Role.LEAD, with_bot))
        (summary,) = await order(with_bot, "Hoa", "/bc")
    else:
        hoa = await pair(with_bot.of("hoa", surface), "Hoa", Role.LEAD)
        (summary,) = await hoa.says("/bc")
        assert await hoa.passes(seconds=5) == []
    assert "… và 1 người nữa: chat này không nhận được tệp XLSX" in summary
    assert "khachquen report day --xlsx" in summary


async def test_a_short_report_brings_no_file(with_bot: Chat) -> None:
    lan = with_bot.of("lan", MESSENGER)
    await worked(lan, 7)
    hoa = await pair(lan.of("hoa"), "Hoa", Role.LEAD)
    (summary,) = await hoa.says("/bc")
    assert "người nữa" not in summary and await hoa.passes(seconds=5) == []
