"""Last night's backup is restored, and platforms and POS tell everything since once more: all comes out as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from bot.commands import backup, restore
from bot.commands.arguments import parser
from bot.settings import Settings
from crm import orders
from crm.messages import Purpose
from crm.orders import News, Status
from simulator import messenger_events, zalo_events
from simulator.people import ZALO
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Json, Stage, playing

EVERYTHING = {
    "told": "SELECT text, count(*) FROM message WHERE author = 'customer' GROUP BY text ORDER BY text",
    "kept": "SELECT count(*) FROM inbox",
    "points": "SELECT c.external_id, sum(l.points) FROM ledger_entry l JOIN customer c ON c.id = l.customer_id "
    "WHERE l.currency = 'spend' GROUP BY c.external_id ORDER BY c.external_id",
    "orders": "SELECT external_id, status, version FROM sales_order ORDER BY external_id",
    "people": "SELECT channel, user_id FROM identity ORDER BY channel, user_id",
}


def event(stage: Stage, channel: str, number: int, clock: Clock) -> Json:
    """The `number`-th thing that Lan writes, as the platform tells it each time."""
    contact, words = stage.contact(channel), f"dòng {number}"
    if channel == ZALO:
        message = {"text": words, "msg_id": f"m{number}"}
        return zalo_events.from_person(stage.platform.config, contact, "user_send_text", message, clock())
    message = {"text": words, "mid": f"m_{number}"}
    return messenger_events.from_person(stage.platform.config, contact, "message", message, clock())


async def put(stage: Stage, clock: Clock, *news: News) -> None:
    """The POS tells of orders."""
    for each in news:
        await stage.service.database.write(partial(_put, news=each, clock=clock))


def _put(session: Any, news: News, clock: Clock) -> None:
    orders.put(session, news, clock())


async def everything(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """What must not differ."""
    return {
        name: await stage.read(
            lambda session, query=query: [tuple(row) for row in session.connection().execute(text(query))]
        )  # type: ignore[misc]
        for name, query in EVERYTHING.items()
    }


def copied(url: str, clock: Clock, *command: str) -> None:
    """Do `khachquen backup` or `khachquen restore`."""
    run = backup.run if command[0] == "backup" else restore.run
    settings = Settings(database_url=url, secret_key="a secret key for tests only")
    assert run(parser().parse_args(command), settings, clock(), lambda _: None).ok


@pytest.mark.parametrize("kept_since", [0, 3], ids=["all again", "since the backup again"])
async def test_what_is_told_again_after_a_restore_counts_once(
    sqlite_url: str, clock: Clock, channel: str, tmp_path: Any, kept_since: int
) -> None:
    file = str(tmp_path / "night.tar.gz")
    first = News("pos", "A1", "C1", Status.DELIVERED, 500_000, 1, clock(), clock())
    second = replace(first, external_id="A2", total=300_000)
    returned = replace(first, status=Status.RETURNED, version=2)
    third = replace(first, external_id="A3", customer="C2", total=70_000)
    told: list[Json] = []
    async with playing(sqlite_url, clock) as stage:
        for number in range(6):
            clock.pass_by(minutes=1)
            told.append(event(stage, channel, number, clock))
            assert await stage.webhook(channel, told[-1]) == 200
            await stage.quiet()
            if number == 2:
                await put(stage, clock, first, second)
                await asyncio.to_thread(copied, sqlite_url, clock, "backup", file)
        await put(stage, clock, returned, third)
        before = await everything(stage)
    assert before["kept"] == [(6,)] and dict(before["points"]) == {"C1": 30, "C2": 7}  # type: ignore[comparison-overlap]

    await asyncio.to_thread(copied, sqlite_url, clock, "restore", file, "--force")
    async with playing(sqlite_url, clock) as stage:
        assert await everything(stage) != before
        for _ in range(2):
            for body in told[kept_since:]:
                assert await stage.webhook(channel, body) == 200
            await put(stage, clock, third, returned, second, first)
            await stage.quiet()
        assert await everything(stage) == before
        assert await stage.dead() == []


@pytest.mark.parametrize(("purpose", "again"), [(Purpose.REPLY, [ANSWER]), (Purpose.BROADCAST, [])])
async def test_what_waited_when_the_backup_was_made_may_have_gone_out_since(
    sqlite_url: str, clock: Clock, channel: str, tmp_path: Any, purpose: Purpose, again: list[str]
) -> None:
    """It went out, and after the restore nobody knows: an answer is looked for, and sent where it is not found."""
    file = str(tmp_path / "night.tar.gz")
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await stage.said(channel, "bắt đầu nhận tin")
        stage.goes_wrong("status", path="message", status=429, retry_after="600")
        await stage.send(channel, ANSWER, purpose)
        await stage.quiet()
        assert (await stage.states())[-1] == "waiting"
        await asyncio.to_thread(copied, sqlite_url, clock, "backup", file)
        clock.pass_by(minutes=11)
        await stage.quiet()
        assert stage.heard()[-1] == ANSWER
    await asyncio.to_thread(copied, sqlite_url, clock, "restore", file, "--force")
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.contact(channel).last_interaction = stage.contact(channel).last_message = clock()
        stage.goes_wrong("status", path="conversation", times=9)
        assert (await stage.states())[-1] == "unknown"
        for _ in range(3):
            clock.pass_by(minutes=1)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert stage.heard() == again


@pytest.mark.parametrize(("purpose", "again"), [(Purpose.REPLY, [ANSWER]), (Purpose.BROADCAST, [])])
async def test_what_waits_in_a_database_that_other_tools_put_in_place_is_in_doubt(
    database_url: str, clock: Clock, purpose: Purpose, again: list[str]
) -> None:
    async with playing(database_url, clock, echoes=False) as stage:
        await stage.said(ZALO, "bắt đầu nhận tin")
        stage.goes_wrong("status", path="message", status=429, retry_after="600")
        await stage.send(ZALO, ANSWER, purpose)
        await stage.quiet()
        assert (await stage.states())[-1] == "waiting"
    clock.pass_by(minutes=11)
    await asyncio.to_thread(copied, database_url, clock, "restore", "--by-hand")
    async with playing(database_url, clock, echoes=False) as stage:
        stage.contact(ZALO).last_interaction = stage.contact(ZALO).last_message = clock()
        await stage.tick("outbox.sweep")
        assert (await stage.states())[-1] == "unknown"
        for _ in range(2):
            clock.pass_by(minutes=1)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert stage.heard() == again
