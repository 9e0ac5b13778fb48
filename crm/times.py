"""Times as people write them in chat ("9h mai", "20h thứ 6", "30p nữa"), read into moments and told back.

What is not said is guessed, always in the same way, and told back with its weekday (`told`):

- An hour from 1 to 6 without "sáng", "đêm", am or a leading zero is one of the afternoon ("3h mai" is 15:00); 7 to 12
  is as it stands. Without a day, or for today, 7 to 11 means twelve hours later where the first is over ("8h" said at
  14:00 is 20:00), and without a day else tomorrow.
- "sáng", "trưa", "chiều", "tối", "đêm" alone are 8:00, 12:00, 14:00, 19:00 and 22:00; a day without an hour is 8:00.
  "12h đêm" is the midnight that ends the day, "2h đêm nay" comes after it. "2h" is an hour, "2 tiếng" a span.
- A weekday is the next such day, today only where the hour is still to come; with "tuần sau" it is that of the next
  week, which begins on Monday. "tuần sau" alone is Monday, "cuối tuần" Saturday. English "next friday" is next week's.
  "toi" without its accent is "tối" (evening), except in "tuan toi".
- "mốt" and "ngày kia" are the day after tomorrow. "15/12" is day and month; one that is over for more than 30 days is
  next year's, and "ngày 5" next month's where it is over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm.words import plain

LONGEST = 100
"""How many characters of a text are looked at."""

_DAY = 24 * 60
_MORNING = 8 * 60
_PERIODS = {
    "sang": "sang", "sang som": "sang", "morning": "sang", "trua": "trua", "noon": "trua", "chieu": "chieu",
    "afternoon": "chieu", "toi": "toi", "evening": "toi", "dem": "dem", "khuya": "dem", "night": "dem",
}  # fmt: skip
_MEANT = {"sang": _MORNING, "trua": 12 * 60, "chieu": 14 * 60, "toi": 19 * 60, "dem": 22 * 60}
_HOURS = {
    "sang": {hour: hour for hour in range(12)},
    "trua": {10: 10, 11: 11, 12: 12, 13: 13, 14: 14, 1: 13, 2: 14},
    "chieu": {**{hour: hour for hour in range(12, 19)}, **{hour: hour + 12 for hour in range(1, 7)}},
    "toi": {**{hour: hour for hour in range(17, 24)}, **{hour: hour + 12 for hour in range(5, 13)}},
    "dem": {**{hour: hour for hour in range(18, 25)}, **{hour: hour + 12 for hour in range(8, 13)},
            **{hour: hour + 24 for hour in range(6)}},
    "am": {hour: hour % 12 for hour in range(1, 13)},
    "pm": {hour: hour % 12 + 12 for hour in range(1, 13)},
}  # fmt: skip
"""What the hour that is said means in each part of the day, in hours since midnight."""
_WEEKDAYS = ("hai", "ba", "tu", "nam", "sau", "bay", "chu nhat")
_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MINUTE, _HOUR, _A_DAY, _WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=7)
_UNITS = {
    "p": _MINUTE, "ph": _MINUTE, "phut": _MINUTE, "min": _MINUTE, "mins": _MINUTE, "minute": _MINUTE,
    "minutes": _MINUTE, "h": _HOUR, "g": _HOUR, "gio": _HOUR, "tieng": _HOUR, "hour": _HOUR, "hours": _HOUR,
    "hr": _HOUR, "hrs": _HOUR, "ngay": _A_DAY, "hom": _A_DAY, "day": _A_DAY, "days": _A_DAY, "tuan": _WEEK,
    "week": _WEEK, "weeks": _WEEK,
}  # fmt: skip
_COUNTS = {"nua": 0.5, "half a": 0.5, "half an": 0.5, "mot": 1, "a": 1, "an": 1, "one": 1, "hai": 2, "ba": 3}
_OVER_FOR = timedelta(days=30)
_NAMES = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class When:
    """A moment that somebody named, in UTC, and what followed it in the text ("" where it was the whole)."""

    at: datetime
    rest: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """What was found so far: a day, a weekday, an hour of the day, a part of the day, a span from now."""

    day: date | None = None
    weekday: int | None = None
    is_today: bool = False
    clock: tuple[int, int] | None = None
    is_exact: bool = False
    period: str = ""
    span: timedelta | None = None


def understand_time(text: str, now: datetime, zone: ZoneInfo) -> When | None:
    """The moment that the whole text names, or None. It may lie in the past: to refuse that is the caller's part."""
    found = leading_time(text, now, zone)
    return found if found is not None and not found.rest else None


def leading_time(text: str, now: datetime, zone: ZoneInfo) -> When | None:
    """The moment that the text begins with, the longest that has a sense, and the rest of the text as it was written.

    It may lie in the past: to refuse that is the caller's part.
    """
    written = [(word, bare) for word in text[:LONGEST].split() if (bare := _bare(word))]
    line = " ".join(bare for _, bare in written)
    here, said, at, best = now.astimezone(zone), _Said(), 0, None
    while at < len(line):
        step = _step(line, at, said, here)
        if step is None:
            break
        said, at = step
        moment = _moment(said, here) if line[at : at + 1] in ("", " ") else None
        if moment is not None:
            done = len(line[:at].split(" "))
            rest = " ".join(word for word, _ in written[done:]) + text[LONGEST:]
            best = When(moment.astimezone(UTC), rest)
        at += line[at : at + 1] == " "
    return best


def told(at: datetime, zone: ZoneInfo, now: datetime, locale: str = "vi") -> str:
    """A moment in words that leave no doubt: "20:00 thứ Sáu 04/12 (giờ VN)"; another year than now's is named."""
    there = at.astimezone(zone)
    day = there.strftime("%d/%m" if there.year == now.astimezone(zone).year else "%d/%m/%Y")
    where = {"vi": "giờ VN"}.get(locale, "Vietnam time") if zone.key == "Asia/Ho_Chi_Minh" else zone.key
    return f"{there:%H:%M} {weekday(at, zone, locale)} {day} ({where})"


def near(at: datetime, zone: ZoneInfo, now: datetime, locale: str = "vi") -> str:
    """A moment as one says it to a customer: "17:00 hôm nay", "8:00 ngày mai", "8:00 thứ Hai 30/11"."""
    there = at.astimezone(zone)
    days = (there.date() - now.astimezone(zone).date()).days
    vi, en = {0: ("hôm nay", "today"), 1: ("ngày mai", "tomorrow")}.get(days, ("", ""))
    day = (vi if locale == "vi" else en) or f"{weekday(at, zone, locale)} {there:%d/%m}"
    return f"{there.hour}:{there:%M} {day}"


def weekday(at: datetime, zone: ZoneInfo, locale: str = "vi") -> str:
    """The name of the day on which a moment falls there."""
    return _NAMES.get(locale, _NAMES["en"])[at.astimezone(zone).weekday()]


def _bare(word: str) -> str:
    """A word without accents and punctuation; "tới" keeps apart from "tối"."""
    bare = plain(word).strip(",.;!?()")
    return "den" if unicodedata.normalize("NFC", word.lower()).strip(",.;") == "tới" else bare


def _step(line: str, at: int, said: _Said, here: datetime) -> tuple[_Said, int] | None:
    """Take one part from `at` on: what is known then and where it ends; None where none stands there."""
    for pattern, take in _PARTS:
        match = pattern.match(line, at)
        if match is not None:
            found = take(said, match, here)
            if found is not None:
                return found, match.end()
    return None


def _moment(said: _Said, here: datetime) -> datetime | None:
    """The moment that all this means together, or None where it means none."""
    if said.span is not None:
        is_alone = said == _Said(span=said.span)
        return (here + said.span).replace(microsecond=0) if is_alone else None
    minutes = _minutes(said)
    if not minutes:
        return None
    if said.day is not None:
        is_other = said.weekday is not None and said.weekday != said.day.weekday()
        return None if is_other else _first(here, said.day, minutes if said.is_today else minutes[:1])
    if said.weekday is not None:
        day = here.date() + timedelta(days=(said.weekday - here.weekday()) % 7)
        found = _first(here, day, minutes)
        return found if found > here else _at(here, day + _WEEK, minutes[0])
    later = (_at(here, here.date() + timedelta(days=days), each) for days in (-1, 0, 1) for each in minutes)
    return next((found for found in later if found > here), None)


def _minutes(said: _Said) -> list[int]:
    """What the hour may be, in minutes since midnight, the likeliest first; none where there is none."""
    if said.clock is None:
        if said.period:
            return [_MEANT[said.period]]
        is_bare_today = said.is_today or (said.day is None and said.weekday is None)
        return [] if is_bare_today else [_MORNING]
    hour, minute = said.clock
    if said.period:
        meant = _HOURS[said.period].get(hour)
        return [] if meant is None else [meant * 60 + minute]
    if said.is_exact or hour == 0 or hour > 12:
        return [hour * 60 + minute]
    if hour <= 6:
        return [(hour + 12) * 60 + minute]
    return [hour * 60 + minute, *([(hour + 12) * 60 + minute] if hour < 12 else [])]


def _first(here: datetime, day: date, minutes: list[int]) -> datetime:
    """The first of these that is still to come on that day, else the likeliest."""
    moments = [_at(here, day, each) for each in minutes]
    return next((moment for moment in moments if moment > here), moments[0])


def _at(here: datetime, day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=here.tzinfo) + timedelta(minutes=minutes)


def _span(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    """A span from now; one of whole days may go with an hour."""
    unit = _UNITS[match["unit"]]
    count = float(match["count"]) if match["count"].isdigit() else _COUNTS[match["count"]]
    span = unit * count + (unit / 2 if match["half"] else timedelta())
    if match["more"]:
        if unit is not _HOUR:
            return None
        span += int(match["more"]) * _MINUTE
    if not span or said.day or said.weekday is not None or said.span is not None:
        return None
    is_days = unit in (_A_DAY, _WEEK) and span % _A_DAY == timedelta()
    if not is_days:
        return replace(said, span=span)
    now = (here.hour, here.minute)
    kept = said if said.clock or said.period else replace(said, clock=now, is_exact=True)
    return replace(kept, day=(here + span).date())


def _date(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    """A day of a month, with or without a year."""
    parts = match.groupdict()
    month = int(parts["m"]) if parts.get("m") else _MONTHS.index(parts["name"]) + 1
    if parts["y"]:
        return _with_day(said, _valid(int(parts["y"]), month, int(parts["d"])))
    today = here.date()
    days = (_valid(today.year + years, month, int(parts["d"])) for years in range(9))
    return _with_day(said, next((day for day in days if day is not None and today - day <= _OVER_FOR), None))


def _monthday(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    """A day of this month, or of the next one that has it."""
    today = here.date()
    months = [divmod(today.year * 12 + today.month - 1 + number, 12) for number in range(13)]
    days = (_valid(year, month + 1, int(match["d"])) for year, month in months[bool(match["later"]) :])
    return _with_day(said, next((day for day in days if day is not None and day >= today), None))


def _named_weekday(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    parts = match.groupdict()
    if parts["digit"]:
        number = int(parts["digit"]) - 2
    elif parts["word"]:
        number = _WEEKDAYS.index(parts["word"])
    else:
        number = _ENGLISH.index(parts["english"][:3]) if parts["english"] else 6
    return _in_week(said, number, parts["week"] or "", bool(parts["next"]), here)


def _weekend(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return _in_week(said, 5, "tuan sau" if match["week"] == "sau" else "", bool(match["next"]), here)


def _in_week(said: _Said, number: int, week: str, is_next: bool, here: datetime) -> _Said | None:
    if said.weekday is not None or said.is_today:
        return None
    monday = here.date() - timedelta(days=here.weekday())
    if is_next or week in ("tuan sau", "tuan toi", "tuan den"):
        return _with_day(said, monday + _WEEK + timedelta(days=number))
    if week == "tuan nay":
        return _with_day(said, monday + timedelta(days=number))
    return replace(said, weekday=number)


def _next_week(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return None if said.weekday is not None else _in_week(said, 0, "tuan sau", False, here)


def _month_end(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return _with_day(said, _next_month(here.date()) - _A_DAY)


def _month_begins(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return _with_day(said, _next_month(here.date()))


def _near(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    """Today, tomorrow, the day after."""
    is_tonight = match[0] == "tonight"
    if is_tonight and said.period:
        return None
    days = 2 if match["after"] else 1 if match["morrow"] else 0
    found = _with_day(said, here.date() + timedelta(days=days))
    if found is None or said.weekday is not None:
        return None
    return replace(found, is_today=days == 0, period="toi" if is_tonight else said.period)


def _clock(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    parts = match.groupdict()
    hour, minute = int(parts["h"]), 30 if parts.get("half") else int(parts.get("min") or 0)
    if parts.get("less"):
        hour, minute = (hour - 1, 60 - int(parts["less"])) if 0 < int(parts["less"]) < 60 else (-1, 0)
    half = parts.get("ampm") or ""
    is_fine = 0 <= hour <= 24 and (hour < 24 or minute == 0) and not (half and said.period)
    if said.clock is not None or said.span is not None or not is_fine:
        return None
    return replace(said, clock=(hour, minute), is_exact=parts["h"].startswith("0"), period=half or said.period)


def _period(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return None if said.period else replace(said, period=_PERIODS[match[0]])


def _nothing(said: _Said, match: re.Match[str], here: datetime) -> _Said | None:
    return said


def _with_day(said: _Said, day: date | None) -> _Said | None:
    return replace(said, day=day) if day is not None and said.day is None and said.span is None else None


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _span_in(units: Iterable[str]) -> str:
    return (
        rf"(?P<count>\d{{1,3}}|{_any(_COUNTS)}) ?(?P<unit>{_any(units)})(?![a-z])"
        r"(?: ?(?P<half>ruoi)| ?(?P<more>\d{1,2})(?: ?(?:phut|ph|p|minutes|mins|min))?)?"
    )


_SPAN = _span_in(_UNITS)
_PLAIN_SPAN = _span_in(name for name, unit in _UNITS.items() if unit < _A_DAY and name not in ("h", "g", "gio"))
_YEAR = r"(?:,? (?:nam )?(?P<y>\d{4}))?"
_MONTH = rf"(?P<name>{_any(_MONTHS)})[a-z]*"
_TH = r"(?:st|nd|rd|th)?"
Take = Callable[[_Said, re.Match[str], datetime], _Said | None]
_PARTS: tuple[tuple[re.Pattern[str], Take], ...] = tuple(
    (re.compile(rf"(?:{pattern})(?![a-z\d])"), take)
    for pattern, take in (
        (rf"(?:sau|trong|in|within) {_SPAN}(?: nua)?", _span),
        (rf"{_SPAN} (?:nua|sau|later)", _span),
        (r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", _date),
        (r"(?:ngay )?(?P<d>\d{1,2})(?P<_s>[/-])(?P<m>\d{1,2})(?:(?P=_s)(?P<y>\d{4}))?", _date),
        (rf"(?:ngay )?(?P<d>\d{{1,2}}) thang (?P<m>\d{{1,2}}){_YEAR}", _date),
        (rf"(?P<d>\d{{1,2}}){_TH} {_MONTH}{_YEAR}", _date),
        (rf"{_MONTH} (?P<d>\d{{1,2}}){_TH}{_YEAR}", _date),
        (rf"(?:ngay|the) (?P<d>\d{{1,2}}){_TH}(?P<later> thang (?:sau|toi|den)| next month)?", _monthday),
        (
            r"(?P<next>next )?(?:this )?(?:(?:t|thu ?)(?P<digit>[2-7])|thu (?P<word>hai|ba|tu|nam|sau|bay)"
            r"|chu nhat|cn|(?P<english>mon|tues?|wed|thurs?|fri|sat|sun)(?:day|nesday|urday)?)"
            r"(?: (?P<week>tuan (?:sau|toi|den|nay)|den|nay))?",
            _named_weekday,
        ),
        (r"(?P<next>next )?(?:this )?(?:cuoi tuan|weekend)(?: (?P<week>sau|nay))?", _weekend),
        (r"(?:dau )?tuan (?:sau|toi|den)|next week", _next_week),
        (r"cuoi thang(?: nay)?|end of (?:the |this )?month", _month_end),
        (r"(?:dau )?thang (?:sau|toi|den)|next month", _month_begins),
        (
            r"hom nay|bua nay|today|nay|tonight|(?P<after>ngay mot|ngay kia|mot|(?:the )?day after tomorrow)"
            r"|(?P<morrow>ngay mai|mai|tomorrow|tmr)",
            _near,
        ),
        (
            r"(?P<h>\d{1,2}) ?(?:h|gio|g)(?: ?(?P<half>ruoi)| kem (?P<less>\d{1,2})(?: ?(?:phut|p))?"
            r"| ?(?P<min>[0-5]\d)(?! ?(?:thang|tuan|tieng|/|-)| ngay (?:nua|sau))(?: ?(?:phut|p))?)?",
            _clock,
        ),
        (r"(?P<h>\d{1,2}):(?P<min>[0-5]\d)(?: ?(?P<ampm>am|pm))?", _clock),
        (r"(?P<h>\d{1,2}) ?(?P<ampm>am|pm)", _clock),
        (_any(_PERIODS), _period),
        (_PLAIN_SPAN, _span),
        (r"luc|vao|at|on|in the|khoang|nhe|nha|a|gio vn|vietnam time", _nothing),
    )
)
