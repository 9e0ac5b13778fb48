"""Hours in which nobody is written to unasked: the law's, which no setting widens, and the shop's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.lawful import LawfulHours, read_quiet

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
QUIET = st.sampled_from(["none", "21:00-8:00", "12h-13h30", "20:30-9h", "22:00-7:00", "6:00-7:30"])


def at(hour: int, minute: int = 0, day: int = 4) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("quiet", "now", "then"),
    [
        ("none", at(21, 59), at(21, 59)),
        ("none", at(22), at(7, day=5)),
        ("none", at(6, 59), at(7)),
        ("21:00-8:00", at(20, 59), at(20, 59)),
        ("21:00-8:00", at(21), at(8, day=5)),
        ("21:00-8:00", at(7, 30), at(8)),
        ("12h-13h30", at(12, 15), at(13, 30)),
        ("21:00-24:00", at(23), at(7, day=5)),
    ],
)
def test_the_next_moment_is_the_first_that_law_and_shop_allow(quiet: str, now: datetime, then: datetime) -> None:
    assert LawfulHours(ZONE, read_quiet(quiet)).next_moment(now) == then


@given(DAYS, QUIET)
def test_no_setting_lets_anything_out_at_night_and_every_wait_ends_within_a_day(now: datetime, quiet: str) -> None:
    hours = LawfulHours(ZONE, read_quiet(quiet))
    then = hours.next_moment(now)
    local = then.astimezone(ZONE)
    assert 7 <= local.hour < 22
    assert now <= then <= now + timedelta(days=1)
    assert hours.is_lawful(then)


@pytest.mark.parametrize("wrong", ["abends", "8:00-8:00", "25:00-7:00", "7:00-22:00", "6:00-24:00"])
def test_quiet_hours_that_make_no_sense_or_leave_no_time_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        read_quiet(wrong)
