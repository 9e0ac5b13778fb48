"""`kill -9` at every named step and at random moments: whatever was accepted has its effect, once."""

from __future__ import annotations

import asyncio
import random
import time

from tests.trials.rig import CHANNELS, Figures, Rig, rigged

POINTS = (
    "t1.read", "t1.verified", "t1.inserted", "t1.committed", "t2.taken", "t3.written", "t3.committed", "t4.committed",
    "t5.answered", "t5.written",
)  # fmt: skip


async def at_every_step(url: str, points: tuple[str, ...] = POINTS, rounds: int = 1) -> tuple[dict[str, bool], Figures]:
    """One life for each step, which ends there while events come in; which steps were met, and what became of all."""
    met: dict[str, bool] = {}
    async with rigged(url) as rig:
        product, delivering = rig.product(), []
        for point in points * rounds:
            await product.start(rig.given, fault=f"{point}:kill")
            delivering += [asyncio.create_task(_insist(rig, channel, point)) for channel in CHANNELS]
            met[point] = await product.died(10)
            product.kill()
            await product.died(5)
        await product.start(rig.given)
        await asyncio.gather(*delivering)
        await rig.quiet()
        return met, rig.figures()


async def _insist(rig: Rig, channel: str, point: str) -> None:
    for number in range(3):
        await rig.deliver(rig.event(channel, f"{point}-{number % 2}".replace(".", "-")))


async def at_random_moments(url: str, kills: int, seed: int) -> tuple[float, Figures]:
    """Many persons write while the process dies again and again; the longest way back in seconds, and the figures."""
    chance = random.Random(seed)
    async with rigged(url) as rig:
        product = rig.product()
        longest = await product.start(rig.given)
        over = asyncio.Event()
        writers = [asyncio.create_task(_write(rig, CHANNELS[each % 2], f"p{each}", over)) for each in range(8)]
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.1, 1.2))
            product.kill()
            await product.died(5)
            longest = max(longest, await product.start(rig.given))
        over.set()
        await asyncio.gather(*writers)
        await rig.quiet()
        return longest, rig.figures()


async def _write(rig: Rig, channel: str, person: str, over: asyncio.Event) -> None:
    """One person, one line after another, each told again until it is taken."""
    while not over.is_set():
        began = time.monotonic()
        await rig.deliver(rig.event(channel, person))
        await asyncio.sleep(max(0.0, 0.15 - (time.monotonic() - began)))
