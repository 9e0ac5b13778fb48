"""What staff see of care messages: those that a customer will get, and those that will not go out and why."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import Engine, event

from bot import upkeep
from bot.care import JOB
from bot.staff import tallying
from crm import care, care_report, saved_segments
from crm.orders import Status
from crm.segments import AsOf
from crm.staff import Role
from tests.chat import Chat
from tests.crm.test_care_file import RULE
from tests.handlers import pos
from tests.handlers.test_staff_finding import everything
from tests.staff import PIN, hired, order, pair


async def test_what_a_customer_will_get_is_told_and_their_word_counts(chat: Chat) -> None:
    await pos.linked(chat)
    await chat.does(lambda session: hired(session, "Minh", Role.AGENT, chat))
    await chat.does(lambda session: care.load(session, RULE, "test", chat.clock())[0].name)
    await chat.does(lambda session: care.turn_on(session, "thanks", "test", chat.clock()).rule_id)
    assert await order(chat, "Minh", "/sapgui KH001") == ["90 ngày tới Nguyễn Thị Lan không có tin chăm sóc nào."]
    chat.clock.pass_by(hours=1)
    await pos.tells_of_order(chat, "DH9", status=Status.DELIVERED)
    to_come = "Tin chăm sóc sắp tới của Nguyễn Thị Lan (90 ngày):\n• 09:30 thứ Tư 25/11 (giờ VN): Cảm ơn"
    assert await order(chat, "Minh", "/sapgui KH001") == [f"{to_come}, không gửi vì khách chưa đồng ý nhận tin"]
    await chat.says("bắt đầu nhận tin")
    assert await order(chat, "Minh", "/sapgui KH001") == [to_come]
    await chat.says("dừng")
    assert await order(chat, "Minh", "/sapgui KH001") == [f"{to_come}, không gửi vì khách không muốn nhận tin nữa"]


async def test_a_rule_says_what_can_be_done_with_it_next(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Mai", Role.MARKETER, chat))
    await chat.does(lambda session: care.load(session, RULE, "test", chat.clock())[0].name)
    (off,) = await order(chat, "Mai", "/chamsoc thanks")
    assert off.endswith("\n/chamsoc thanks bật để bật")
    await chat.does(lambda session: care.turn_on(session, "thanks", "test", chat.clock()).rule_id)
    (on,) = await order(chat, "Mai", "/chamsoc thanks")
    assert on.endswith("\n/chamsoc thanks dừng để tạm dừng")
    (unknown,) = await order(chat, "Mai", "/chamsoc sinh nhật")
    assert unknown.startswith("✗ Không có quy tắc “sinh”; các tên: /chamsoc.")


async def thanks_wait(chat: Chat) -> None:
    """One message of the rule “thanks” waits for a customer who agreed and whose order was delivered."""
    await pos.linked(chat)
    await chat.says("bắt đầu nhận tin")
    await chat.does(lambda session: care.load(session, RULE, "test", chat.clock())[0].name)
    await chat.does(lambda session: care.turn_on(session, "thanks", "test", chat.clock()).rule_id)
    chat.clock.pass_by(hours=1)
    await pos.tells_of_order(chat, "DH9", status=Status.DELIVERED)
    await chat.passes(minutes=10)
    await upkeep.enqueue(chat.service.database, JOB, chat.clock())
    await chat.passes(minutes=1)


async def test_very_many_messages_are_counted_beside_the_chat_and_told_then(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "AT_ONCE", 0)
    mai = await pair(chat.of("mai"), "Mai", Role.MARKETER)
    await thanks_wait(chat)
    counted: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "care_rule_id" in statement and "GROUP BY" in statement:
            counted.append(threading.current_thread().name.partition("_")[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for line, first, told in (
            ("/chamsoc", "⏳ Đang đếm tin; kết quả tới sau vài giây.", "thanks: Cảm ơn (chờ 1, đã gửi 0, không gửi 0)"),
            ("/chamsoc thanks", "Cảm ơn (thanks): đang bật\n⏳", "Chờ 1, đã gửi 0, không gửi 0."),
            ("/chamsoc thanks tat", "Cảm ơn (thanks): tắt\n⏳", "“Cảm ơn” đã tắt từ bây giờ.\n1 tin đang chờ"),
        ):
            waits, then = [each.text for each in await everything(mai, line)]
            assert waits.startswith(first) and told in then
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counted == ["long-reader"] * 3


@pytest.mark.parametrize(
    ("order_", "told"),
    [
        ("dừng", "“Cảm ơn” tạm dừng từ bây giờ, tin đang chờ được giữ lại.\nGửi tiếp: /chamsoc thanks bật"),
        ("tắt", "“Cảm ơn” đã tắt từ bây giờ.\n1 tin đang chờ: tới giờ mà chưa bật lại thì không gửi nữa. "
                "Bật lại: /chamsoc thanks bật; những gì xảy ra trong lúc tắt không được tính."),
    ],
)  # fmt: skip
async def test_a_rule_is_stopped_at_once_and_how_to_undo_it_is_said(chat: Chat, order_: str, told: str) -> None:
    await chat.does(lambda session: hired(session, "Mai", Role.MARKETER, chat))
    await thanks_wait(chat)
    assert await chat.does(lambda session: care_report.counts(session, "thanks").waiting) == 1
    assert await order(chat, "Mai", f"/chamsoc thanks {order_}") == [told]
    await order(chat, "Mai", "/chamsoc thanks bật")
    (asked,) = await order(chat, "Mai", PIN)
    await order(chat, "Mai", "/ok " + re.findall(r"/ok (\d{4})", asked)[0])
    (to_come,) = await order(chat, "Mai", "/sapgui KH001")
    assert to_come.endswith("09:30 thứ Tư 25/11 (giờ VN): Cảm ơn"), "what waits is sent after all"


async def test_who_turns_on_a_rule_is_warned_of_a_condition_that_names_what_is_not_there(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Mai", Role.MARKETER, chat))
    rule = RULE.replace("days = 2", 'days = 2\ncondition = "nhom:vip_moi"')
    await chat.does(lambda session: care.load(session, rule, "test", chat.clock())[0].name)
    await order(chat, "Mai", "/chamsoc thanks bật")
    (asked,) = await order(chat, "Mai", PIN)
    assert "⚠ Điều kiện: Không có nhóm “vip_moi”. Có: —. Chừng nào còn vậy thì không tin nào được gửi." in asked
    await chat.does(lambda session: saved_segments.save(session, "vip_moi", "vip", AsOf(chat.clock()), "cli").version)
    (asked,) = await order(chat, "Mai", "/chamsoc thanks bật")
    assert "⚠" not in asked
