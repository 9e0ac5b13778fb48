"""When nobody may be written to unasked: hours that the law keeps quiet, and those that the shop keeps beside. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = 7 * 60, 22 * 60
"""Minutes of the day between which advertising may be sent at all (Decree 91/2020); no setting widens that."""

_DAY = 24 * 60
_SPAN = re.compile(r"([01]?\d|2[0-4])(?:[:h]([0-5]\d)?)?\s*[-–]\s*([01]?\d|2[0-4])(?:[:h]([0-5]\d)?)?")

Span = tuple[int, int]
"""Minutes of the day from one to the other, which may be on the next day."""


@dataclass(frozen=True, slots=True)
class LawfulHours:
    """The shop's zone, and the hours in which it is quiet of its own will; None for the law's alone."""

    zone: ZoneInfo
    quiet: Span | None = None

    def next_moment(self, now: datetime) -> datetime:
        """The first moment from now on at which one may write: `now` itself where that is one. In UTC."""
        at = now.astimezone(self.zone)
        for _ in range(4):
            minute = at.hour * 60 + at.minute
            ends = self._quiet_until(minute)
            if ends is None:
                return now if at == now else at.astimezone(UTC)
            at = _at(at + timedelta(days=ends <= minute), ends % _DAY)
        return at.astimezone(UTC)

    def is_lawful(self, now: datetime) -> bool:
        """Whether one may write at this moment."""
        return self.next_moment(now) == now

    def _quiet_until(self, minute: int) -> int | None:
        """The minute of the day at which the quiet hours end that hold at this one; None where none do."""
        if not OPENS <= minute < CLOSES:
            return OPENS
        if self.quiet is None:
            return None
        start, end = self.quiet
        is_quiet = start <= minute < end if start < end else minute >= start or minute < end
        return end if is_quiet else None


def read_quiet(raw: str) -> Span | None:
    """`21:00-8:00` as minutes of the day; None for `none`. Raises ValueError in words."""
    if raw.strip().lower() in ("none", "khong", "không"):
        return None
    found = _SPAN.fullmatch(raw.strip())
    if found is None:
        raise ValueError(f"{raw!r} is not understood; write 21:00-8:00, or none")
    start, end = (int(found[at]) * 60 + int(found[at + 1] or 0) for at in (1, 3))
    span = (start % _DAY, end % _DAY)
    if max(start, end) > _DAY or span[0] == span[1]:
        raise ValueError(f"{raw!r} is no span of a day; write 21:00-8:00, or none")
    hours = LawfulHours(ZoneInfo("UTC"), span)
    if all(hours._quiet_until(minute) is not None for minute in range(_DAY)):
        raise ValueError(f"{raw!r} leaves no minute between 7:00 and 22:00, outside which nothing may be sent")
    return span


def _at(day: datetime, minute: int) -> datetime:
    return day.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0, fold=0)
