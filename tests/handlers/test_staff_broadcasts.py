"""Broadcasts by staff in their chats: two agree where many get it, anybody may stop it, and it is told what became."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial

import openpyxl
import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from bot import upkeep
from bot.broadcasts import TEND
from bot.staff import counting, exporting, hearing
from crm import broadcasts, consent, customers
from crm.content import Content
from crm.staff import Role
from simulator.people import MESSENGER
from storage import audit
from storage import broadcasts as rows
from storage.columns import new_id
from tests.chat import GLANCE_S, PATIENCE_S, Chat, chatting
from tests.conftest import Clock
from tests.crm.people import born
from tests.handlers import pos
from tests.handlers.test_staff_finding import everything
from tests.pipeline.test_broadcasts import DUE
from tests.staff import PIN, hired, office, pair

DRAFT = '/gui moi Tết | tatca | Chào {{ khach.ten or "bạn" }}, mai giảm 20%'


@pytest.fixture
async def chat(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """A shop where more than one person needs two who agree; Lan wants its news, Minh was never asked."""
    async with chatting(chat_url, clock, brand_name="Tiệm Mây", broadcast_alone=1) as running:  # type: ignore[arg-type]
        await pos.linked(running)
        await running.of("minh").says("xin chào")
        lan = await running.does(lambda session: customers.find(session, pos.LAN).id)
        await running.does(lambda session: consent.say(session, lan, granted=True, at=clock(), channel="zalo"))
        yield running


async def said(member: Chat, line: str) -> str:
    """What is answered to a line, also later, and with the PIN where that is asked for."""
    heard = "\n".join(each.text for each in await everything(member, line))
    if "cần PIN" in heard:
        heard = "\n".join(each.text for each in await everything(member, PIN))
    return heard


async def agreed(member: Chat, line: str) -> str:
    """What is answered at last to a line that is shown first."""
    shown = await said(member, line)
    found = re.search(r"/ok (\d{4})", shown)
    assert found is not None, shown
    return await said(member, f"/ok {found[1]}")


async def ticks(chat: Chat) -> None:
    """The clock finds what is due, it is frozen, and whoever is due is written to."""
    await upkeep.enqueue(chat.service.database, TEND, chat.clock())
    await chat.passes(seconds=0)
    async with asyncio.timeout(PATIENCE_S):
        while await _is_due(chat):  # noqa: ASYNC110 - the database sets no event
            await asyncio.sleep(GLANCE_S)
    await chat.passes(seconds=0)


async def _is_due(chat: Chat) -> bool:
    now = {"now": chat.clock()}
    return bool(await chat.service.database.read(lambda session: session.connection().execute(DUE, now).scalar()))


async def test_where_many_get_it_a_second_person_sees_it_and_agrees(chat: Chat) -> None:
    mai = await pair(chat.of("mai"), "Mai", Role.MARKETER)
    hoa = await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await said(mai, "/gui 1 thu")
    before = len(hoa.contact.lines)
    refused = await said(mai, "/gui 1 hen 20h mai")
    assert "✗ Gửi cho 2 người thì cần người thứ hai duyệt trước. Đã báo 1 người có quyền duyệt." in refused
    assert "/ok" not in refused
    (told,) = [each.text for each in list(hoa.contact.lines)[before:]]
    assert told == (
        "Tin gửi loạt #1 “Tết” cho 2 người cần thêm một người duyệt.\nXem và duyệt: /gui 1 duyet 20:00 24/11/2026"
    )
    own = "✗ Người viết không tự duyệt được. Nhờ một người khác (Hoa) gõ: /gui 1 duyet"
    assert await said(mai, "/gui 1 duyet") == own
    shown = await said(hoa, "/gui 1 duyet")
    assert "Duyệt #1 Tết (tatca)?" in shown and "1 gửi được Zalo, 1 không gửi" in shown
    assert "[QC] Chào Nguyễn Thị Lan, mai giảm 20%" in shown and "cần người thứ hai" in shown
    before = len(mai.contact.lines)
    assert (await agreed(hoa, "/gui 1 duyet")).startswith("✓ Đã duyệt #1 Tết")
    assert "Hoa đã duyệt tin gửi loạt #1 “Tết”" in list(mai.contact.lines)[before].text
    assert "\nNgười duyệt: Hoa\n" in await said(mai, "/gui 1")
    assert "bắt đầu gửi lúc 20:00 thứ Ba 24/11 (giờ VN)" in await agreed(mai, "/gui 1 hen 20h mai")
    assert "\nNgười duyệt: Hoa\n" in await said(mai, "/gui 1")
    noted = await chat.does(lambda session: audit.latest(session, 50))
    assert {"broadcast.draft", "broadcast.approve", "broadcast.scheduled"} <= {each.action for each in noted}


async def test_an_edit_takes_the_approval_away(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await agreed(hoa, "/gui 1 duyet")
    await said(mai, "/gui 1 loi Chào bạn, mai giảm 90%")
    await said(mai, "/gui 1 thu")
    assert "cần người thứ hai duyệt trước" in await said(mai, "/gui 1 hen 20h mai")


async def test_what_was_seen_is_what_is_approved(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    shown = await said(hoa, "/gui 1 duyet")
    code = re.findall(r"/ok (\d{4})", shown)[-1]
    await said(mai, "/gui 1 loi Chào bạn, mai giảm 90%")
    again = await said(hoa, f"/ok {code}")
    assert "Duyệt #1 Tết (tatca)?" in again and "giảm 90%" in again and "Đã duyệt" not in again
    assert (await chat.does(lambda session: broadcasts.get(session, 1))).approved_by == ""


async def come(chat: Chat, some: int) -> None:
    """So many more customers."""
    await chat.does(
        lambda session: [born(session, chat.clock(), user_id=f"k{new_id()}").identity_id for _ in range(some)]
    )


async def test_a_word_counts_for_as_many_as_were_seen(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await said(mai, "/gui 1 thu")
    await agreed(hoa, "/gui 1 duyet")
    await come(chat, 10)
    assert "Hẹn giờ #1 Tết" in await said(mai, "/gui 1 hen 20h mai")
    await come(chat, 1)
    assert "Gửi cho 13 người thì cần người thứ hai duyệt trước" in await said(mai, "/gui 1 hen 20h mai")
    await agreed(hoa, "/gui 1 duyet")
    assert "bắt đầu gửi lúc 20:00" in await agreed(mai, "/gui 1 hen 20h mai")


async def test_a_second_person_looks_at_it_as_of_the_moment_that_is_asked_for(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await come(chat, 20)
    await said(mai, DRAFT.replace("tatca", "tao>2ngay"))
    await said(mai, "/gui 1 thu")
    await agreed(hoa, "/gui 1 duyet")
    before = len(hoa.contact.lines)
    assert "Gửi cho 22 người thì cần người thứ hai" in await said(mai, "/gui 1 hen 20:00 30/11/2026")
    (told,) = [each.text for each in list(hoa.contact.lines)[before:]]
    order = told.rpartition(": ")[2]
    assert order == "/gui 1 duyet 20:00 30/11/2026"
    await agreed(hoa, order)
    assert "bắt đầu gửi lúc 20:00" in await agreed(mai, "/gui 1 hen 20:00 30/11/2026")


async def test_nobody_approved_what_a_saved_segment_asks_for_since_it_was_changed(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, "/nhom luu moi tao<2ngay")
    await said(mai, DRAFT.replace("tatca", "nhom:moi"))
    await agreed(hoa, "/gui 1 duyet")
    assert "\nNgười duyệt: Hoa\n" in await said(mai, "/gui 1")
    await said(mai, "/nhom luu moi tao<9ngay")
    assert "Người duyệt" not in await said(mai, "/gui 1")
    assert "/gui 1 duyet để duyệt" in await said(hoa, "/gui 1")


async def test_a_lead_releases_and_stops_but_does_not_write_and_an_agent_sees_nothing(chat: Chat) -> None:
    hoa = await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    assert "Vai trò lead không được làm việc này" in await said(hoa, DRAFT)
    an = await pair(chat.of("an"), "An", Role.AGENT)
    assert "không được dùng /gui" in await said(an, "/gui")


async def test_each_is_offered_what_they_may_do_next(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)

    async def next_for(member: Chat) -> str:
        return (await said(member, "/gui 1")).splitlines()[-1]

    await said(mai, DRAFT)
    assert await next_for(mai) == "Chưa gửi thử: /gui 1 thu · /gui 1 xem"
    untested = "Chưa gửi thử (người viết làm) · /gui 1 xem · /gui 1 duyet để duyệt, nếu hơn 1 người"
    assert await next_for(hoa) == untested
    assert "Vai trò lead không được làm việc này; cần marketer hoặc admin." in await said(hoa, "/gui 1 thu")
    before = len(mai.contact.lines)
    await agreed(hoa, "/gui 1 duyet")
    assert list(mai.contact.lines)[before].text.endswith("Gửi thử rồi hẹn giờ: /gui 1 thu")
    await said(mai, "/gui 1 thu")
    for member in (mai, hoa):
        assert await next_for(member) == "Đã gửi thử. /gui 1 xem · /gui 1 hen 20h thứ 6"
    await agreed(mai, "/gui 1 hen 20h mai")
    assert await next_for(hoa) == "/gui 1 bohen để bỏ hẹn"


async def test_what_became_of_it_is_told_and_anybody_who_sees_it_may_stop_it(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await said(mai, "/gui 1 thu @Hoa")
    assert [each.text for each in hoa.contact.lines][-1].startswith("[QC] Chào Hoa, mai giảm 20%")
    await agreed(hoa, "/gui 1 duyet")
    assert "bắt đầu gửi lúc 10:00 thứ Hai 23/11" in await agreed(mai, "/gui 1 ngay")
    await chat.of("minh").says("gặp nhân viên")
    await ticks(chat)
    assert "[QC] Chào Nguyễn Thị Lan, mai giảm 20%" in [each.text for each in chat.contact.lines][-1]
    told = await said(hoa, "/gui 1")
    assert told.startswith("#1 Tết · đã xong\nNhóm: tatca · 2 người\nGiờ gửi: 10:00 thứ Hai 23/11 (giờ VN)\n")
    assert "không gửi 1 · đã gửi 1" in told or "đã gửi 1 · không gửi 1" in told
    assert "• không gửi 1: khách chưa đồng ý nhận tin" in told
    assert "đã kết thúc rồi" in await said(mai, "/gui 1 huy")
    for order, why in (("dung", "chỉ tạm dừng được tin đang gửi"), ("tiep", "chỉ gửi tiếp được tin đang tạm dừng"),
                       ("thu", "chỉ gửi thử được trước khi gửi"), ("loi Chào", "không sửa được nữa")):  # fmt: skip
        assert (await said(mai, f"/gui 1 {order}")).startswith(f"✗ Tin #1 (đã xong): {why}.")
    assert "không được làm việc này" in await said(hoa, "/gui 1 tep")
    _, file = await everything(mai, "/gui 1 tep")
    kept = mai.platform.media.get(file.media.rsplit("/", 1)[1])
    assert kept is not None and kept.name == "gui-1.csv"
    head, *rows = csv.reader(kept.content.decode("utf-8-sig").splitlines())
    assert head[1:4] == ["Tên", "Trạng thái", "Lý do"]
    assert sorted(row[2:5] for row in rows) == [
        ["không gửi", "khách chưa đồng ý nhận tin", ""], ["đã gửi", "", "Zalo, trong 48 giờ từ lúc khách nhắn"],
    ]  # fmt: skip


async def test_a_large_one_is_counted_beside_the_chat_and_told_then(chat: Chat) -> None:
    kim = await pair(chat.of("kim"), "Kim", Role.ADMIN)
    await said(kim, DRAFT)
    whole = {"audience": counting.AT_ONCE + 1, "frozen_at": chat.clock()}
    await chat.does(lambda session: rows.change(session, 1, **whole))
    waits, told = [each.text for each in await everything(kim, "/gui 1")]
    assert waits == "⏳ #1 Tết: đang đếm 5.001 người; kết quả tới sau vài giây."
    assert told.startswith("#1 Tết · bản nháp\nNhóm: tatca · 5.001 người\n")


async def test_no_customer_is_counted_where_others_wait_to_write_or_read(chat: Chat) -> None:
    mai = await pair(chat.of("mai"), "Mai", Role.MARKETER)
    counted: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "count(" in statement and "FROM customer" in statement:
            counted.append(threading.current_thread().name.partition("_")[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert "2 khách: tatca" in await said(mai, "/nhom tatca")
        assert "2 khách: tatca" in await said(mai, "/nhom luu moi_nguoi tatca")
        assert "2 khách: tatca" in await said(mai, DRAFT)
        assert "2 khách: nhom:moi_nguoi" in await said(mai, "/gui 1 nhom moi_nguoi")
        await said(mai, "/gui 1 thu")
        assert "cần người thứ hai" in await said(mai, "/gui 1 hen 20h mai")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counted == ["long-reader"] * len(counted) and len(counted) >= 4


async def test_a_messenger_chat_brings_a_workbook_and_others_say_how_to_get_it(chat: Chat) -> None:
    kim = await pair(chat.of("kim", MESSENGER), "Kim", Role.ADMIN)
    await said(kim, DRAFT)
    assert "chưa chốt danh sách" in await said(kim, "/gui 1 tep")
    await chat.does(lambda session: rows.change(session, 1, audience=exporting.MOST + 1))
    assert "--out danh-sach.xlsx" in await said(kim, "/gui 1 tep")
    await chat.does(lambda session: rows.change(session, 1, audience=1))
    assert "cần PIN" in (await kim.says("/gui 1 tep"))[0]
    _, file = await everything(kim, PIN)
    kept = kim.platform.media.get(file.media.rsplit("/", 1)[1])
    assert kept is not None and kept.name == "gui-1.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(kept.content)).sheetnames == ["Người nhận"]


async def test_a_running_one_is_paused_without_a_pin_and_goes_on_with_it(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await said(mai, "/gui 1 thu")
    await agreed(hoa, "/gui 1 duyet")
    await chat.says("gặp nhân viên")
    await agreed(mai, "/gui 1 ngay")
    await ticks(chat)
    assert "• chờ gửi 1: khách đang chờ hoặc đang nói chuyện với nhân viên" in await said(mai, "/gui 1")
    hoa.clock.pass_by(minutes=16)
    assert (await said(hoa, "/gui 1 dung")).startswith("#1 Tết · đang tạm dừng: nhân viên tạm dừng\n")
    assert "cần PIN" in (await hoa.says("/gui 1 tiep"))[0]
    assert (await hoa.says(PIN))[0].startswith("#1 Tết · đang gửi\n")
    assert (await agreed(hoa, "/gui 1 huy")).startswith("#1 Tết · đã hủy\n")


async def test_a_writer_is_told_what_somebody_else_does_with_it_and_by_whom(chat: Chat) -> None:
    mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
    await said(mai, DRAFT)
    await said(mai, "/gui 1 thu")
    await agreed(hoa, "/gui 1 duyet")
    await chat.says("gặp nhân viên")
    await agreed(mai, "/gui 1 hen 20h mai")

    async def told(do: Awaitable[object]) -> list[str]:
        before = len(mai.contact.lines)
        await do
        await chat.passes(seconds=0)
        return [each.text for each in list(mai.contact.lines)[before:] if "tin gửi loạt" in each.text]

    assert await told(said(hoa, "/gui 1 bohen")) == [
        "Hoa đã bỏ hẹn tin gửi loạt #1 “Tết” của bạn.\nXem: /gui 1 · hẹn lại: /gui 1 hen 20h thứ 6"
    ]
    await agreed(mai, "/gui 1 ngay")
    await ticks(chat)
    assert await told(said(mai, "/gui 1 dung")) == await told(said(mai, "/gui 1 tiep")) == []
    assert await told(said(hoa, "/gui 1 dung")) == [
        "Hoa đã tạm dừng tin gửi loạt #1 “Tết” của bạn.\nXem: /gui 1 · gửi tiếp: /gui 1 tiep"
    ]
    assert await told(said(hoa, "/gui 1 dung")) == [], "nothing was done"
    assert await told(said(hoa, "/gui 1 tiep")) == [
        "Hoa đã cho gửi tiếp tin gửi loạt #1 “Tết” của bạn.\nXem: /gui 1 · tạm dừng: /gui 1 dung"
    ]
    people = {name: len(chat.of(name).contact.lines) for name in ("lan", "minh")}
    assert await told(agreed(hoa, "/gui 1 huy")) == ["Hoa đã hủy hẳn tin gửi loạt #1 “Tết” của bạn.\nXem: /gui 1"]
    assert {name: len(chat.of(name).contact.lines) for name in people} == people


async def test_it_speaks_english_in_an_english_shop(chat: Chat) -> None:
    await chat.does(lambda session: hired(session, "Kim", Role.ADMIN, chat))
    english = replace(office(chat), locale="en")

    async def says(line: str) -> str:
        give = partial(hearing.order, office=english, name="Kim", line=line, now=chat.clock())
        return await chat.does(lambda session: "\n".join(message.text for message in give(session).said))

    assert (await says("/broadcast new Tet")).startswith("“Tet”: to which segment?")
    assert "Send the text." in await says("all")
    assert (await says("Hello")).startswith("✓ Draft #1 Tet to: all\n“Hello”\nNext: /broadcast 1 test")
    assert (await says("/broadcast 1")).startswith("#1 Tet · a draft\nTo: all\n“Hello”\nNot tested yet:")
    assert (await says("/broadcast")).startswith("#1 Tet · a draft")
    assert "It was not tested yet" in await says("/broadcast 1 schedule 20h mai")
    assert "PIN" in await says("/broadcast 1 cancel")
    assert "for good?" in await says(PIN)


async def test_how_many_it_is_for_is_told_once_all_are_written_down(chat: Chat) -> None:
    mai = await pair(chat.of("mai"), "Mai", Role.MARKETER)
    await said(mai, DRAFT)
    await chat.does(lambda session: rows.change(session, 1, state=rows.FREEZING, audience=7))
    being_frozen = await said(mai, "/gui 1")
    assert "đang chốt danh sách" in being_frozen and "7 người" not in being_frozen
    await chat.does(lambda session: rows.change(session, 1, state=rows.RUNNING, frozen_at=chat.clock()))
    assert "Nhóm: tatca · 7 người" in await said(mai, "/gui 1")


_WAITS = text("SELECT 1 FROM pg_locks WHERE NOT granted")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_agrees_while_it_is_being_changed_sees_it_anew(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock, broadcast_alone=1) as chat:
        mai, hoa = await pair(chat.of("mai"), "Mai", Role.MARKETER), await pair(chat.of("hoa"), "Hoa", Role.LEAD)
        number = await _drafted(chat, mai)
        code = re.search(r"/ok \d{4}", await said(hoa, f"/gui {number} duyet"))
        assert code is not None
        dearer = _edit(number, Content("Chào bạn, mai giảm 90%"), clock)
        assert f"Duyệt #{number} Tết (tatca)?" in await _beside(chat, dearer, said(hoa, code[0]))
        assert (await chat.does(partial(broadcasts.get, broadcast_id=number))).approved_by == ""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_who_change_different_parts_at_once_both_do(database_url: str, clock: Clock) -> None:
    async with chatting(database_url, clock) as chat:
        mai = await pair(chat.of("mai"), "Mai", Role.MARKETER)
        number = await _drafted(chat, mai)
        pictured = Content("Chào", picture="https://shop.vn/tet.png")
        await _beside(chat, _edit(number, pictured, clock), said(mai, f"/gui {number} loi Mai nghỉ"))
        found = Content.loads((await chat.does(partial(broadcasts.get, broadcast_id=number))).content)
        assert (found.text, found.picture) == ("Mai nghỉ", pictured.picture)


async def _drafted(chat: Chat, member: Chat) -> int:
    await said(member, DRAFT)
    return (await chat.does(rows.latest))[0].id


def _edit(number: int, content: Content, clock: Clock) -> Callable[[Session], object]:
    return partial(broadcasts.edit, broadcast_id=number, actor="staff:1", now=clock(), content=content)


async def _beside(chat: Chat, change: Callable[[Session], object], says: Coroutine[None, None, str]) -> str:
    """What is answered to a line that comes while another process changes something, and has to wait for that."""
    with Session(chat.service.database.engine) as other:
        change(other)
        answer = asyncio.create_task(says)
        async with asyncio.timeout(PATIENCE_S):
            while not other.connection().execute(_WAITS).first():  # noqa: ASYNC110 - the server sets no event
                await asyncio.sleep(GLANCE_S)
        other.commit()
    return await answer
