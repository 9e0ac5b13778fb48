"""A broadcast beyond the month's budget: its writer is told, and it goes on with money or by a person's word."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.outbox import BATCH
from crm import broadcasts, consent
from crm.broadcast_rests import SEEK
from crm.broadcasts import Pause
from crm.content import ByTemplate, Content
from simulator.people import MESSENGER, ZALO
from storage import alarms
from tests.conftest import Clock
from tests.crm.people import born
from tests.pipeline.stage import Stage, product, simulated
from tests.pipeline.test_broadcast_stops import begun, marketer
from tests.pipeline.test_broadcasts import NOBODY_ASKS, WORDS, agree, go_on, over, report
from tests.pipeline.test_budget import OFFER, PRICE, offers, people

SILENT = BATCH + 6
BY_TEMPLATE = Content("", templates=(ByTemplate(ZALO, "", OFFER.id),))


async def stopped(stage: Stage, clock: Clock) -> int:
    """A broadcast by a template to three customers, of whom the budget is enough for one; it rests, and Mai is told."""
    await people(stage, 3)
    mai = await marketer(stage, "vi")
    number = await stage.service.database.write(partial(begun, by=f"staff:{mai}", clock=clock, said=BY_TEMPLATE))
    for _ in range(2):
        await go_on(stage)
    found = await report(stage, number)
    assert (found.state, found.broadcast.pause_reason, offers(stage)) == ("paused", Pause.BUDGET, 1)
    (told,) = [words for words in stage.heard(ZALO, "mai") if words.startswith("⚠")]
    assert "hết ngân sách tháng. Tự gửi tiếp: 00:00 thứ Ba 01/12 (giờ VN)." in told
    return number


async def test_a_raised_budget_lets_it_go_on_at_the_next_start(database_url: str, clock: Clock) -> None:
    async with simulated(clock, zbs_templates=(OFFER,)) as platform:
        async with product(database_url, clock, platform, {"MONTHLY_SEND_BUDGET": str(PRICE)}) as stage:
            number = await stopped(stage, clock)
        clock.pass_by(minutes=30)
        async with product(database_url, clock, platform) as stage:
            await stage.jobs_done(broadcasts.HASTEN)
            await go_on(stage)
            assert (await over(stage, number)).people == {"sent": 3}
            assert offers(stage) == 3


async def test_who_was_put_off_is_looked_at_anew_when_a_person_lets_it_go_on(database_url: str, clock: Clock) -> None:
    async with (
        simulated(clock, zbs_templates=(OFFER,)) as platform,
        product(database_url, clock, platform, {"MONTHLY_SEND_BUDGET": str(PRICE)}) as stage,
    ):
        number = await stopped(stage, clock)
        clock.pass_by(minutes=30)

        def resume(session: Session) -> None:
            broadcasts.resume(session, number, "cli", clock())

        await stage.service.database.write(resume)
        await stage.jobs_done(broadcasts.HASTEN)
        for _ in range(2):
            await go_on(stage)
        found = await report(stage, number)
        assert (found.state, found.broadcast.pause_reason, offers(stage)) == ("paused", Pause.BUDGET, 1)
        told = [words for words in stage.heard(ZALO, "mai") if words.startswith("⚠")]
        assert len(told) == 2, "a person acted, so it is news again that there is no money"
        assert {each.kind for each in await stage.read(alarms.unsolved)} == {"budget_spent", "broadcast_paused"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_goes_another_way_gets_it_while_all_before_them_wait_for_money(
    database_url: str, clock: Clock
) -> None:
    async with (
        simulated(clock, zbs_templates=(OFFER,)) as platform,
        product(
            database_url, clock, platform, {"MONTHLY_SEND_BUDGET": "1", "BROADCAST_ALONE": "0", **NOBODY_ASKS}
        ) as stage,
    ):
        await people(stage, 1)
        lan = await stage.person(ZALO, "k0")
        await stage.service.database.write(partial(long_silent, clock=clock, account=lan.account_id))
        clock.pass_by(days=3)
        await stage.said(MESSENGER, "xin chào", "minh")
        await agree(stage, "minh", MESSENGER)
        said = Content(WORDS, templates=(ByTemplate(ZALO, "", OFFER.id),))
        number = await stage.service.database.write(partial(begun, by="cli", clock=clock, said=said))
        for _ in range(2):
            await go_on(stage)
            await stage.jobs_done(SEEK)
        found = await report(stage, number)
        assert (found.state, found.broadcast.pause_reason) == ("paused", Pause.BUDGET)
        assert found.people == {"pending": SILENT + 1, "sent": 1}
        assert found.broadcast.sought_at is not None, "they were looked for, not come upon"
        assert [words for words in stage.heard(MESSENGER, "minh") if "giảm 20%" in words] != []


def long_silent(session: Session, clock: Clock, account: str) -> None:
    """More customers than one turn takes, who want news and can be reached by a template alone."""
    for number in range(SILENT):
        person = born(session, clock(), user_id=f"s{number}")
        consent.say(session, person.customer_id, granted=True, at=clock())
    session.connection().execute(text("UPDATE identity SET account_id = :it WHERE user_id LIKE 's%'"), {"it": account})
