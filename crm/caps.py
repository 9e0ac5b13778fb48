"""How often one person may be written to unasked, over all broadcasts and care rules together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from storage import turns

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most messages of care and advertising in any 24 hours, and in any 7 days; 0 for no limit."""

    per_day: int = 1
    per_week: int = 3


def reached(session: Session, customer_ids: Collection[int], caps: Caps, now: datetime) -> set[int]:
    """Those of these customers who may get nothing more now; what may have gone out counts."""
    if not (caps.per_day or caps.per_week):
        return set()
    found = turns.counts(session, customer_ids, now - DAY, now - WEEK)
    return {
        customer
        for customer, (day, week) in found.items()
        if (caps.per_day and day >= caps.per_day) or (caps.per_week and week >= caps.per_week)
    }
