"""The pace of an account: as set while it is far from the platform's limit, slower and slower as it comes near."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.base import Usage
from bot.pace import SHORTEST, Paces

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PAGE, OTHER = ("messenger", "1"), ("messenger", "2")
USUAL = timedelta(milliseconds=100)
TEN_MINUTES = timedelta(minutes=10)


def heard(percent: int, regain: timedelta = timedelta()) -> Paces:
    """Paces of an account that said so."""
    paces = Paces({"messenger": USUAL})
    paces.hear(PAGE, Usage(percent, TEN_MINUTES, regain), NOW)
    return paces


@pytest.mark.parametrize(("percent", "times"), [(0, 1), (69, 1), (70, 1), (85, 2.5), (100, 4), (250, 4)])
def test_from_70_percent_on_sends_are_spread_out_up_to_four_times(percent: int, times: float) -> None:
    assert heard(percent).interval(PAGE, NOW) == USUAL * times
    assert heard(percent).interval(OTHER, NOW) == USUAL, "it is the account's own limit"


@pytest.mark.parametrize(("percent", "waits"), [(79, False), (80, True), (100, True)])
def test_from_80_percent_on_marketing_waits(percent: int, waits: bool) -> None:
    assert heard(percent).holds_marketing(PAGE, NOW) is waits


def test_what_was_heard_is_forgotten_when_it_is_no_longer_true() -> None:
    paces = heard(100)
    assert paces.interval(PAGE, NOW + TEN_MINUTES) == USUAL
    assert not paces.holds_marketing(PAGE, NOW + TEN_MINUTES)


def test_an_answer_that_says_nothing_changes_nothing() -> None:
    paces = heard(100)
    assert paces.hear(PAGE, None, NOW) == timedelta()
    assert paces.holds_marketing(PAGE, NOW)
    paces.hear(PAGE, Usage(10, TEN_MINUTES), NOW)
    assert not paces.holds_marketing(PAGE, NOW)


def test_an_account_without_a_pace_gets_one_near_the_limit() -> None:
    paces = Paces({})
    paces.hear(PAGE, Usage(100, TEN_MINUTES), NOW)
    assert paces.interval(PAGE, NOW) == SHORTEST * 4


def test_a_rest_is_told_once_to_the_many_sends_that_hear_of_it() -> None:
    paces, usage = Paces({}), Usage(100, TEN_MINUTES, timedelta(minutes=20))
    assert paces.hear(PAGE, usage, NOW) == timedelta(minutes=20)
    assert paces.hear(PAGE, usage, NOW + timedelta(seconds=2)) == timedelta()
    assert paces.hear(PAGE, usage, NOW + timedelta(minutes=19)) == timedelta(minutes=20)
