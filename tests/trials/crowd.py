"""Doors and workers share one PostgreSQL: redelivered events, one expired token, order, and no deadlock."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from itertools import pairwise

from tests.trials.rig import CHANNELS, CODE, Figures, Rig, Sent, rigged

TIMES = 3


@dataclass(frozen=True, slots=True)
class Shared:
    """What the processes made of a crowd."""

    figures: Figures
    posted: int
    deadlocks: int
    refreshes: int
    out_of_order: int
    busy_workers: int
    events_per_second: float


async def shared(url: str, events: int, seed: int, people: int = 40, *, webs: int = 1, workers: int = 2) -> Shared:
    """So many events, each told three times, in random order within a person's turn, at any door."""
    chance = random.Random(seed)
    async with rigged(url) as rig:
        made = [rig.product("web") for _ in range(webs)] + [rig.product("worker") for _ in range(workers)]
        await asyncio.gather(*(product.start(rig.given) for product in made))
        before = _deadlocks(rig)
        rig.platform.zalo_tokens.expire()
        lanes = [(CHANNELS[each % 2], f"p{each}") for each in range(people)]
        turns = [events // people + (each < events % people) for each in range(people)]
        began = time.monotonic()
        sent = await asyncio.gather(
            *(_tell(rig, channel, person, turn, chance) for (channel, person), turn in zip(lanes, turns, strict=True))
        )
        await rig.quiet()
        seconds = time.monotonic() - began
        owners = rig.ask("SELECT count(DISTINCT lease_owner) FROM outbox")
        return Shared(
            rig.figures(),
            posted=sum(map(len, sent)) * TIMES,
            deadlocks=_deadlocks(rig) - before,
            refreshes=rig.platform.zalo_tokens.pairs_issued,
            out_of_order=sum(_swapped(rig, person) for _, person in lanes),
            busy_workers=owners[0][0],
            events_per_second=round(events / seconds, 1),
        )


async def _tell(rig: Rig, channel: str, person: str, turns: int, chance: random.Random) -> list[Sent]:
    """One person's events, in order; old ones come again beside new ones."""
    told: list[Sent] = []
    for _ in range(turns):
        told.append(rig.event(channel, person))
        await rig.deliver(told[-1])
        again = [told[-1], chance.choice(told)]
        await asyncio.gather(*(rig.post(event) for event in again[: TIMES - 1]))
    return told


def _swapped(rig: Rig, person: str) -> int:
    """How many answers to this person came before the answer to an earlier question."""
    codes = [CODE.findall(call.text) for call in rig.platform.journal if call.message_id and call.person == person]
    heard = [code for found in codes for code in found]
    return sum(one > other for one, other in pairwise(heard))


def _deadlocks(rig: Rig) -> int:
    ((count,),) = rig.ask("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return count
