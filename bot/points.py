"""What time brings to points: waiting ones can be spent, old ones expire, reservations end, tiers are reviewed.

All of it in ranges that leave room for webhooks, and each range may be done again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from crm import due, gifts, membership
from storage.columns import NEVER
from storage.database import Database

_START = (NEVER, 0)
_LEAST = 25
"""Of a range: a statement for one costs as much as for these."""


async def turn(database: Database, now: datetime) -> None:
    """Write down all that is due by now."""

    def lapse(session: Session, _: int, size: int) -> int | None:
        return 0 if due.lapse(session, size, now) else None

    await database.bulk(lapse, 0, size=50)
    await database.bulk(_range(due.release, now), _START, size=100, least=_LEAST)
    await database.bulk(_range(due.expire, now), _START, size=100, least=_LEAST)
    await database.bulk(_range(membership.review, now), _START, size=100, least=_LEAST)


async def birthdays(database: Database, now: datetime) -> None:
    """Give those their points whose birthday it is."""

    def step(session: Session, after: int, size: int) -> int | None:
        return gifts.birthdays(session, after, size, now)

    await database.bulk(step, 0, size=50)


async def place(database: Database, now: datetime) -> None:
    """Give every member the tier that they earned, under a programme that came to hold."""

    def step(session: Session, after: int, size: int) -> int | None:
        return membership.place(session, after, size, now)

    await database.bulk(step, 0, size=50)


Cursor = tuple[datetime, int]


def _range(
    work: Callable[[Session, Cursor, int, datetime], Cursor | None], now: datetime
) -> Callable[[Session, Cursor, int], Cursor | None]:
    def step(session: Session, after: Cursor, size: int) -> Cursor | None:
        return work(session, after, size, now)

    step.__name__ = f"points.{work.__name__}"
    return step
