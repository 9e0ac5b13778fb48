"""Birthdays as they are kept (`1990-11-23`, or `--11-23` without a year), and the day on which one is in a year."""

from __future__ import annotations

import re
from datetime import date, timedelta

OLDEST = 130
"""Nobody is older, in years."""
_KEPT = re.compile(r"(\d{4}|-)-(\d\d)-(\d\d)")


def kept_on(day: date, *, leap_in_march: bool = False) -> list[str]:
    """Every birthday, as it may be kept, that is on this day; one on 29 February is on 28 February in other years.

    `leap_in_march`: it is on 1 March instead.
    """
    ends = [f"{day:%m-%d}"]
    substitute = date(day.year, 3, 1) if leap_in_march else date(day.year, 3, 1) - timedelta(days=1)
    if day == substitute and not _is_leap(day.year):
        ends.append("02-29")
    return [f"{year}-{end}" for end in ends for year in ("-", *range(day.year - OLDEST, day.year + 1))]


def day_in(kept: str, year: int, *, leap_in_march: bool = False) -> date | None:
    """The day on which a birthday is in a year; None where it is none, or before they were born."""
    found = _KEPT.fullmatch(kept)
    if found is None or (found[1] != "-" and int(found[1]) > year):
        return None
    month, day = int(found[2]), int(found[3])
    if (month, day) == (2, 29) and not _is_leap(year):
        month, day = (3, 1) if leap_in_march else (2, 28)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
