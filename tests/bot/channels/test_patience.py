"""One timer for the time limits of many calls."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.channels.patience import Patience


async def call(patience: Patience, seconds: float) -> str:
    """One call that takes so long."""
    with patience:
        await asyncio.sleep(seconds)
    return "answered"


async def test_each_call_has_its_own_time_whoever_else_calls() -> None:
    patience, began = Patience(0.2), time.monotonic()

    async def late(after: float) -> tuple[type[BaseException], float]:
        await asyncio.sleep(after)
        with pytest.raises(TimeoutError) as caught:
            await call(patience, 5)
        return caught.type, time.monotonic() - began - after

    ends = await asyncio.gather(*(late(after) for after in (0, 0.05, 0.1)), call(patience, 0.15))
    assert ends[-1] == "answered"
    for _, took in ends[:-1]:
        assert 0.19 < took < 1


async def test_a_task_whose_call_was_late_goes_on_and_calls_again() -> None:
    patience = Patience(0.05)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await call(patience, 5)
        assert await call(patience, 0) == "answered"
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_who_is_cancelled_from_outside_ends_as_cancelled_also_when_its_time_is_over() -> None:
    patience = Patience(0.05)

    async def calls() -> None:
        with patience:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(calls())
    with pytest.raises(asyncio.CancelledError):
        await task
    other = asyncio.create_task(call(patience, 5))
    await asyncio.sleep(0)
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other


async def test_an_error_of_the_call_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="no"), Patience(1):
        raise ValueError("no")
