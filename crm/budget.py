"""What may be spent on messages in a month of the shop's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Month(NamedTuple):
    """A month by its name (`2026-11`), from its first moment until the next one's, in UTC."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that each account may spend in a month, in đồng; None for no ceiling. `zone` is the shop's."""

    ceiling: int | None
    zone: ZoneInfo

    def month(self, now: datetime) -> Month:
        """The month that the shop's calendar shows now."""
        local = now.astimezone(self.zone)
        return _month(local.year, local.month, self.zone)


def named(name: str, zone: ZoneInfo) -> Month:
    """The month that is called so (`2026-11`). Raises ValueError."""
    first = datetime.strptime(name, "%Y-%m").replace(tzinfo=zone)
    return _month(first.year, first.month, zone)


def _month(year: int, month: int, zone: ZoneInfo) -> Month:
    start = datetime(year, month, 1, tzinfo=zone)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return Month(f"{year:04}-{month:02}", start.astimezone(UTC), end.astimezone(UTC))
