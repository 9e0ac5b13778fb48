"""How a worker is woken, works, and rests."""

from __future__ import annotations

import asyncio

import pytest

from bot.loop import work

pytestmark = pytest.mark.timeout(30)


async def _looks(rest_s: float) -> int:
    """How often one looks who is woken ten times within a few hundredths of a second."""
    topic, stopping, looks = asyncio.Event(), asyncio.Event(), 0

    async def once() -> bool:
        nonlocal looks
        looks += 1
        return False

    worker = asyncio.create_task(work(once, topic, stopping, 60, rest_s))
    for _ in range(10):
        await asyncio.sleep(0.005)
        topic.set()
    stopping.set()
    topic.set()
    await worker
    return looks


async def test_who_rests_looks_once_for_all_that_comes_meanwhile() -> None:
    assert await _looks(rest_s=60) == 1
    assert await _looks(rest_s=0) > 1


async def test_what_comes_during_the_rest_is_looked_for_after_it() -> None:
    topic, stopping, looked = asyncio.Event(), asyncio.Event(), asyncio.Queue[None]()

    async def once() -> bool:
        looked.put_nowait(None)
        return False

    worker = asyncio.create_task(work(once, topic, stopping, 60, 0.01))
    for _ in range(3):
        await looked.get()
        topic.set()
    await looked.get()
    stopping.set()
    topic.set()
    await worker
