"""The Vietnamese lunar calendar worked out from the moon and the sun, to check the table against.

New moons after Jean Meeus, Astronomical Algorithms (2nd ed.), chapter 49; the sun's longitude after chapter 25. The
calendar's rules: a month begins on the day of the new moon in Hanoi (UTC+7), the winter solstice falls into month 11,
and a year of thirteen months repeats the first one in which the sun enters no sign.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import floor, radians, sin

_HANOI = 7 / 24
_J2000 = 2451545.0
_MONTH = 29.530588861
_FIRST = 2451550.09766

_MOON = (
    (-0.40720, (0, 1, 0, 0), 0), (0.17241, (1, 0, 0, 0), 1), (0.01608, (0, 2, 0, 0), 0), (0.01039, (0, 0, 2, 0), 0),
    (0.00739, (-1, 1, 0, 0), 1), (-0.00514, (1, 1, 0, 0), 1), (0.00208, (2, 0, 0, 0), 2), (-0.00111, (0, 1, -2, 0), 0),
    (-0.00057, (0, 1, 2, 0), 0), (0.00056, (1, 2, 0, 0), 1), (-0.00042, (0, 3, 0, 0), 0), (0.00042, (1, 0, 2, 0), 1),
    (0.00038, (1, 0, -2, 0), 1), (-0.00024, (-1, 2, 0, 0), 1), (-0.00017, (0, 0, 0, 1), 0),
)  # fmt: skip


def tet(year: int) -> date:
    """The first day of the lunar year that begins in this year."""
    return _day(_month_after(year - 1, 2))


def hung_kings(year: int) -> date:
    """The tenth day of the third lunar month."""
    return _day(_month_after(year - 1, 4)) + timedelta(days=9)


def _month_after(year: int, count: int) -> int:
    """The new moon's number of the month so many after the eleventh of `year`, leap months not counted."""
    eleventh, next_eleventh = _eleventh(year), _eleventh(year + 1)
    leap = 0
    if next_eleventh - eleventh == 13:
        leap = next(k for k in range(eleventh + 1, next_eleventh) if _sign(_day(k)) == _sign(_day(k + 1)))
    return eleventh + count + bool(leap and leap <= eleventh + count)


def _eleventh(year: int) -> int:
    """The last new moon that is not after the day of the winter solstice."""
    k = floor((_julian(date(year, 12, 31)) - _FIRST) / _MONTH) + 1
    while _day(k) > date(year, 12, 31) or _sign(_day(k)) >= 9:
        k -= 1
    return k


def _sign(day: date) -> int:
    """Which twelfth of its way the sun is in as the day begins in Hanoi; 9 begins at the winter solstice."""
    return floor(_longitude(_julian(day) - _HANOI) / 30)


def _julian(day: date) -> float:
    return day.toordinal() + 1721424.5


def _day(k: int) -> date:
    return date.fromordinal(floor(_new_moon(k) + _HANOI + 0.5) - 1721425)


def _new_moon(k: int) -> float:
    t = k / 1236.85
    moment = _FIRST + _MONTH * k + 0.00015437 * t * t
    eccentric = 1 - 0.002516 * t - 0.0000074 * t * t
    arguments = (
        2.5534 + 29.10535670 * k - 0.0000014 * t * t,
        201.5643 + 385.81693528 * k + 0.0107582 * t * t,
        160.7108 + 390.67050284 * k - 0.0016118 * t * t,
        124.7746 - 1.56375588 * k + 0.0020672 * t * t,
    )
    for size, factors, power in _MOON:
        angle = sum(factor * argument for factor, argument in zip(factors, arguments, strict=True))
        moment += size * eccentric**power * sin(radians(angle))
    return moment - _delta_t(2000 + t * 100)


def _delta_t(year: float) -> float:
    """How far the earth's own turning is behind even time, in days; about 70 seconds in these decades."""
    t = year - 2000
    return (62.92 + 0.32217 * t + 0.005589 * t * t) / 86400


def _longitude(julian: float) -> float:
    t = (julian - _J2000) / 36525
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (1.914602 - 0.004817 * t) * sin(anomaly) + (0.019993 - 0.000101 * t) * sin(2 * anomaly)
    centre += 0.000289 * sin(3 * anomaly)
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    return (mean + centre - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))) % 360
