"""Broadcasts whose time passed, or whose audience cannot be worked out: nothing goes out until a person has decided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlmodel import Session

from bot import upkeep
from bot.broadcasts import TEND
from crm import broadcasts, staff
from crm.broadcasts import Pause
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Purpose
from simulator.people import ZALO
from storage import alarms
from storage import broadcasts as rows
from storage.broadcasts import BroadcastView
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing, product, simulated
from tests.pipeline.test_broadcast_stops import begun, marketer
from tests.pipeline.test_broadcasts import WORDS, agree, go_on, over, report

LOST = "nhom:khong_con"
"""A segment that names another one, which is gone."""


def written(session: Session, at: datetime, now: datetime) -> int:
    """Mai's broadcast to everybody, tested, and to begin then."""
    by = f"staff:{staff.named(session, 'Mai').id}"
    found = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content(WORDS), "tatca", by, now)
    broadcasts.tested(session, found, now)
    broadcasts.schedule(session, found, at, by, now)
    return found


async def ticks(stage: Stage) -> None:
    """The clock looks after broadcasts, and all that follows is over."""
    await upkeep.enqueue(stage.service.database, TEND, stage.clock())
    await stage.jobs_done(TEND)
    await stage.quiet()


def news(stage: Stage) -> list[str]:
    """What customers were told of it."""
    return [words for words in stage.heard(ZALO, "lan") if "giảm" in words]


@asynccontextmanager
async def three_days_later(url: str, clock: Clock) -> AsyncIterator[tuple[Stage, int]]:
    """A shop whose service is off from before a broadcast is due until three days later, at three in the morning."""
    async with simulated(clock) as platform:
        async with product(url, clock, platform) as stage:
            await stage.said(ZALO, "xin chào")
            await agree(stage, "lan")
            await marketer(stage, "vi")
            at = clock() + timedelta(hours=9)
            number = await stage.service.database.write(partial(written, at=at, now=clock()))
            await ticks(stage)
        clock.pass_by(days=3 - 1, hours=17)
        async with product(url, clock, platform) as stage:
            await ticks(stage)
            yield stage, number


async def stands(stage: Stage, number: int) -> BroadcastView:
    """The broadcast as it is kept."""
    return await stage.read(partial(broadcasts.get, broadcast_id=number))


async def test_after_three_days_off_nothing_goes_out_and_its_writer_is_asked_by_day(
    database_url: str, clock: Clock
) -> None:
    async with three_days_later(database_url, clock) as (stage, number):
        found = await stands(stage, number)
        assert (found.state, found.pause_reason) == ("paused", Pause.LATE)
        before = len(stage.heard(ZALO, "mai"))
        clock.pass_by(hours=6)
        for _ in range(2):
            await ticks(stage)
        (told,) = stage.heard(ZALO, "mai")[before:]
        assert told == (
            f"⚠ Tin gửi loạt #{number} “Tết” đã tạm dừng: trễ giờ, vì hệ thống đã ngừng một thời gian. "
            "Giờ hẹn: 19:00 thứ Hai 23/11 (giờ VN).\n"
            f"Xem: /gui {number} · gửi tiếp: /gui {number} tiep · hẹn lại: /gui {number} hen 20h thứ 6 · "
            f"hủy: /gui {number} huy"
        )
        assert news(stage) == []
        assert [each.kind for each in await stage.read(alarms.unsolved)] == ["broadcast_paused"]


@pytest.mark.parametrize("wish", ["resume", "schedule", "edit", "cancel"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_late_one_goes_on_or_is_scheduled_edited_or_cancelled_as_a_person_says(
    database_url: str, clock: Clock, wish: str
) -> None:
    async with three_days_later(database_url, clock) as (stage, number):
        clock.pass_by(hours=6)
        await stage.said(ZALO, "xin chào")
        await ticks(stage)
        act, now = stage.service.database.write, clock()
        match wish:
            case "resume":
                await act(partial(broadcasts.resume, broadcast_id=number, actor="cli", now=now))
                await go_on(stage)
                assert (await over(stage, number)).people["sent"] == 1
                assert (await stands(stage, number)).scheduled_at == now
            case "schedule":
                later = partial(broadcasts.schedule, at=now + timedelta(hours=2), actor="cli", now=now)
                await act(lambda session: later(session, number))
                await go_on(stage)
                assert news(stage) == []
                clock.pass_by(hours=2)
                await go_on(stage)
                assert (await over(stage, number)).people["sent"] == 1
            case "edit":
                changed = await act(partial(broadcasts.edit, broadcast_id=number, actor="cli", now=now, name="Tết 2"))
                assert (changed.state, changed.name, changed.scheduled_at) == ("draft", "Tết 2", None)
            case _:
                await act(partial(broadcasts.cancel, broadcast_id=number, actor="cli", now=now))
                await ticks(stage)
                assert (await report(stage, number)).state == "cancelled"
        assert await stage.read(alarms.unsolved) == []
        assert len(news(stage)) == (1 if wish in ("resume", "schedule") else 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_that_ran_when_the_service_went_off_asks_before_the_rest_get_it(
    database_url: str, clock: Clock
) -> None:
    async with simulated(clock) as platform:
        async with product(database_url, clock, platform) as stage:
            for who in ("lan", "minh"):
                await stage.said(ZALO, "xin chào", who)
                await agree(stage, who)
            await stage.said(ZALO, "gặp nhân viên")
            number = await stage.service.database.write(partial(begun, by="cli", clock=clock))
            await go_on(stage)
            assert (await report(stage, number)).people["sent"] == 1
        clock.pass_by(days=1, hours=1)
        async with product(database_url, clock, platform) as stage:
            await stage.quiet()
            assert (await report(stage, number)).people["sent"] == 1
            await ticks(stage)
            found = await stands(stage, number)
            assert (found.state, found.pause_reason) == ("paused", Pause.LATE)
            with pytest.raises(Conflict):
                await stage.service.database.write(partial(broadcasts.unschedule, broadcast_id=number, actor="cli",
                                                           now=clock()))  # fmt: skip
            await stage.service.database.write(
                partial(broadcasts.resume, broadcast_id=number, actor="cli", now=clock())
            )
            await go_on(stage)
            assert (await stands(stage, number)).state == "running"


async def test_one_whose_segment_is_gone_is_paused_with_the_reason_and_can_be_mended(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        await stage.said(ZALO, "xin chào")
        await agree(stage, "lan")
        mai = await marketer(stage, "en")
        write = stage.service.database.write
        number = await write(partial(begun, by=f"staff:{mai}", clock=clock))
        await write(lambda session: rows.change(session, number, segment=LOST))
        await go_on(stage)
        await ticks(stage)
        found = await stands(stage, number)
        assert (found.state, found.pause_reason, found.cursor) == ("paused", Pause.UNFROZEN, 0)
        told = stage.heard(ZALO, "mai")[-1]
        assert told.startswith(f"⚠ Broadcast {number} “Cuối tuần” is paused: its audience could not be worked out (")
        assert "khong_con" in told and f"/broadcast {number} segment" in told
        await write(partial(broadcasts.edit, broadcast_id=number, actor="cli", now=clock(), segment="tatca"))
        await write(lambda session: broadcasts.tested(session, number, clock()))
        await write(lambda session: broadcasts.schedule(session, number, clock(), "cli", clock()))
        await go_on(stage)
        assert (await over(stage, number)).people["sent"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_freezing_that_breaks_off_is_paused_and_frozen_whole_when_it_goes_on(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        await stage.said(ZALO, "xin chào")
        await agree(stage, "lan")
        write = stage.service.database.write
        broken = "CREATE TRIGGER broken BEFORE INSERT ON recipient BEGIN SELECT RAISE(ABORT, 'disk of glass'); END"
        await write(lambda session: session.connection().exec_driver_sql(broken) and None)
        number = await write(partial(begun, by="cli", clock=clock))
        await go_on(stage)
        found = await stands(stage, number)
        assert (found.state, found.pause_reason, found.pause_words) == ("paused", Pause.UNFROZEN, "IntegrityError")
        assert await stage.count("recipient") == 0
        await write(lambda session: session.connection().exec_driver_sql("DROP TRIGGER broken") and None)
        await write(partial(broadcasts.resume, broadcast_id=number, actor="cli", now=clock()))
        await go_on(stage)
        assert (await over(stage, number)).people == {"sent": 1}
