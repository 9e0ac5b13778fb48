"""Opening hours and free days as owners write them, in Vietnamese or English, read into a calendar.

`T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00`, `8h-21h hằng ngày`, `Mon-Fri 8am-5pm, Sat 8-12h, Sun closed`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from zoneinfo import ZoneInfo

from crm import calendar
from crm.calendar import DAY, Calendar, Rule, Shifts, Week
from crm.holidays import NAMES
from crm.words import plain

FreeDays = tuple[bool, tuple[Rule, ...]]
"""Whether public holidays are kept, and what holds on certain days instead."""

NO_HOLIDAYS = frozenset({"khong", "khong nghi le", "none", "no holidays"})

_DAYS = {
    "hai": 0, "ba": 1, "tu": 2, "nam": 3, "sau": 4, "bay": 5,
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip


class _Kind(Enum):
    DAY = auto()
    DAILY = auto()
    TIME = auto()
    NUMBER = auto()
    DASH = auto()
    END = auto()
    CLOSED = auto()
    EXCEPT = auto()
    ALL_DAY = auto()
    AFTERNOON = auto()


_TOKEN = re.compile(
    r"""
      (?P<ALL_DAY>24\s*/\s*7|24\s*/\s*24h?|24\s*h\s*/\s*(?:24h?|7|ngay)|24\s?hours|suot\ ngay\ dem|ca\ ngay\ lan\ dem)
    | (?P<DAILY>(?:hang|moi|tat\ ca\ cac|ca\ tuan|cac)\ ngay(?:\ trong\ tuan)?|ca\ tuan|daily|every\ ?day|all\ week)
    | (?P<CLOSED>dong\ cua|nghi|closed)
    | (?P<EXCEPT>tru|ngoai\ tru|except)
    | (?P<DAY>t\.?\s?[2-7]|thu\s[2-7]|thu\s(?:hai|ba|tu|nam|sau|bay)|chu\ nhat|cn
        |(?:mon|tues|wednes|thurs|fri|satur|sun)day|tues|thurs|thur|mon|tue|wed|thu|fri|sat|sun)s?(?!\w)
    | (?P<TIME>\d{1,2}\s?(?:(?::|h|g|gio)\s?[0-5]\d(?:\s?(?:am|pm))?|(?:h|g|gio)(?!\w)|am|pm)
        (?:\ (?:sang|trua|chieu|toi)(?!\ \d))?)(?!\w)
    | (?P<NUMBER>\d{1,2})(?!\w|:\d)
    | (?P<AFTERNOON>chieu|toi)(?=\s*:?\s*(?:tu\s)?\d)
    | (?P<DASH>-+|–|—|~|→|den|toi|to|until|till)
    | (?P<END>[;|])
    | (?P<FILLER>[\s,.:&+()]+|va\b|and\b|tu\b|from\b|luc\b|gio\ mo\ cua\b|mo\ cua\b|open\b|sang\b|trua\b|ngay\b|at\b)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class _Clause:
    """Some days and the hours that hold on them, in either order."""

    days: set[int] = field(default_factory=set)
    shifts: list[tuple[int, int]] = field(default_factory=list)
    is_closed: bool = False
    trails: bool = False

    @property
    def says_hours(self) -> bool:
        return bool(self.shifts) or self.is_closed


def opening_hours(text: str) -> Week | None:
    """The week that these words mean; None where a word is not understood, or where they leave a doubt.

    A day that is not named is closed; hours without days hold every day; hours that end before they begin go on into
    the next day.
    """
    tokens = _tokens(plain(text.replace("\n", ";")))
    clauses = _clauses(tokens) if tokens else None
    if not clauses:
        return None
    week: dict[int, list[tuple[int, int]]] = {}
    for clause in clauses:
        if any(day in week for day in clause.days):
            return None
        week.update({day: list(clause.shifts) for day in clause.days})
    return calendar.joined(week) if any(week.values()) else None


def free_days(text: str) -> FreeDays:
    """What `HOLIDAYS` says: whether public holidays are kept at all, and what holds on certain days instead.

    Parts stand between semicolons: `không` (no public holiday is kept), `24/12`, `13/2-20/2/2027 nghỉ`,
    `31/12 8:00-12:00`, `30/4 mở`, `giỗ tổ mở`, `tết 9:00-12:00`. Raises ValueError with the part that is wrong.
    """
    keeps, rules = True, []
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        said = plain(part)
        if said in NO_HOLIDAYS:
            keeps = False
            continue
        rule = _rule(said)
        if rule is None:
            raise ValueError(
                f"{part!r} is not understood; write '24/12 nghỉ', '30/4 mở', '31/12 8:00-12:00' or 'không'"
            )
        rules.append(rule)
    return keeps, tuple(rules)


def calendar_of(opening: str, holidays: FreeDays, zone: ZoneInfo) -> Calendar:
    """A shop's calendar; always open where its hours are empty or not understood."""
    week = opening_hours(opening)
    if week is None:
        return calendar.always_open(zone)
    keeps, rules = holidays
    return Calendar(week, zone, rules, keeps)


def _tokens(text: str) -> list[tuple[_Kind, str]] | None:
    found: list[tuple[_Kind, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at = match.end()
        kind = match.lastgroup or ""
        if kind == "AFTERNOON" and match[kind] == "toi" and _awaits_end(found):
            kind = "DASH"
        if kind != "FILLER":
            found.append((_Kind[kind], match[0]))
    return found


def _awaits_end(tokens: Sequence[tuple[_Kind, str]]) -> bool:
    """Whether hours have begun and not ended: "tới" without its accent is "tối"."""
    kinds = [kind for kind, _ in tokens[-2:]]
    return bool(kinds) and kinds[-1] in (_Kind.TIME, _Kind.NUMBER) and kinds[0] is not _Kind.DASH


def _clauses(tokens: Sequence[tuple[_Kind, str]]) -> list[_Clause] | None:
    """Cut the line where new days begin; None where something has no sense."""
    clauses, current, at, is_late = [], _Clause(), 0, False
    while at < len(tokens):
        kind = tokens[at][0]
        width = 1
        if kind in (_Kind.DAY, _Kind.DAILY):
            days, width = _days(tokens, at)
            if current.days and current.says_hours:
                clauses.append(current)
                current = _Clause()
            current.trails = current.trails or current.says_hours
            current.days |= days
        elif kind is _Kind.END:
            if current.says_hours or current.days:
                clauses.append(current)
                current = _Clause()
        elif kind is _Kind.AFTERNOON:
            is_late = True
        elif kind is _Kind.EXCEPT:
            days, width = _days(tokens, at + 1)
            if not (days and current.says_hours):
                return None
            current.days = (current.days or set(range(7))) - days
            current.trails, width = True, width + 1
        else:
            if current.trails:
                clauses.append(current)
                current = _Clause()
            if kind is _Kind.CLOSED:
                current.is_closed = True
            else:
                shift, width = _shift(tokens, at, is_late)
                if shift is None:
                    return None
                current.shifts.append(shift)
                is_late = False
        if width == 0 or (current.is_closed and current.shifts):
            return None
        at += width
    clauses.append(current)
    return _checked([clause for clause in clauses if clause.days or clause.says_hours])


def _checked(clauses: list[_Clause]) -> list[_Clause] | None:
    """Every clause needs hours; one without days means every day and must be alone."""
    if not all(clause.says_hours for clause in clauses):
        return None
    for clause in clauses:
        if not clause.days:
            if len(clauses) > 1:
                return None
            clause.days = set(range(7))
    return clauses


def _days(tokens: Sequence[tuple[_Kind, str]], at: int) -> tuple[set[int], int]:
    """The days that begin at this token, and how many tokens name them; none where none do."""
    if at >= len(tokens) or tokens[at][0] not in (_Kind.DAY, _Kind.DAILY):
        return set(), 0
    kind, written = tokens[at]
    if kind is _Kind.DAILY:
        return set(range(7)), 1
    first = _weekday(written)
    if at + 2 < len(tokens) and tokens[at + 1][0] is _Kind.DASH:
        until, said = tokens[at + 2]
        last = _weekday(said) if until is _Kind.DAY else _number(said) if until is _Kind.NUMBER else None
        if last is not None:
            length = (last - first) % 7
            return {(first + number) % 7 for number in range(length + 1)}, 3
    return {first}, 1


def _number(written: str) -> int | None:
    return int(written) - 2 if "2" <= written <= "7" and len(written) == 1 else None


def _weekday(written: str) -> int:
    digit = re.search(r"[2-7]", written)
    if digit:
        return int(digit[0]) - 2
    if written in ("cn", "chu nhat"):
        return 6
    return _DAYS[written.split()[-1]]


def _shift(tokens: Sequence[tuple[_Kind, str]], at: int, is_late: bool) -> tuple[tuple[int, int] | None, int]:
    """The hours that begin at this token, and how many tokens say them."""
    if tokens[at][0] is _Kind.ALL_DAY:
        return (0, DAY), 1
    parts = tokens[at : at + 3]
    kinds = [kind for kind, _ in parts]
    is_range = len(parts) == 3 and kinds[1] is _Kind.DASH and kinds[2] is _Kind.TIME
    if not (is_range and kinds[0] in (_Kind.TIME, _Kind.NUMBER)):
        return None, 0
    start, end = _minutes(parts[0][1]), _minutes(parts[2][1])
    if start is None or end is None or start == DAY:
        return None, 0
    if is_late:
        start, end = (time + DAY // 2 if time < DAY // 2 else time for time in (start, end))
    return (start, end if end > start else end + DAY), 3


def _minutes(written: str) -> int | None:
    """Minutes since midnight of `8`, `8h`, `8:30`, `8h30`, `9pm`, `9h toi`; 1440 for 24:00; None for no time."""
    found = re.fullmatch(r"(\d{1,2})\s?(?:(?::|h|gio|g)\s?(\d\d)?)?\s?(am|pm|sang|trua|chieu|toi)?", written)
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half in ("am", "pm") or (half in ("chieu", "toi") and hour < 12) or (half == "trua" and hour < 10):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (0 if half == "am" else 12)
    total = hour * 60 + minute
    return total if total <= DAY and minute < 60 else None


_DATES = re.compile(
    r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?:\s?(?:-|–|den|to)\s?(\d{1,2})/(\d{1,2})(?:/(\d{4}))?)?(?:\s+|$)"
)


def _rule(said: str) -> Rule | None:
    for key, names in NAMES.items():
        for name in sorted(names, key=len, reverse=True):
            if said == name or said.startswith(f"{name} "):
                shifts, is_fine = _said_of_days(said[len(name) :])
                return Rule(shifts, name=key) if is_fine else None
    found = _DATES.match(said)
    if found is None:
        return None
    day, month, year, last_day, last_month, last_year = found.groups()
    first = (int(month), int(day))
    last = (int(last_month), int(last_day)) if last_month else first
    shifts, is_fine = _said_of_days(said[found.end() :])
    if not (is_fine and _is_date(first) and _is_date(last)):
        return None
    start = int(year) if year else int(last_year) - (first > last) if last_year else None
    if last_year and year and int(last_year) != int(year) + (first > last):
        return None
    return Rule(shifts, first=first, last=last, year=start)


def _said_of_days(words: str) -> tuple[Shifts | None, bool]:
    """The shifts of such a day (None: as on any other), and whether the words were understood."""
    said = words.strip(" :")
    if said in ("", "nghi", "dong cua", "closed"):
        return (), True
    if said in ("mo", "mo cua", "mo binh thuong", "open"):
        return None, True
    week = opening_hours(said)
    return (week[0], True) if week is not None and len(set(week)) == 1 else (None, False)


def _is_date(month_and_day: tuple[int, int]) -> bool:
    """Whether such a day exists, in a leap year at least."""
    try:
        date(2024, *month_and_day)
    except ValueError:
        return False
    return True
