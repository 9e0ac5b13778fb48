"""What Zalo lets an OA send beyond free replies: kept, told of before it ends, and what it refuses waits, not dies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from bot import allowances, registry
from crm import consent, customers, outbox, templates
from crm.messages import Purpose
from simulator import control
from simulator.config import ZbsTemplate
from simulator.people import ZALO
from storage import alarms, holds
from storage import allowances as rows
from storage.customers import Person
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing
from tests.pipeline.test_checkup import check

OFFER = ZbsTemplate(id="777", name="Ưu đãi", tag="PROMOTION")
NOTICE = ZbsTemplate(id="778", name="Đơn đã giao")


async def rung(stage: Stage) -> set[str]:
    """The kinds of alarms that are open."""
    return {each.kind for each in await stage.read(alarms.unsolved)}


async def left(stage: Stage) -> dict[str, tuple[int, int]]:
    """What is known of the allowances: left, whole."""
    return {each.name: (each.remain, each.total) for each in await stage.read(rows.everything)}


async def waiting(stage: Stage) -> list[tuple[str, int]]:
    """Why messages wait, and how many tries each has used."""
    query = text("SELECT error, attempts FROM outbox WHERE state = 'waiting' ORDER BY id")
    return [tuple(row) for row in await stage.read(lambda session: session.connection().execute(query).all())]


def costs(session: Session) -> list[tuple[str, int]]:
    """The lanes of what went out beyond the free time, and what each cost."""
    query = text("SELECT lane, cost FROM outbox WHERE state = 'sent' AND lane <> 'consultation' ORDER BY id")
    return [(lane, cost) for lane, cost in session.connection().execute(query)]


def refusals(stage: Stage) -> int:
    """How often Zalo said that the quota is used up."""
    return sum("-211" in str(each) for each in stage.platform.refused)


async def by_phone(stage: Stage, who: str, template: ZbsTemplate, purpose: Purpose) -> None:
    """Send a template to the phone of somebody who wrote."""
    person = await stage.person(ZALO, who)

    def send(session: Session) -> None:
        now = stage.clock()
        consent.say(session, person.customer_id, granted=True, at=now)
        number = customers.by_phone(session, person.customer_id, ZALO, person.account_id, now)
        known = templates.find(session, (ZALO, person.account_id, template.id, ""))
        assert number is not None and known is not None
        assert outbox.send(session, number, [templates.message(known, {})], purpose, now) is None

    await stage.service.database.write(send)
    await stage.quiet()


async def with_phone(stage: Stage, who: str, number: str) -> Person:
    """Somebody who wrote, and whose number we have."""
    await stage.said(ZALO, who=who)
    person = await stage.person(ZALO, who)

    def know(session: Session) -> None:
        customers.join_by_phone(session, person, number, stage.clock())

    await stage.service.database.write(know)
    return person


async def test_the_package_pays_beyond_48_hours_and_what_is_left_is_kept_and_rung_for(
    sqlite_url: str, clock: Clock
) -> None:
    async with playing(sqlite_url, clock, zalo_sub_quota=20) as stage:
        stage.platform.zalo_sub_quota_left = 5
        await stage.said(ZALO)
        clock.pass_by(hours=50)
        await stage.send(ZALO, "Đơn của bạn đã tới.", Purpose.TRANSACTION)
        await stage.until(lambda session: bool(rows.everything(session)))
        await stage.until(lambda session: costs(session) == [("consultation_paid", 0)])
        assert await left(stage) == {"sub_quota": (4, 20)}
        assert await rung(stage) == {allowances.LOW}
        stage.platform.zalo_sub_quota_left = 20
        await check(stage, ZALO)
        assert (await left(stage))["sub_quota"] == (20, 20)
        assert await rung(stage) == set()


async def test_what_the_quota_refuses_waits_with_all_that_goes_the_same_way_while_free_replies_go_on(
    sqlite_url: str, clock: Clock
) -> None:
    async with playing(sqlite_url, clock, zalo_sub_quota=1, zalo_bills=False) as stage:
        stage.platform.zalo_sub_quota_left = 0
        for who in ("lan", "minh"):
            await stage.said(ZALO, who=who)
        clock.pass_by(hours=50)
        await stage.tick("tokens.refresh")
        await stage.send(ZALO, "Đơn của bạn đã tới.", Purpose.TRANSACTION, "lan")
        await stage.quiet()
        assert refusals(stage) == 1
        await stage.send(ZALO, "Đơn của bạn đã tới.", Purpose.TRANSACTION, "minh")
        await stage.quiet()
        assert refusals(stage) == 1
        assert [attempts for _, attempts in await waiting(stage)] == [0, 0]
        assert all(why.startswith("allowance of consultation_paid: -211") for why, _ in await waiting(stage))
        assert await rung(stage) == {allowances.SPENT}
        before = len(stage.heard(ZALO, "hoa"))
        await stage.said(ZALO, who="hoa")
        assert len(stage.heard(ZALO, "hoa")) == before + 1
        stage.platform.zalo_sub_quota_left = 10
        await check(stage, ZALO)
        await stage.quiet()
        assert await waiting(stage) == [] and await rung(stage) == set()
        assert [lane for lane, _ in await stage.read(costs)] == ["consultation_paid"] * 2


async def test_a_lane_that_lets_something_through_again_lets_all_through(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, zalo_sub_quota=0, zalo_bills=False) as stage:
        await stage.said(ZALO)
        clock.pass_by(hours=50)
        await stage.send(ZALO, "Một", Purpose.TRANSACTION)
        await stage.quiet()
        stage.platform.zalo_sub_quota_left = 10
        clock.pass_by(hours=7)
        await stage.tick("outbox.expire")
        await stage.quiet()
        assert await waiting(stage) == [] and allowances.SPENT not in await rung(stage)


async def test_an_end_of_promotion_holds_marketing_alone(sqlite_url: str, clock: Clock) -> None:
    clock.now = clock.now.replace(hour=3)
    platforms = {"zbs_templates": (OFFER, NOTICE), "zbs_promotion_quota": 0}
    async with playing(sqlite_url, clock, **platforms) as stage:
        await with_phone(stage, "lan", "0901234501")
        await stage.tick(registry.SYNC)
        await stage.jobs_done(registry.SYNC)
        await by_phone(stage, "lan", OFFER, Purpose.BROADCAST)
        ((why, attempts),) = await waiting(stage)
        assert why.startswith("allowance of template_phone for marketing: -1441") and attempts == 0
        await with_phone(stage, "minh", "0901234502")
        await by_phone(stage, "minh", NOTICE, Purpose.TRANSACTION)
        assert len(await waiting(stage)) == 1
        assert [lane for lane, _ in await stage.read(costs)] == ["template_phone"]


async def test_a_smaller_daily_quota_is_noted_at_once_and_looked_into(stage: Stage) -> None:
    await check(stage, ZALO)
    assert (await left(stage))["template_daily"] == (500, 500)
    await control.daily_quota(stage.platform, {"total": 50})
    await stage.quiet()
    await stage.until(lambda session: any(each.total == 50 for each in rows.everything(session)))
    assert (await left(stage))["template_daily"] == (50, 50)
    await stage.tick("accounts.check")
    assert (await left(stage))["template_daily"] == (50, 50)


async def test_the_check_shows_what_is_left_and_until_when(stage: Stage) -> None:
    report = await check(stage, ZALO)
    facts = next(line for line in report.lines if "quotas" in line)
    assert "sub_quota 500 of 500 left until 2026-11-30" in facts
    assert "template_daily 500 of 500 left" in facts


def test_a_lane_is_shut_once_and_opens_once(session: Session, clock: Clock) -> None:
    lane = rows.Shut(ZALO, "8200300400500600700", "consultation_paid", False, "-211: used up", clock())
    for _ in range(2):
        allowances.shut(session, lane, clock())
    assert rows.shut(session) == [lane] and len(alarms.unsolved(session)) == 1
    allowances.lift(session, clock.pass_by(minutes=1))
    assert rows.shut(session) == [] and alarms.unsolved(session) == []
    assert not rows.open_lane(session, lane)
    assert not holds.is_held(session, ZALO, lane.account_id, "allowance")


def test_what_was_told_earlier_changes_nothing(session: Session, clock: Clock) -> None:
    account, first = (ZALO, "8200300400500600700"), clock()
    later: datetime = clock.pass_by(minutes=1)
    allowances.note(session, account, [allowances.Allowance("sub_quota", 3, 100)], later)
    allowances.note(session, account, [allowances.Allowance("sub_quota", 90, 100)], first)
    assert [each.remain for each in rows.everything(session)] == [3]
