"""How much of what a platform lets an account send is left, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LOW = 20
"""Percent of the whole below which people are told."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One allowance, by the platform's own name. `total` is 0 where it does not tell; `ends_at` is the first moment
    at which the rest is void."""

    name: str
    remain: int
    total: int = 0
    ends_at: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Whether something of it can be used now."""
        return self.remain > 0 and (self.ends_at is None or now < self.ends_at)

    @property
    def is_low(self) -> bool:
        """Whether so little is left that somebody should know."""
        return self.remain * 100 <= self.total * LOW if self.total else self.remain <= 0

    @property
    def words(self) -> str:
        """What is left, in short."""
        whole = f" of {self.total}" if self.total else ""
        return f"{self.name} {self.remain}{whole} left" + (f" until {self.ends_at:%Y-%m-%d}" if self.ends_at else "")
