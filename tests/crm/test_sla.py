"""Clocks of promises: laws over holidays, nights and pauses, and what a shop may write of its targets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import hours, sla
from crm.calendar import Calendar
from crm.sla import Clock, Priority

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_OPENINGS = st.sampled_from(["T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00", "24/7", "T7-CN 18:00-2:00", "8h-21h"])
_FREE = st.sampled_from(["", "không", "1/2-20/2; 24/12", "tết mở; 2/9 20:00-4:00"])
CALENDARS = st.builds(lambda opening, free: hours.calendar_of(opening, hours.free_days(free), ZONE), _OPENINGS, _FREE)
MOMENTS = st.integers(0, 400 * 24 * 60).map(lambda number: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number))
TARGETS = st.integers(1, 40 * 60).map(lambda minutes: timedelta(minutes=minutes))
STEPS = st.lists(st.tuples(st.integers(0, 20 * 60), st.integers(0, 60 * 60)), max_size=5)
"""How many minutes it runs, and how many it stands still after that."""


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS, TARGETS, STEPS)
def test_a_clock_counts_the_working_time_in_which_it_ran_and_no_other(
    calendar: Calendar, at: datetime, target: timedelta, steps: list[tuple[int, int]]
) -> None:
    clock, ran = Clock(target), timedelta()
    for runs, rests in steps:
        clock = sla.running(clock, at)
        due = sla.used_up(clock, 1, calendar)
        assert due is not None
        if ran < target:
            assert calendar.between(at, due) == target - ran
        else:
            assert due == at
        ran += calendar.between(at, at + timedelta(minutes=runs))
        at += timedelta(minutes=runs)
        assert sla.used(clock, at, calendar) == ran
        assert (ran >= target) == (due <= at)
        clock = sla.paused(clock, at, calendar)
        assert sla.used_up(clock, 1, calendar) is None
        at += timedelta(minutes=rests)
        assert sla.used(clock, at, calendar) == ran


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS, TARGETS)
def test_the_warning_comes_before_the_end_and_both_while_somebody_works(
    calendar: Calendar, at: datetime, target: timedelta
) -> None:
    clock = sla.running(Clock(target), at)
    warn, due = sla.used_up(clock, sla.WARNED_FROM, calendar), sla.used_up(clock, 1, calendar)
    assert warn is not None and due is not None and at < warn < due
    assert calendar.is_open(due - timedelta(microseconds=1))
    assert sla.running(clock, due) == clock and sla.paused(Clock(target), due, calendar) == Clock(target)


def test_a_promise_made_on_saturday_night_is_kept_on_monday() -> None:
    calendar = hours.calendar_of("T2-T7 8:00-12:00 13:30-17:30", (True, ()), ZONE)
    clock = sla.running(Clock(timedelta(hours=5)), datetime(2026, 11, 28, 22, 0, tzinfo=ZONE))
    assert sla.used_up(clock, 1, calendar) == datetime(2026, 11, 30, 14, 30, tzinfo=ZONE)


def test_a_shop_names_its_own_targets() -> None:
    own = sla.read_targets("normal 20m/40m/6h; urgent 5m/5m/1h")
    assert own[Priority.NORMAL] == sla.Targets(timedelta(minutes=20), timedelta(minutes=40), timedelta(hours=6))
    assert own[Priority.URGENT].resolution == timedelta(hours=1)
    assert own[Priority.LOW] == sla.PROMISED[Priority.LOW]


@pytest.mark.parametrize("text", ["normal", "normal 1h/2h", "fast 1h/2h/3h", "normal 1h/2h/0h", "normal 1/2/3"])
def test_targets_that_are_not_understood_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        sla.read_targets(f"urgent 5m/5m/1h; {text}")
