"""Access tokens that die: one refresh for all, messages that wait, one alarm, and a new pair that mends it."""

from __future__ import annotations

import asyncio

from crm.messages import Purpose
from simulator.people import MESSENGER, ZALO
from storage import alarms
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

CROWD = 50


async def rung(stage: Stage) -> list[str]:
    """The kinds of alarms that are open."""
    return [alarm.kind for alarm in await stage.read(alarms.unsolved)]


async def test_fifty_sends_that_find_the_token_dead_make_one_refresh(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        stage.platform.zalo_tokens.expire()
        people = [f"p{number}" for number in range(CROWD)]
        for who in people:
            await stage.taken(stage.says(ZALO, who=who))
        await stage.until(lambda session: len(stage.heard()) >= CROWD)
        await stage.quiet()
        assert stage.platform.zalo_tokens.pairs_issued == 1
        assert stage.heard() == [ANSWER] * CROWD
        assert await rung(stage) == []


async def test_the_new_pair_is_sealed_in_the_database_and_used_after_a_new_start(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock) as stage:
        stage.platform.zalo_tokens.expire()
        await stage.taken(stage.says(ZALO))
        await stage.until(lambda session: bool(stage.heard()))
        await stage.quiet()
        living = stage.platform.zalo_tokens
        rows = await stage.read(
            lambda session: [
                tuple(row)
                for row in session.connection().exec_driver_sql("SELECT access_token, refresh_token FROM account")
            ]
        )
        assert all(living.access not in token and living.refresh not in token for row in rows for token in row)
    async with playing(sqlite_url, clock) as stage:
        fresh = stage.platform.zalo_tokens
        fresh.access, fresh.refresh = living.access, living.refresh
        await stage.said(ZALO)
        assert stage.heard() == [ANSWER]
        assert fresh.pairs_issued == 0


async def test_a_revoked_refresh_token_holds_the_account_and_rings_once(stage: Stage) -> None:
    tokens = stage.platform.zalo_tokens
    tokens.expire()
    tokens.refresh = "revoked by somebody"
    for who in ("lan", "minh", "huong"):
        await stage.taken(stage.says(ZALO, who=who))
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    assert await stage.states() == ["waiting"] * 3
    assert await rung(stage) == ["token_dead"]
    await stage.taken(stage.says(MESSENGER))
    await stage.until(lambda session: bool(stage.heard()))
    assert stage.heard(MESSENGER) == [ANSWER], "the other account goes on"
    assert await rung(stage) == ["token_dead"]


async def test_messages_wait_for_new_tokens_and_then_go_out(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock) as stage:
        stage.platform.zalo_tokens.expire()
        stage.platform.zalo_tokens.refresh = "revoked by somebody"
        await stage.taken(stage.says(ZALO))
        await stage.until(lambda session: bool(alarms.unsolved(session)))
    clock.pass_by(hours=1)
    new = {"ZALO_ACCESS_TOKEN": "typed in anew", "ZALO_REFRESH_TOKEN": "this one, too"}
    async with playing(
        sqlite_url, clock, settings=new, zalo_access_token="typed in anew", zalo_refresh_token="this one, too"
    ) as stage:
        stage.contact(ZALO).last_interaction = stage.contact(ZALO).last_message = clock()
        await stage.quiet()
        assert stage.heard() == [ANSWER]
        assert await rung(stage) == []


async def test_a_messenger_token_that_died_holds_the_page_and_rings(stage: Stage) -> None:
    stage.goes_wrong("token_expired", host="graph", path="message")
    await stage.taken(stage.says(MESSENGER))
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    assert await rung(stage) == ["token_dead"]
    await asyncio.sleep(1)
    assert await stage.states() == ["waiting"]
    assert stage.heard() == []


async def test_a_refresh_that_finds_the_platform_busy_is_tried_again(stage: Stage) -> None:
    stage.platform.zalo_tokens.expire()
    stage.goes_wrong("status", host="zalo-oauth", status=429, retry_after="1")
    await stage.taken(stage.says(ZALO))
    for _ in range(5):
        await asyncio.sleep(0.3)
        stage.clock.pass_by(seconds=61)
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert stage.platform.zalo_tokens.pairs_issued == 1
    assert await rung(stage) == []


async def test_a_lost_answer_to_a_refresh_is_asked_once_more_and_then_rings(stage: Stage) -> None:
    """The token is single-use: the second try finds it spent, so a person must connect the account again."""
    stage.platform.zalo_tokens.expire()
    stage.goes_wrong("lost_response", host="zalo-oauth")
    await stage.taken(stage.says(ZALO))
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    assert stage.platform.zalo_tokens.pairs_issued == 1
    assert await rung(stage) == ["token_dead"]
    await asyncio.sleep(1)
    assert await stage.states() == ["waiting"]


async def test_tokens_are_renewed_before_they_grow_old(stage: Stage) -> None:
    await stage.said(ZALO)
    stage.clock.pass_by(hours=13)
    await stage.tick("tokens.refresh")
    assert stage.platform.zalo_tokens.pairs_issued == 1
    await stage.tick("tokens.refresh")
    assert stage.platform.zalo_tokens.pairs_issued == 1
    await stage.send(ZALO, "Đơn 7 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    assert stage.heard()[-1] == "Đơn 7 đã giao"
    assert stage.platform.refused_seen == 0
