"""The short forms of the trials; `python -m tests.trials` runs the long ones and prints their tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.trials import broadcasts, care, crowd, day, grants, kills, moves, shift, tokens

pytestmark = pytest.mark.timeout(170)


async def test_a_kill_at_any_step_loses_nothing_and_repeats_nothing(database_url: str) -> None:
    met, figures = await kills.at_every_step(database_url)
    figures.check()
    assert met == dict.fromkeys(kills.POINTS, True)


async def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(database_url: str) -> None:
    longest, figures = await kills.at_random_moments(database_url, kills=8, seed=7)
    figures.check()
    assert longest < 15


async def test_kills_during_a_broadcast_miss_nobody_and_tell_nobody_twice(database_url: str) -> None:
    seen = await broadcasts.killed(database_url, people=1000, kills=10, seed=5)
    seen.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_node_that_stands_still_for_90_seconds_and_wakes_misses_nobody_and_tells_nobody_twice(
    database_url: str,
) -> None:
    seen = await broadcasts.stopped(database_url, people=240, seconds=90)
    seen.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_node_that_stands_still_while_care_rules_are_followed_misses_nobody_and_tells_nobody_twice(
    database_url: str,
) -> None:
    seen = await care.stopped(database_url, people=240, seconds=90)
    seen.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_doors_and_two_workers_share_the_work_in_order_and_without_a_deadlock(database_url: str) -> None:
    seen = await crowd.shared(database_url, events=500, seed=11, webs=2)
    seen.figures.check()
    assert seen.posted == 1500
    assert (seen.deadlocks, seen.refreshes, seen.out_of_order) == (0, 1, 0)
    assert seen.busy_workers == 2


async def test_a_kill_with_a_new_token_in_hand_rings_once_and_loses_no_message(database_url: str) -> None:
    seen = await tokens.lost(database_url)
    assert (seen.alarms, seen.lost, seen.other_channel_answered) == (1, 0, True)
    assert seen.seconds_to_alarm < 30


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_backup_refuses_no_webhook_and_leaves_no_long_log(database_url: str) -> None:
    await asyncio.to_thread(moves.fill, database_url, 2000, 5)
    seen = await moves.beside(database_url, seconds=0.5, lanes=2)
    assert seen.refused == 0
    assert seen.acks_meanwhile > 0
    assert seen.log_mb_after < 32


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_kills_at_random_moments_leave_no_half_backup_and_no_half_database(database_url: str) -> None:
    moves.fill(database_url, 2000, 5)
    seen = moves.killed(database_url, times=3, seed=3)
    assert (seen.broken, seen.no_backup + seen.whole_backups, seen.old + seen.new) == (0, 3, 3)


@pytest.mark.parametrize("point", grants.POINTS)
async def test_a_kill_while_an_oa_is_connected_leaves_a_used_address_and_a_new_one_works(
    database_url: str, point: str
) -> None:
    assert await grants.broken_off(database_url, point) == grants.Broken(killed=None, again=400, anew=200, lost=0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_day_of_spent_quota_blocked_page_and_lost_webhooks_loses_nothing(
    database_url: str, tmp_path: Path
) -> None:
    seen = await day.lived(database_url, tmp_path, timedelta(hours=1))
    seen.check()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_shift_leaves_nobody_without_an_owner_an_answer_or_a_true_promise(database_url: str) -> None:
    seen = await shift.lived(database_url, customers=14, step=timedelta(minutes=20))
    seen.check()
