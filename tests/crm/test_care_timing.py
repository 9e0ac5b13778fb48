"""When care messages go out: calendar days, times of day, leap days, lateness; whatever the zone does to its clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import birthdays, care_timing
from crm.care_rules import Cycle, Late, Moment, Rhythm, Rule
from crm.care_timing import ON_TIME, Now, TooLate, Wait

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
ZONES = st.sampled_from([HOME, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia"), ZoneInfo("Europe/London")])
DAYS_OF_TWENTY_YEARS = 7300
MOMENTS = st.integers(0, DAYS_OF_TWENTY_YEARS * 86_400).map(
    lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
RULE = Rule(name="r", moment=Moment.ORDER_DELIVERED, days=3, at=time(9, 30))


def at(*parts: int) -> datetime:
    """A moment of the home zone."""
    return datetime(*parts, tzinfo=HOME).astimezone(UTC)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(MOMENTS, st.integers(0, 400), TIMES, ZONES)
def test_a_message_goes_out_on_that_calendar_day_at_that_time_and_never_before_its_moment(
    moment: datetime, days: int, clock: time, zone: ZoneInfo
) -> None:
    rule = Rule(name="r", moment=Moment.ORDER_PLACED, days=days, at=clock)
    found = care_timing.planned(rule, moment, zone)
    assert found >= moment
    apart = (found.astimezone(zone).date() - moment.astimezone(zone).date()).days
    assert apart == days or (days == 0 and apart == 1) or zone.key == "Pacific/Apia"
    local = found.astimezone(zone).time()
    assert local == clock or abs(found.astimezone(zone).hour - clock.hour) in (1, 23)


def test_a_time_of_day_that_is_over_means_the_next_day() -> None:
    same_day = Rule(name="r", moment=Moment.JOINED, days=0, at=time(10))
    assert care_timing.planned(same_day, at(2026, 12, 1, 9, 59), HOME) == at(2026, 12, 1, 10)
    assert care_timing.planned(same_day, at(2026, 12, 1, 10, 1), HOME) == at(2026, 12, 2, 10)


def test_days_before_a_date_and_minutes_after_a_moment() -> None:
    before = Rule(name="r", moment=Moment.POINTS_EXPIRE, days=-7, at=time(9))
    assert care_timing.planned(before, at(2026, 12, 31, 23, 59), HOME) == at(2026, 12, 24, 9)
    soon = Rule(name="r", moment=Moment.TIER_REACHED, minutes=30)
    assert care_timing.planned(soon, at(2026, 12, 1, 23, 50), HOME) == at(2026, 12, 2, 0, 20)


@pytest.mark.parametrize(
    ("late", "now", "verdict"),
    [
        (Late.SKIP, at(2026, 12, 1, 9), Wait(at(2026, 12, 1, 9, 30))),
        (Late.SKIP, at(2026, 12, 1, 21), Now()),
        (Late.SKIP, at(2026, 12, 2, 7), TooLate()),
        (Late.SEND_ONCE, at(2026, 12, 2, 7), Now()),
        (Late.SEND_ONCE, at(2026, 12, 4, 9, 30), Now()),
        (Late.SEND_ONCE, at(2026, 12, 4, 9, 31), TooLate()),
        (Late.RESCHEDULE, at(2026, 12, 2, 3), Wait(at(2026, 12, 2, 9, 30))),
        (Late.RESCHEDULE, at(2026, 12, 2, 15), Wait(at(2026, 12, 3, 9, 30))),
        (Late.RESCHEDULE, at(2026, 12, 5, 15), TooLate()),
    ],
)
def test_what_becomes_of_a_message_whose_time_passed(late: Late, now: datetime, verdict: object) -> None:
    rule = Rule(name="r", moment=Moment.ORDER_DELIVERED, days=3, at=time(9, 30), late=late, late_days=3)
    meant = at(2026, 12, 1, 9, 30)
    assert care_timing.verdict(rule, meant, meant, now, HOME) == verdict


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(Late), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20)), ZONES, st.integers(1, 10))
def test_waiting_ends_and_nothing_goes_out_later_than_a_rule_allows(
    late: Late, meant: datetime, passed: timedelta, zone: ZoneInfo, late_days: int
) -> None:
    rule = Rule(name="r", moment=Moment.ORDER_DELIVERED, at=time(9, 30), late=late, late_days=late_days)
    now, due = meant + passed, meant
    for _ in range(3):
        found = care_timing.verdict(rule, meant, due, now, zone)
        if not isinstance(found, Wait):
            break
        assert found.until > now
        due = now = found.until
    assert not isinstance(found, Wait)
    if isinstance(found, Now):
        assert now - meant <= max(ON_TIME, timedelta(days=late_days))


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 40), MOMENTS, st.integers(1, 2000))
def test_who_buys_by_a_rhythm_is_missed_after_one_and_a_half_of_it_within_bounds(
    orders: int, first: datetime, days: int
) -> None:
    rhythm = Rhythm(percent=150, orders=3, least_days=14, most_days=120)
    found = care_timing.usual_days(rhythm, orders, first, first + timedelta(days=days))
    assert found is not None and 14 <= found <= 120
    exact = days / (orders - 1) * 1.5
    assert found in (14, 120) or abs(found - exact) <= 0.5


def test_too_few_orders_tell_no_rhythm() -> None:
    first = at(2026, 1, 1)
    assert care_timing.usual_days(Rhythm(orders=3), 2, first, first + timedelta(days=10)) is None
    assert care_timing.usual_days(Rhythm(orders=2), 1, first, first) is None


def test_two_pieces_last_twice_as_long_and_half_a_piece_as_long_as_one() -> None:
    cycle = Cycle("beans", 30)
    assert [care_timing.lasts_days(cycle, pieces) for pieces in (0.5, 1, 2)] == [30, 30, 60]


@settings(max_examples=50, deadline=None)
@given(st.dates(date(1940, 1, 1), date(2015, 12, 31)), st.booleans(), st.booleans(), st.integers(2016, 2060))
def test_everybody_has_one_birthday_a_year(born: date, year_is_known: bool, in_march: bool, year: int) -> None:
    kept = f"{born:%Y-%m-%d}" if year_is_known else f"--{born:%m-%d}"
    day = birthdays.day_in(kept, year, leap_in_march=in_march)
    assert day is not None and day.year == year
    around = [day + timedelta(days=number) for number in range(-2, 3)]
    found = [each for each in around if kept in birthdays.kept_on(each, leap_in_march=in_march)]
    assert found == [day]


def test_who_was_born_on_29_february_is_not_forgotten() -> None:
    assert birthdays.day_in("1996-02-29", 2027) == date(2027, 2, 28)
    assert birthdays.day_in("1996-02-29", 2027, leap_in_march=True) == date(2027, 3, 1)
    assert birthdays.day_in("--02-29", 2028, leap_in_march=True) == date(2028, 2, 29)
    assert birthdays.day_in("", 2027) is None and birthdays.day_in("1996-02-30", 2027) is None
    assert birthdays.day_in("2027-05-01", 2026) is None


def test_the_next_time_of_day_is_today_as_long_as_it_is_to_come() -> None:
    assert care_timing.next_time(time(9, 30), at(2026, 12, 1, 3), HOME) == at(2026, 12, 1, 9, 30)
    assert care_timing.next_time(time(9, 30), at(2026, 12, 1, 9, 30), HOME) == at(2026, 12, 2, 9, 30)
