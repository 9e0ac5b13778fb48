"""Looks for words in all conversations, in small readings beside everything else, for a limited time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

from crm import said
from storage.database import Database
from storage.said import Line

MOST = 10
WITHIN_S = 2.0


class Found(NamedTuple):
    """Lines, the newest first, and before which id nobody has looked yet; None where all was looked through."""

    lines: list[Line]
    before: int | None


async def found(database: Database, text: str, before: int = said.NEWEST, within: float = WITHIN_S) -> Found:
    """Up to `MOST` lines with these words that were said before this id. Raises Invalid where the words are too few.

    After so many seconds it stops where it is, at a piece's end.
    """
    given, lines = said.wanted(text), list[Line]()
    deadline = asyncio.get_running_loop().time() + within
    following: int | None = before
    while following is not None:
        hits, following = await database.read_long(partial(said.look_through, given=given, before=following))
        lines += hits
        if len(lines) >= MOST:
            is_cut = following is not None or len(lines) > MOST
            return Found(lines[:MOST], lines[MOST - 1].id if is_cut else None)
        if asyncio.get_running_loop().time() >= deadline:
            break
    return Found(lines, following)
