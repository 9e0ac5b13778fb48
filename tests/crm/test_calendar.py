"""Working time: hand-worked days, public holidays, and laws that hold for every week, holiday and night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import calendar, holidays, hours
from crm.calendar import Calendar
from tests.crm import moon

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE = timedelta(minutes=1)


def shop(opening: str = "T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00", free: str = "") -> Calendar:
    return hours.calendar_of(opening, hours.free_days(free), ZONE)


def at(written: str) -> datetime:
    """A moment in Vietnam, written like 2026-11-27 20:00."""
    return datetime.fromisoformat(written).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-27 08:00", True, "2026-11-27 08:00"),
        ("2026-11-27 07:59", False, "2026-11-27 08:00"),
        ("2026-11-27 12:00", False, "2026-11-27 13:30"),
        ("2026-11-27 20:59", True, "2026-11-27 20:59"),
        ("2026-11-27 21:00", False, "2026-11-28 08:00"),
        ("2026-11-28 22:00", False, "2026-11-29 09:00"),
        ("2026-11-29 18:00", False, "2026-11-30 08:00"),
        ("2026-11-23 21:30", False, "2026-11-25 08:00"),
        ("2027-02-04 21:00", False, "2027-02-10 08:00"),
        ("2026-08-31 21:00", False, "2026-09-03 08:00"),
    ],
)
def test_the_shop_opens_next_after_lunch_night_sunday_and_holidays(moment: str, is_open: bool, opens: str) -> None:
    assert shop().is_open(at(moment)) is is_open
    assert shop().opens_next(at(moment)) == at(opens)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2026-11-27 08:00", timedelta(hours=2), "2026-11-27 10:00"),
        ("2026-11-27 11:30", timedelta(hours=1), "2026-11-27 14:00"),
        ("2026-11-27 20:30", timedelta(hours=1), "2026-11-28 08:30"),
        ("2026-11-27 23:00", timedelta(hours=4), "2026-11-28 12:00"),
        ("2026-11-28 20:00", timedelta(hours=11), "2026-11-30 09:00"),
        ("2026-11-23 20:00", timedelta(hours=2), "2026-11-25 09:00"),
        ("2026-11-27 20:00", timedelta(0), "2026-11-27 20:00"),
    ],
)
def test_working_time_runs_only_while_the_shop_is_open(start: str, span: timedelta, end: str) -> None:
    assert shop().add(at(start), span) == at(end)
    assert shop().between(at(start), at(end)) == span


def test_a_night_shift_runs_into_the_next_day() -> None:
    bar = shop("T7 18:00-2:00")
    assert bar.is_open(at("2026-11-29 01:59")) and not bar.is_open(at("2026-11-29 02:00"))
    assert bar.add(at("2026-11-28 23:00"), timedelta(hours=4)) == at("2026-12-05 19:00")


def test_what_a_shop_says_of_a_day_wins_over_the_holiday() -> None:
    own = shop(free="30/4 mở; 24/12; 31/12 8:00-12:00; giỗ tổ 9:00-10:00")
    assert own.is_open(at("2026-04-30 20:00"))
    assert not own.is_open(at("2026-12-24 09:00"))
    assert own.opens_next(at("2026-12-31 12:00")) == at("2027-01-02 08:00")
    assert own.is_open(at("2027-04-16 09:30")) and not own.is_open(at("2027-04-16 10:00"))


def test_a_shop_that_keeps_no_holidays_is_open_on_them() -> None:
    assert shop(free="không").is_open(at("2027-02-06 09:00"))
    assert not shop(free="không; 6/2/2027").is_open(at("2027-02-06 09:00"))
    assert shop(free="không; 6/2/2027").is_open(at("2029-02-06 09:00"))


def test_free_days_over_the_new_year_belong_together() -> None:
    own = shop("8h-21h", "28/12-3/1/2027")
    for day, is_open in (("2026-12-27", True), ("2026-12-28", False), ("2027-01-03", False), ("2027-01-04", True)):
        assert own.is_open(at(f"{day} 10:00")) is is_open
    assert own.is_open(at("2027-12-29 10:00"))


def test_a_calendar_that_never_opens_answers_all_the_same() -> None:
    shut = shop("8h-21h", "1/1-31/12")
    start = at("2026-11-27 08:00")
    assert shut.opens_next(start) == start + timedelta(days=calendar.HORIZON)
    assert shut.add(start, timedelta(hours=1)) == start + timedelta(days=calendar.HORIZON)


@pytest.mark.parametrize("year", range(2024, 2061))
def test_the_lunar_holidays_are_those_that_moon_and_sun_give(year: int) -> None:
    tet = [day for day, name in holidays.holidays(year).items() if name == holidays.TET]
    kings = [day for day, name in holidays.holidays(year).items() if name == holidays.HUNG_KINGS]
    first = moon.tet(year)
    assert sorted(tet) == [first + timedelta(days=number) for number in range(-1, 4)]
    assert kings == [moon.hung_kings(year)]


@pytest.mark.parametrize(
    ("year", "tet", "kings"),
    [(2024, (2, 10), (4, 18)), (2025, (1, 29), (4, 7)), (2026, (2, 17), (4, 26)), (2007, (2, 17), (4, 26)),
     (2030, (2, 2), (4, 12))],
)  # fmt: skip
def test_what_is_worked_out_is_what_vietnam_kept(year: int, tet: tuple[int, int], kings: tuple[int, int]) -> None:
    """2007 and 2030 differ from China's calendar, which is made for another meridian; 2025 has a leap month."""
    assert moon.tet(year) == date(year, *tet)
    assert moon.hung_kings(year) == date(year, *kings)


@pytest.mark.parametrize(("year", "day"), [(2021, 3), (2022, 1), (2023, 1), (2024, 3), (2025, 1), (2026, 1)])
def test_the_second_day_of_independence_is_the_one_that_was_announced(year: int, day: int) -> None:
    found = [each for each, name in holidays.holidays(year).items() if name == holidays.NATIONAL]
    assert sorted(found) == sorted([date(year, 9, day), date(year, 9, 2)])


def test_the_day_of_culture_is_free_since_2026() -> None:
    assert date(2026, 11, 24) in holidays.holidays(2026)
    assert date(2025, 11, 24) not in holidays.holidays(2025)


CALENDARS = st.builds(
    shop,
    st.sampled_from(
        ["T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00", "24/7", "T7-CN 18:00-2:00", "T2-T6 22:00-23:00, 0:00-6:00",
         "8h-21h hằng ngày", "T4 9:00-12:00"]
    ),
    st.sampled_from(["", "không", "1/11-20/11; 24/12; 31/12 1:00-2:00", "tết mở; 2/9 20:00-4:00"]),
)  # fmt: skip
_FIRST, _LAST = datetime(2026, 1, 1, tzinfo=ZONE), datetime(2027, 12, 31, tzinfo=ZONE)
MOMENTS = st.integers(0, int((_LAST - _FIRST).total_seconds())).map(lambda number: _FIRST + timedelta(seconds=number))
SPANS = st.integers(0, 30 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS, SPANS, SPANS)
def test_adding_and_measuring_agree(own: Calendar, start: datetime, one: timedelta, two: timedelta) -> None:
    end = own.add(start, one)
    assert end >= start and end.tzinfo is UTC
    assert own.between(start, end) == one
    assert own.add(end, two) == own.add(start, one + two)
    assert one == timedelta() or own.between(start, end - MINUTE) < one, "it is the first such moment"


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS, SPANS, SPANS)
def test_working_time_adds_up_and_is_never_more_than_time(
    own: Calendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    middle, end = start + one, start + one + two
    assert own.between(start, middle) + own.between(middle, end) == own.between(start, end) <= end - start
    assert own.between(end, start) == timedelta()


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS)
def test_it_is_closed_until_it_opens_next(own: Calendar, start: datetime) -> None:
    opens = own.opens_next(start)
    assert own.is_open(opens)
    assert own.is_open(start) == (opens == start)
    assert own.between(start, opens) == timedelta()
    assert own.between(start, opens + MINUTE) > timedelta()


@settings(max_examples=40, deadline=None)
@given(CALENDARS, MOMENTS)
def test_every_minute_of_a_day_is_told_as_the_shifts_say(own: Calendar, start: datetime) -> None:
    moments = [start + timedelta(minutes=7 * number) for number in range(100)]
    for moment in moments:
        day = moment.astimezone(ZONE).date()
        minute = moment.astimezone(ZONE).hour * 60 + moment.astimezone(ZONE).minute
        today = any(a <= minute < b for a, b in own.shifts_of(day))
        late = any(a <= minute + 1440 < b for a, b in own.shifts_of(day - timedelta(days=1)))
        assert own.is_open(moment) == (today or late)
