"""Access tokens that die: one refresh for all, messages that wait, one alarm, and a new pair that mends it."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import text
from sqlmodel import Session

from bot import followers, renewal
from crm.messages import Purpose
from simulator.people import MESSENGER, ZALO
from storage import accounts, alarms
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

CROWD = 50
FEW = 12
MANY = 1000


async def rung(stage: Stage) -> list[str]:
    """The kinds of alarms that are open."""
    return [alarm.kind for alarm in await stage.read(alarms.unsolved)]


def oauth_is_down(stage: Stage) -> None:
    """No token is renewed until somebody clears the platform's faults."""
    stage.goes_wrong("status", host="zalo-oauth", status=503, retry_after="1", times=MANY)


def tries(stage: Stage) -> int:
    """How often a token was asked for while OAuth was down."""
    return MANY - next(fault.times for fault in stage.platform.faults.calls)


async def all_wait(stage: Stage, messages: int) -> None:
    """Wait until so many messages are queued, none is on its way, and the account and the job that renews rest."""

    def wait(session: Session) -> bool:
        (account,) = [view for view in accounts.everyone(session) if view.channel == ZALO]
        states = list(session.connection().execute(text("SELECT state FROM outbox")).scalars())
        return account.rests_until(stage.clock()) is not None and states == ["waiting"] * messages

    await stage.until(wait)
    await stage.jobs_done(renewal.JOB)


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
    await all_wait(stage, 1)
    stage.clock.pass_by(seconds=6)
    await stage.until(lambda session: bool(stage.heard()))
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


async def test_a_refresh_is_asked_for_once_more_under_a_whole_lease(stage: Stage) -> None:
    stage.platform.zalo_tokens.expire()
    for _ in range(2):
        stage.goes_wrong("hang", host="zalo-oauth", seconds=0.5)
    await stage.taken(stage.says(ZALO))
    await stage.until(lambda session: len(stage.platform.faults.calls) == 1)
    stage.clock.pass_by(seconds=50)
    await stage.until(lambda session: not stage.platform.faults.calls)
    stage.clock.pass_by(seconds=20)
    account = await stage.read(lambda session: accounts.find(session, ZALO, stage.platform.config.zalo_oa_id))
    assert account is not None
    assert (account.lease_owner != "", account.lease_until > stage.clock()) == (True, True)


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


async def test_while_tokens_cannot_be_renewed_one_try_is_made_at_a_time_and_none_is_sent_with_a_dead_one(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        stage.platform.zalo_tokens.expire()
        oauth_is_down(stage)
        people = [f"p{number}" for number in range(FEW)]
        for who in people[: FEW // 2]:
            await stage.taken(stage.says(ZALO, who=who))
        await all_wait(stage, FEW // 2)
        assert tries(stage) == 1
        refused = stage.platform.refused_seen
        for who in people[FEW // 2 :]:
            await stage.taken(stage.says(ZALO, who=who))
        await all_wait(stage, FEW)
        await asyncio.sleep(0.7)
        assert (tries(stage), stage.platform.refused_seen) == (1, refused), "who comes later waits, too"
        for rests in range(2, 5):
            stage.clock.pass_by(seconds=20)
            await stage.until(lambda session, wanted=rests: tries(stage) >= wanted)  # type: ignore[misc]
            await all_wait(stage, FEW)
            assert tries(stage) == rests
        stage.platform.faults.clear()
        stage.clock.pass_by(seconds=61)
        await stage.until(lambda session: len(stage.heard()) >= FEW)
        await stage.quiet()
        assert stage.heard() == [ANSWER] * FEW, "all go at once"
        assert stage.platform.zalo_tokens.pairs_issued == 1
        assert await rung(stage) == []


async def test_a_token_that_is_not_renewed_for_long_rings_and_is_solved_by_a_new_one(stage: Stage) -> None:
    stage.platform.zalo_tokens.expire()
    oauth_is_down(stage)
    await stage.taken(stage.says(ZALO))
    await all_wait(stage, 1)
    assert await rung(stage) == []
    stage.clock.pass_by(minutes=11)
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    assert await rung(stage) == ["token_late"]
    stage.platform.faults.clear()
    stage.clock.pass_by(minutes=1, seconds=1)
    await stage.until(lambda session: bool(stage.heard()))
    assert await rung(stage) == []


async def test_an_early_renewal_that_fails_stops_nothing(stage: Stage) -> None:
    await stage.said(ZALO)
    stage.clock.pass_by(hours=13)
    oauth_is_down(stage)
    await stage.tick("tokens.refresh")
    assert tries(stage) == 1
    await stage.said(ZALO)
    assert stage.heard() == [ANSWER] * 2
    stage.platform.faults.clear()
    await stage.tick("tokens.refresh")
    assert stage.platform.zalo_tokens.pairs_issued == 1


async def test_jobs_wait_for_a_new_token_and_are_not_given_up(stage: Stage) -> None:
    stage.contact(ZALO).following = True
    stage.platform.zalo_tokens.expire()
    oauth_is_down(stage)
    account_id = stage.platform.config.zalo_oa_id
    await stage.service.database.write(partial(followers.queue, channel=ZALO, account_id=account_id, now=stage.clock()))
    tried = text("SELECT attempts FROM job WHERE kind = 'followers.read'")
    for _ in range(4):
        await stage.until(lambda session: tries(stage) > 0)
        await stage.jobs_done(followers.JOB)
        stage.clock.pass_by(seconds=31)
    assert await stage.read(lambda session: session.connection().execute(tried).scalar_one()) == 0
    await stage.jobs_done(followers.JOB)
    await stage.jobs_done(renewal.JOB)
    stage.platform.faults.clear()
    stage.clock.pass_by(seconds=61)
    await stage.jobs_done(renewal.JOB)
    await stage.jobs_done(followers.JOB)
    stage.clock.pass_by(seconds=31)
    await stage.until(lambda session: session.connection().execute(tried).first() is None)
    assert await stage.count("identity") == 1
    assert stage.platform.zalo_tokens.pairs_issued == 1
