"""Several things at once, of which none stops the others by failing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def all_ended(things: Iterable[Awaitable[T]]) -> list[T]:
    """What they came to, in their order. The first failure is raised, but not before all have ended."""
    found = await asyncio.gather(*things, return_exceptions=True)
    ended: list[T] = []
    for each in found:
        if isinstance(each, BaseException):
            raise each
        ended.append(each)
    return ended
