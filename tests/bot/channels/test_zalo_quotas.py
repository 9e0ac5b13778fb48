"""Zalo's quotas and followers as it tells them: odd figures are nothing, days end in Vietnam, nobody is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.zalo import followers, quotas
from crm.allowances import Allowance

NOW = datetime(2026, 11, 30, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "quota",
    [
        {"quota_type": "reply", "remain": "3"},
        {"quota_type": "sub_quota"},
        {"quota_type": "sub_quota", "remain": None},
        {"quota_type": "sub_quota", "remain": "-1"},
        {"quota_type": "sub_quota", "remain": "9" * 12},
        {},
    ],
)
def test_what_counts_nothing_is_no_allowance(quota: dict[str, Any]) -> None:
    assert quotas.of_answer(quota) is None


def test_a_day_ends_at_midnight_in_vietnam() -> None:
    assert quotas.end_of("30/11/2026") == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert quotas.end_of("31/02/2026") is None


def test_the_last_day_of_all_is_no_end() -> None:
    quota = {"quota_type": "sub_quota", "remain": "5", "expired_date": "31/12/9999"}
    assert quotas.of_answer(quota) == Allowance("sub_quota", 5)
    assert quotas.day("31/12/9999") is None


def test_assets_of_a_kind_count_together_and_end_with_the_first() -> None:
    assets = [
        {"quota_type": "sub_quota", "total": 500, "remain": 20, "valid_through": "31/12/2026"},
        {"quota_type": "sub_quota", "total": "100", "remain": "7", "valid_through": "30/11/2026"},
        {"quota_type": "elsewhere", "total": 1, "remain": 1},
    ]
    assert quotas.of_assets(assets) == (Allowance("sub_quota", 27, 600, quotas.end_of("30/11/2026")),)


def test_a_fifth_is_little_and_nothing_is_little_where_the_whole_is_not_told() -> None:
    assert Allowance("x", 100, 500).is_low and not Allowance("x", 101, 500).is_low
    assert Allowance("x", 0).is_low and not Allowance("x", 1).is_low
    assert not Allowance("x", 5, 10, NOW).lasts(NOW)


def test_months_are_vietnams_and_go_backwards_over_the_year() -> None:
    asked = [followers.question(f"{month}:0", NOW)["last_interaction_period"] for month in (1, 2, 12)]
    assert asked == ["2026_12_01:2026_12_31", "2026_11_01:2026_11_30", "2026_01_01:2026_01_31"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 700))
def test_every_follower_of_a_small_oa_is_told_of_once(number: int) -> None:
    told: list[str] = []
    cursor, calls = "", 0
    while calls == 0 or cursor:
        asked = followers.question(cursor, NOW)
        users = [{"user_id": str(each)} for each in range(number)][asked["offset"] : asked["offset"] + asked["count"]]
        page = followers.page({"total": number, "users": users}, cursor, NOW)
        told += page.user_ids
        cursor, calls = page.cursor, calls + 1
    assert told == [str(each) for each in range(number)]


def test_of_a_large_oa_the_months_are_asked_for_after_the_first_ten_thousand() -> None:
    last = followers.page({"total": 20_000, "users": [{"user_id": "1"}] * 50}, "0:9951", NOW)
    assert last.cursor == "1:0"
    assert followers.page({"total": 0, "users": []}, "1:0", NOW).cursor == "2:0"
    assert followers.page({"total": 0, "users": []}, f"{followers.MONTHS}:0", NOW).cursor == ""
