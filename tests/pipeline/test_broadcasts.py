"""Broadcasts through the whole product: to everybody who may be reached, once, and a reason for everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from bot import upkeep
from bot.broadcasts import FREEZE, TEND
from crm import broadcasts, consent, recipients
from crm.broadcasts import Pause, Report
from crm.content import Content
from crm.messages import Purpose
from simulator.people import MESSENGER, ZALO
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

WORDS = 'Chào {{ khach.ten or "bạn" }}, cuối tuần này giảm 20%'
DUE = text(
    "SELECT count(*) FROM recipient JOIN broadcast ON broadcast.id = broadcast_id WHERE broadcast.state = 'running' "
    "AND recipient.state = 'pending' AND due_at <= :now"
).bindparams(bindparam("now", type_=UTCDateTime()))
NOBODY_ASKS = {"MARKETING_PER_DAY": "0", "MARKETING_PER_WEEK": "0"}


@asynccontextmanager
async def shop(url: str, clock: Clock, people: tuple[str, ...] = ("lan",), **settings: str) -> AsyncIterator[Stage]:
    """A shop to which these people wrote on Zalo, and who want its news."""
    async with playing(url, clock, settings=settings or None) as stage:
        for who in people:
            await stage.said(ZALO, "xin chào", who)
            await agree(stage, who)
        yield stage


async def agree(stage: Stage, who: str, channel: str = ZALO, *, granted: bool = True) -> None:
    """A person says yes, or no, to advertising."""
    person = await stage.person(channel, who)
    say = partial(consent.say, customer_id=person.customer_id, granted=granted, at=stage.clock(), channel=channel)
    await stage.service.database.write(lambda session: say(session))


async def sent_out(stage: Stage, text: str = WORDS, purpose: Purpose = Purpose.BROADCAST) -> int:
    """A broadcast to everybody, tested and due now; it is frozen, and what can go has gone."""
    found = await stage.service.database.write(partial(_scheduled, text=text, purpose=purpose, clock=stage.clock))
    await go_on(stage)
    return found


async def go_on(stage: Stage) -> None:
    """The clock ticks, and what can go goes."""
    await upkeep.enqueue(stage.service.database, TEND, stage.clock())
    for kind in (TEND, FREEZE):
        await stage.jobs_done(kind)
    now = {"now": stage.clock()}
    await stage.until(lambda session: not session.connection().execute(DUE, now).scalar())
    await stage.quiet()


def _scheduled(session: Session, text: str, purpose: Purpose, clock: Clock) -> int:
    found = broadcasts.draft(session, "Cuối tuần", purpose, Content(text), "tatca", "staff", clock())
    broadcasts.tested(session, found, clock())
    broadcasts.schedule(session, found, clock(), "staff", clock())
    return found


async def report(stage: Stage, broadcast: int) -> Report:
    """How it stands."""
    return await stage.read(partial(broadcasts.report, broadcast_id=broadcast))


async def over(stage: Stage, broadcast: int) -> Report:
    """How it stands once nobody waits any more."""
    await stage.until(lambda session: broadcasts.report(session, broadcast).state == broadcasts.FINISHED)
    return await report(stage, broadcast)


async def test_a_broadcast_reaches_who_agreed_once_and_says_what_it_is_and_how_to_end_it(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock, ("lan", "minh")) as stage:
        await stage.said(ZALO, "xin chào", "hoa")
        broadcast = await sent_out(stage)
        told = await over(stage, broadcast)
        assert told.people == {"sent": 2, "skipped": 1}
        assert told.reasons == {("skipped", "no_consent"): 1}
        heard = [words for words in stage.heard(ZALO) if "giảm 20%" in words]
        assert len(heard) == 2
        assert all(words.startswith("[QC] Chào ") and "DỪNG" in words for words in heard)
        assert (told.broadcast.audience, len(told.broadcast.digest)) == (3, 64)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_of_a_broadcast_goes_out_at_night_and_it_goes_on_by_itself_in_the_morning(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock) as stage:
        clock.pass_by(hours=12)
        broadcast = await sent_out(stage)
        await go_on(stage)
        told = await report(stage, broadcast)
        assert (told.state, told.broadcast.pause_reason) == ("paused", Pause.HOURS)
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]
        clock.pass_by(hours=10)
        await go_on(stage)
        assert (await over(stage, broadcast)).people == {"sent": 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_talks_with_staff_is_not_disturbed_and_gets_it_later(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        await stage.said(ZALO, "gặp nhân viên")
        broadcast = await sent_out(stage)
        assert (await report(stage, broadcast)).reasons == {("pending", "talking"): 1}
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_second_broadcast_on_one_day_is_over_the_cap(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        await over(stage, await sent_out(stage))
        second = await over(stage, await sent_out(stage, "Lại giảm nữa"))
        assert second.reasons == {("skipped", "cap"): 1}


async def test_a_cancelled_broadcast_gives_everybody_who_waited_an_end(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        await stage.said(ZALO, "gặp nhân viên")
        broadcast = await sent_out(stage)
        await stage.service.database.write(
            partial(broadcasts.cancel, broadcast_id=broadcast, actor="staff", now=clock())
        )
        await stage.jobs_done(broadcasts.CLOSE)
        told = await report(stage, broadcast)
        assert (told.state, told.reasons) == ("cancelled", {("skipped", "cancelled"): 1})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_the_platform_does_not_take_now_is_due_again_later_and_goes_out_once(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock) as stage:
        stage.goes_wrong("status", path="message/cs", times=1, status=429)
        broadcast = await sent_out(stage)
        clock.pass_by(minutes=2)
        await go_on(stage)
        assert (await over(stage, broadcast)).people == {"sent": 1}
        assert len([words for words in stage.heard(ZALO) if "giảm" in words]) == 1
        assert [words for _, words in await stage.lines(ZALO) if "giảm" in words] == [stage.heard(ZALO)[-1]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_lost_answer_is_unknown_until_the_echo_settles_it(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock, settings=NOBODY_ASKS) as stage:
        await stage.said(MESSENGER, "xin chào")
        await agree(stage, "lan", MESSENGER)
        stage.goes_wrong("lost_response", path="messages", times=1)
        broadcast = await sent_out(stage)
        told = await over(stage, broadcast)
        assert told.people == {"sent": 1}
        assert len([words for words in stage.heard(MESSENGER) if "giảm" in words]) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_word_ends_it_for_who_was_to_get_it_still(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        clock.pass_by(hours=12)
        broadcast = await sent_out(stage)
        await stage.said(ZALO, "dừng")
        clock.pass_by(hours=10)
        await go_on(stage)
        assert (await over(stage, broadcast)).reasons == {("skipped", "opted_out"): 1}
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_ends_it_while_it_is_on_its_way_gets_it_once_and_never_again(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        first = await sent_out(stage)
        assert (await over(stage, first)).people == {"sent": 1}
        found = await stage.read(
            lambda session: session.connection().execute(text("SELECT id FROM recipient")).scalar()
        )
        may = partial(recipients.may_still_go, recipient_id=found, channel=ZALO)
        assert await stage.read(may)
        await stage.said(ZALO, "dừng")
        assert not await stage.read(may)
        clock.pass_by(hours=25)
        assert (await over(stage, await sent_out(stage))).reasons == {("skipped", "opted_out"): 1}
        assert len([words for words in stage.heard(ZALO) if "giảm" in words]) == 1
