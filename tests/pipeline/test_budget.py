"""What messages cost, and the month's ceiling: exact to the đồng, by the shop's own calendar, with many workers."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlmodel import Session

import main
from bot import holds, registry
from bot.commands import cost
from bot.commands.report import Refused
from bot.settings import Settings
from crm import budget, consent, outbox, templates
from crm.messages import Purpose
from simulator.config import ZbsTemplate
from simulator.people import ZALO
from storage import alarms
from tests.conftest import Clock
from tests.pipeline.stage import Stage, environment, playing

SHOP = ZoneInfo("Asia/Ho_Chi_Minh")
PRICE = 300
OFFER = ZbsTemplate(id="777", name="Ưu đãi", tag="PROMOTION", price_uid=PRICE, price_phone=500)
NOTICE = ZbsTemplate(id="778", name="Đơn đã giao", tag="TRANSACTION", price_uid=PRICE)


async def people(stage: Stage, number: int) -> list[int]:
    """So many customers who wrote and agreed to marketing; their identities."""
    for each in range(number):
        await stage.said(ZALO, who=f"k{each}")
    found = [await stage.person(ZALO, f"k{each}") for each in range(number)]

    def agree(session: Session) -> None:
        for person in found:
            consent.say(session, person.customer_id, granted=True, at=stage.clock())

    await stage.service.database.write(agree)
    await stage.tick(registry.SYNC)
    await stage.jobs_done(registry.SYNC)
    return [person.identity_id for person in found]


async def queue(stage: Stage, number: int, template: ZbsTemplate = OFFER, purpose: Purpose = Purpose.BROADCAST) -> None:
    """One message with a template to each of them, queued together."""
    found = [await stage.person(ZALO, f"k{each}") for each in range(number)]

    def send(session: Session) -> None:
        for person in found:
            known = templates.find(session, (ZALO, person.account_id, template.id, ""))
            assert known is not None
            refusal = outbox.send(session, person, [templates.message(known, {})], purpose, stage.clock())
            assert refusal is None

    await stage.service.database.write(send)


def offers(stage: Stage) -> int:
    """How many templates went out."""
    return sum(call.kind == "template" for call in stage.calls())


async def held(stage: Stage) -> list[tuple[str, datetime]]:
    """Why messages wait, and until when."""
    query = text("SELECT error, ready_at FROM outbox WHERE state = 'waiting' ORDER BY id")

    def read(session: Session) -> list[tuple[str, datetime]]:
        rows = session.connection().execute(query)
        return [(why, datetime.fromisoformat(str(at)).replace(tzinfo=UTC)) for why, at in rows]

    return await stage.read(read)


async def rung(stage: Stage) -> set[str]:
    """What the alarms about the budget are about."""
    return await stage.read(lambda session: alarms.subjects(session, holds.SPENT))


@pytest.mark.parametrize(("ceiling", "go"), [(3 * PRICE, 3), (3 * PRICE - 1, 2), (PRICE - 1, 0), (99 * PRICE, 5)])
async def test_what_would_go_beyond_the_ceiling_waits(database_url: str, clock: Clock, ceiling: int, go: int) -> None:
    shop = {"MONTHLY_SEND_BUDGET": str(ceiling)}
    async with playing(database_url, clock, settings=shop, zbs_templates=(OFFER, NOTICE)) as stage:
        await people(stage, 5)
        await queue(stage, 5)
        await stage.quiet()
        assert offers(stage) == go
        assert {why for why, _ in await held(stage)} <= {"over the month's budget (2026-11)"}
        assert len(await held(stage)) == 5 - go
        account = stage.platform.config.zalo_oa_id
        assert await rung(stage) == ({f"{ZALO}:{account}:2026-11"} if go < 5 else set())


async def test_above_the_ceiling_all_but_marketing_goes_on(sqlite_url: str, clock: Clock) -> None:
    shop = {"MONTHLY_SEND_BUDGET": str(PRICE)}
    async with playing(sqlite_url, clock, settings=shop, zbs_templates=(OFFER, NOTICE)) as stage:
        await people(stage, 3)
        await queue(stage, 3, NOTICE, Purpose.TRANSACTION)
        await stage.quiet()
        assert offers(stage) == 3, "transactions go beyond it"
        await stage.send(ZALO, "Ưu đãi", Purpose.BROADCAST, "k0")
        await stage.send(ZALO, "Bạn dùng thấy ổn không?", Purpose.CARE, "k1")
        await stage.quiet()
        assert len(await held(stage)) == 2, "even what is free, once more was spent than allowed"
        await stage.said(ZALO, who="k0")
        assert len(stage.calls(who="k0")) == 3


async def test_the_month_turns_at_the_shops_midnight(sqlite_url: str, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    shop = {"MONTHLY_SEND_BUDGET": str(PRICE)}
    async with playing(sqlite_url, clock, settings=shop, zbs_templates=(OFFER, NOTICE)) as stage:
        await people(stage, 3)
        await queue(stage, 3)
        await stage.quiet()
        assert offers(stage) == 1
        turn = datetime(2026, 12, 1, tzinfo=SHOP)
        assert {at for _, at in await held(stage)} == {turn.astimezone(UTC)}
        clock.now = datetime(2026, 11, 30, 16, 59, 59, tzinfo=UTC)
        await stage.quiet()
        await stage.tick("outbox.expire")
        assert offers(stage) == 1 and len(await rung(stage)) == 1
        clock.now = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
        await stage.quiet()
        assert offers(stage) == 2, "a new month, and room for one"
        await stage.tick("outbox.expire")
        assert {subject[-7:] for subject in await rung(stage)} == {"2026-12"}


async def test_a_raised_ceiling_lets_go_at_the_next_start(database_url: str, clock: Clock) -> None:
    for ceiling, go in ((PRICE, 1), (2 * PRICE, 1), (0, 2)):
        shop = {"MONTHLY_SEND_BUDGET": str(ceiling)} if ceiling else {}
        async with playing(database_url, clock, settings=shop, zbs_templates=(OFFER, NOTICE)) as stage:
            if ceiling == PRICE:
                await people(stage, 4)
                await queue(stage, 4)
            for each in range(4):
                stage.contact(ZALO, f"k{each}").last_interaction = clock()
            await stage.quiet()
            assert offers(stage) == go
            assert len(await rung(stage)) == (1 if ceiling else 0)
            clock.pass_by(hours=1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_workers_together_stay_below_the_ceiling(database_url: str, clock: Clock) -> None:
    shop = {"MONTHLY_SEND_BUDGET": str(10 * PRICE + 1)}
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(
            playing(database_url, clock, settings=shop, zbs_templates=(OFFER, NOTICE))
        )
        await people(stage, 25)
        given = Settings.from_env(
            None, environment(stage.platform.config, stage.platform.media.base_url, database_url, **shop)
        )
        for _ in range(2):
            await stack.enter_async_context(main.compose(given, clock, doors=False))
        for _ in range(4):
            await asyncio.gather(*(queue(stage, 25) for _ in range(2)))
            await stage.quiet()
        assert offers(stage) == 10
        assert len(await rung(stage)) == 1


async def test_what_the_platform_charges_to_a_free_quota_costs_nothing(stage: Stage) -> None:
    await stage.said(ZALO)
    stage.clock.pass_by(hours=50)
    await stage.send(ZALO, "Đơn 7 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    stage.platform.zalo_sub_quota_left = 0
    await stage.send(ZALO, "Đơn 8 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    query = text("SELECT lane, quota, cost FROM outbox ORDER BY id")
    rows = await stage.read(lambda session: [tuple(row) for row in session.connection().execute(query)])
    assert rows[-2:] == [("consultation_paid", "sub_quota", 0), ("consultation_paid", "", 55)]


async def test_the_command_tells_what_a_month_cost(sqlite_url: str, clock: Clock, tmp_path: Path) -> None:
    async with playing(sqlite_url, clock, zbs_templates=(OFFER, NOTICE)) as stage:
        await people(stage, 2)
        await queue(stage, 2)
        await stage.quiet()
        settings = Settings(monthly_send_budget=1000)
        report = await cost.run(Namespace(month=None), stage.service.database, settings, clock())
        (account,) = report.data["accounts"]
        assert (report.data["month"], report.data["ceiling"], account["cost"], account["left"]) == (
            "2026-11", 1000, 600, 400,
        )  # fmt: skip
        lanes = [(each["lane"], each["purpose"], each["messages"], each["cost"]) for each in account["lanes"]]
        assert lanes == [("consultation", "reply", 2, 0), ("template_uid", "broadcast", 2, 600)]
        assert "600đ, 400đ left" in report.lines[-1]
        before = await cost.run(Namespace(month="2026-10"), stage.service.database, Settings(), clock())
        assert before.data == {"month": "2026-10", "ceiling": None, "accounts": []}
        with pytest.raises(Refused, match="2026-11"):
            await cost.run(Namespace(month="November"), stage.service.database, Settings(), clock())


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (datetime(2026, 10, 31, 16, 59, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 17, 0, tzinfo=UTC), "2026-11"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "2027-01"),
    ],
)
def test_a_month_is_the_shops(now: datetime, name: str) -> None:
    month = budget.Budget(1, SHOP).month(now)
    assert month.name == name and month == budget.named(name, SHOP)
    assert month.start <= now < month.end
    assert month.start.astimezone(SHOP).day == month.end.astimezone(SHOP).day == 1
