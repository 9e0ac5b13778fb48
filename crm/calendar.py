"""When the shop is open, and arithmetic in its working time: pure, in whole shifts, over holidays and nights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from crm import holidays

DAY = 24 * 60
HORIZON = 400
"""How many days ahead a calendar looks; one that never opens until then counts as opening there."""

Shifts = tuple[tuple[int, int], ...]
"""Shifts of one day in minutes since midnight, in order and apart; the last may end after midnight (over 1440)."""
Week = tuple[Shifts, Shifts, Shifts, Shifts, Shifts, Shifts, Shifts]
"""Monday to Sunday."""

ALL_DAY: Shifts = ((0, DAY),)
ALWAYS: Week = (ALL_DAY,) * 7


@dataclass(frozen=True, slots=True)
class Rule:
    """What a shop says of certain days: `name` is a public holiday's, `first` and `last` are (month, day).

    `year` is None where it holds every year. `shifts` is () for closed, None for open as on any other such weekday.
    """

    shifts: Shifts | None
    name: str = ""
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    year: int | None = None

    def holds(self, day: date, holiday: str) -> bool:
        """Whether this day is meant; `holiday` is the name of the public holiday that it is, or ""."""
        if self.name:
            return self.name == holiday
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last and self.year in (None, day.year)
        start = day.year if at >= self.first else day.year - 1
        return (at >= self.first or at <= self.last) and self.year in (None, start)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours in a time zone. `rules` say more than the week and the holidays do; the last that holds wins.

    All times go in and come out aware; what comes out is in UTC. Nothing here knows the clock.
    """

    week: Week
    zone: ZoneInfo
    rules: tuple[Rule, ...] = ()
    keeps_holidays: bool = True

    @property
    def is_always_open(self) -> bool:
        """Whether there is no closed time at all, as far as the week says."""
        return self.week == ALWAYS and not self.keeps_holidays and not self.rules

    def shifts_of(self, day: date) -> Shifts:
        """The shifts that begin on this day."""
        holiday = holidays.holidays(day.year).get(day, "")
        said = next((rule for rule in reversed(self.rules) if rule.holds(day, holiday)), None)
        if said is not None and said.shifts is not None:
            return said.shifts
        is_off = said is None and self.keeps_holidays and holiday
        return () if is_off else self.week[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at this moment; the moment of closing is closed."""
        start, end = self._from(at)
        return start <= at < end

    def opens_next(self, at: datetime) -> datetime:
        """The first moment from `at` on at which it is open: `at` itself where it is."""
        return max(self._from(at)[0], at).astimezone(UTC)

    def add(self, at: datetime, working: timedelta) -> datetime:
        """The first moment by which so much working time has passed since `at`; `at` itself for none."""
        if working <= timedelta():
            return at.astimezone(UTC)
        for start, end in self._shifts(at):
            length = end - max(start, at)
            if length >= working:
                return (max(start, at) + working).astimezone(UTC)
            working -= length
        return (at + timedelta(days=HORIZON)).astimezone(UTC)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments; none where the second is not later."""
        total = timedelta()
        for opens, closes in self._shifts(start):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, start))
        return total

    def _from(self, at: datetime) -> tuple[datetime, datetime]:
        """The shift that is on, or else the next one."""
        return next(self._shifts(at), (at + timedelta(days=HORIZON), at + timedelta(days=HORIZON + 1)))

    def _shifts(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The shifts that end after `at`, in order; where one runs into the next, that one begins as it ends."""
        day, free = at.astimezone(self.zone).date() - timedelta(days=1), at - timedelta(days=HORIZON)
        for number in range(HORIZON + 1):
            for start, end in _moments(self, day + timedelta(days=number)):
                if end > max(at, free):
                    yield max(start, free), end
                    free = end


def always_open(zone: ZoneInfo) -> Calendar:
    """The calendar of a shop that said nothing of its hours."""
    return Calendar(ALWAYS, zone, keeps_holidays=False)


@lru_cache(maxsize=4096)
def _moments(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.zone)
    return tuple(
        ((midnight + timedelta(minutes=start)).astimezone(UTC), (midnight + timedelta(minutes=end)).astimezone(UTC))
        for start, end in calendar.shifts_of(day)
    )


def joined(shifts: Mapping[int, list[tuple[int, int]]]) -> Week:
    """A week of these shifts by weekday (0 is Monday); those of a day that touch or overlap become one."""
    days = [_joined(sorted(shifts.get(weekday, []))) for weekday in range(7)]
    return (days[0], days[1], days[2], days[3], days[4], days[5], days[6])


def _joined(shifts: list[tuple[int, int]]) -> Shifts:
    found: list[tuple[int, int]] = []
    for start, end in shifts:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)
