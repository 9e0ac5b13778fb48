"""Those who call where nobody waits: in order, few at once for a quick platform, more for a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.claims import Claimed
from bot.crew import LEAST, MOST, Crew
from storage.claims import Due
from tests.conftest import Clock


def claimed(people: int, clock: Clock) -> list[Claimed]:
    """So many messages, by number."""
    now = clock()
    until = now + timedelta(minutes=1)
    return [
        Claimed(
            Due(number, number, "zalo", "oa", str(number), "broadcast", False, "", 0, False, 1, now, None, number, now),
            "cs", 1, until, 0, recipient=number + 1, broadcast=1,
        )
        for number in range(people)
    ]  # fmt: skip


def calling(seconds: float, called: list[int], flying: list[int]) -> Callable[[Claimed], Awaitable[None]]:
    """A call that takes so long; whom it called, and how many calls there were at once each time."""
    now: set[int] = set()

    async def send(item: Claimed) -> None:
        called.append(item.due.id)
        now.add(item.due.id)
        flying.append(len(now))
        await asyncio.sleep(seconds)
        now.discard(item.due.id)

    return send


async def landed(crew: Crew) -> None:
    """Wait until nobody is called any more."""
    async with asyncio.timeout(10):
        while len(crew):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.001)


async def test_a_quick_platform_is_called_in_order_and_by_few_at_once(clock: Clock) -> None:
    called: list[int] = []
    flying: list[int] = []
    crew = Crew(calling(0, called, flying))
    crew.add(claimed(200, clock))
    assert (len(crew), crew.is_behind) == (200, True)
    await landed(crew)
    assert called == list(range(200))
    assert max(flying) == LEAST


async def test_where_calls_take_long_there_are_more_of_them_at_once(clock: Clock) -> None:
    called, flying = list[int](), list[int]()
    crew = Crew(calling(0.2, called, flying))
    crew.add(claimed(400, clock))
    await landed(crew)
    assert called == list(range(400))
    assert LEAST < max(flying) <= MOST


async def test_a_platform_that_answers_one_after_the_other_is_not_called_by_ever_more(clock: Clock) -> None:
    called: list[int] = []
    flying: list[int] = []
    one = asyncio.Lock()
    answers = calling(0.002, called, [])

    async def send(item: Claimed) -> None:
        flying.append(len(flying) + 1 - len(called))
        async with one:
            await answers(item)

    crew = Crew(send)
    crew.add(claimed(600, clock))
    await landed(crew)
    assert len(called) == 600
    assert max(flying) <= MOST


async def test_a_send_that_fails_in_our_own_code_stops_no_caller(clock: Clock) -> None:
    called: list[int] = []

    async def send(item: Claimed) -> None:
        called.append(item.due.id)
        raise ValueError

    crew = Crew(send)
    crew.add(claimed(LEAST * 3, clock))
    await landed(crew)
    assert sorted(called) == list(range(LEAST * 3))


async def test_what_was_never_called_can_be_taken_back_and_what_does_not_end_is_broken_off(clock: Clock) -> None:
    called: list[int] = []
    crew = Crew(calling(60, called, []))
    crew.add(claimed(LEAST + 8, clock))
    async with asyncio.timeout(10):
        while len(called) < LEAST:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0)
    assert [item.due.id for item in crew.take_back()] == list(range(LEAST, LEAST + 8))
    await crew.drain(0.01)
    assert called == list(range(LEAST))
    assert len(crew) == 0


async def test_at_the_end_calls_may_take_the_time_that_is_left(clock: Clock) -> None:
    called: list[int] = []
    crew = Crew(calling(0.01, called, []))
    crew.add(claimed(LEAST + 8, clock))
    await crew.drain(5)
    assert called == list(range(LEAST + 8))
