"""How the OA's followers are asked for and told, fifty at a time. Pure.

https://docs.zaloplatforms.com/docs/OA: "user/getlist" shows 10,000 people at most of one question. Where there are
more, those who wrote are asked for by months as well, backwards; who never wrote is among the first 10,000 or not told.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.channels.abilities import Followers
from bot.channels.zalo.envelope import Json, identifier, items, mapping
from bot.channels.zalo.quotas import VIETNAM, number

AT_ONCE = 50
LAST_OFFSET = 9951
MONTHS = 36
"""How far back is asked for who wrote: longer ago than the OA API exists in its present form."""


def question(cursor: str, now: datetime) -> Json:
    """What to ask for this part; "" is the first one."""
    month, offset = _read(cursor)
    asked: Json = {"offset": offset, "count": AT_ONCE, "is_follower": "true"}
    if month:
        first, last = _month(now.astimezone(VIETNAM).date(), month)
        asked["last_interaction_period"] = f"{first:%Y_%m_%d}:{last:%Y_%m_%d}"
    return asked


def page(told: Json, cursor: str, now: datetime) -> Followers:
    """The answer to that question."""
    found = items(told.get("users"))
    people = (identifier(mapping(each).get("user_id")) for each in found)
    return Followers(tuple(each for each in people if each), _next(*_read(cursor), len(found), told))


def _next(month: int, offset: int, found: int, told: Json) -> str:
    total = number(told.get("total")) or 0
    after = offset + found
    if found and after < total and after <= LAST_OFFSET:
        return f"{month}:{after}"
    there_are_more = bool(month) or total > LAST_OFFSET + AT_ONCE - 1
    return f"{month + 1}:0" if there_are_more and month < MONTHS else ""


def _read(cursor: str) -> tuple[int, int]:
    """Which month, 1 for this one and 0 for no month at all; and after how many people of it."""
    month, _, offset = cursor.partition(":")
    return (int(month), int(offset)) if offset else (0, 0)


def _month(today: date, number_back: int) -> tuple[date, date]:
    """The first and last day of a month, 1 for this one, 2 for the one before."""
    months = today.year * 12 + today.month - number_back
    first = date(months // 12, months % 12 + 1, 1)
    after = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
    return first, after - timedelta(days=1)
