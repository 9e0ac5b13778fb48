"""Vietnam's public holidays: when they are, and under which names people know them.

The Labour Code (45/2019/QH14, article 112) gives New Year's Day, five days of Tết, the Hùng Kings' day, 30 April, 1 May
and two days around 2 September; Resolution 80-NQ/TW adds 24 November from 2026 on. Which five days Tết has, and whether
1 or 3 September is the second day, is announced each year; what stands here is the usual choice, and a shop may say
otherwise (`HOLIDAYS`). Days off in lieu of a weekend's holiday are left out: they are for offices, not for shops.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

NEW_YEAR = "new_year"
TET = "tet"
HUNG_KINGS = "hung_kings"
REUNIFICATION = "reunification"
LABOUR = "labour"
NATIONAL = "national"
CULTURE = "culture"

NAMES: Mapping[str, tuple[str, ...]] = {
    NEW_YEAR: ("tet duong lich", "tet tay", "new year"),
    TET: ("tet am lich", "tet nguyen dan", "tet", "lunar new year"),
    HUNG_KINGS: ("gio to hung vuong", "gio to", "hung kings"),
    REUNIFICATION: ("giai phong mien nam", "giai phong", "reunification day"),
    LABOUR: ("quoc te lao dong", "labour day", "labor day"),
    NATIONAL: ("quoc khanh", "national day"),
    CULTURE: ("ngay van hoa viet nam", "van hoa viet nam", "culture day"),
}
"""What a holiday is called, without accents."""

_TET = range(-1, 4)
"""The days of Tết, counted from the first of the year: its eve and four days."""
_CULTURE_SINCE = 2026

_LUNAR = """
2024 10/2 18/4  2025 29/1 7/4   2026 17/2 26/4  2027 6/2 16/4   2028 26/1 4/4   2029 13/2 23/4  2030 2/2 12/4
2031 23/1 1/4   2032 11/2 19/4  2033 31/1 9/4   2034 19/2 28/4  2035 8/2 17/4   2036 28/1 6/4   2037 15/2 24/4
2038 4/2 13/4   2039 24/1 3/4   2040 12/2 20/4  2041 1/2 10/4   2042 22/1 29/4  2043 10/2 19/4  2044 30/1 7/4
2045 17/2 26/4  2046 6/2 15/4   2047 26/1 4/4   2048 14/2 22/4  2049 2/2 11/4   2050 23/1 1/4   2051 11/2 20/4
2052 1/2 9/4    2053 18/2 28/4  2054 8/2 17/4   2055 28/1 6/4   2056 15/2 24/4  2057 4/2 13/4   2058 24/1 2/4
2059 12/2 21/4  2060 2/2 10/4
"""
"""Year, first day of Tết, Hùng Kings' day. From the new moons and the sun's longitude in Hanoi (UTC+7, Meeus,
Astronomical Algorithms, chapters 25 and 49); the tests work it out again."""


@lru_cache(maxsize=128)
def holidays(year: int) -> Mapping[date, str]:
    """A year's public holidays by day. Those of the moon are known from 2024 to 2060."""
    second = date(year, 9, 2)
    found = {
        date(year, 1, 1): NEW_YEAR,
        date(year, 4, 30): REUNIFICATION,
        date(year, 5, 1): LABOUR,
        second: NATIONAL,
        second + timedelta(days=_beside(second)): NATIONAL,
    }
    if year >= _CULTURE_SINCE:
        found[date(year, 11, 24)] = CULTURE
    if year in _MOON:
        tet, hung_kings = _MOON[year]
        found[hung_kings] = HUNG_KINGS
        found.update({tet + timedelta(days=number): TET for number in _TET})
    return found


def _beside(second: date) -> int:
    """The free day beside 2 September lies where it makes the longer row of free days, as each year since 2021."""
    return 1 if second.weekday() in (0, 3, 6) else -1


def _read() -> Mapping[int, tuple[date, date]]:
    words = _LUNAR.split()
    return {
        int(year): (_day(int(year), tet), _day(int(year), kings))
        for year, tet, kings in zip(words[::3], words[1::3], words[2::3], strict=True)
    }


def _day(year: int, written: str) -> date:
    day, month = written.split("/")
    return date(year, int(month), int(day))


_MOON = _read()
