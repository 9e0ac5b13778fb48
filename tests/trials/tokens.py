"""A process dies with a new token pair in hand and nothing written: one alarm, and no message is lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from simulator.people import MESSENGER, ZALO
from tests.trials.rig import rigged

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Lost:
    """What became of an account whose single-use refresh token was spent for nothing."""

    seconds_to_alarm: float
    alarms: int
    refused_refreshes: int
    lost: int
    other_channel_answered: bool


async def lost(url: str) -> Lost:
    """Kill at the worst moment, start again, connect the account again, and count what was answered."""
    async with rigged(url) as rig:
        product = rig.product()
        await product.start(rig.given, fault="token.refreshed:kill")
        rig.platform.zalo_tokens.expire()
        questions = [rig.event(ZALO, f"p{number}") for number in range(3)]
        for question in questions[:2]:
            await rig.deliver(question)
        assert await product.died(20)
        began = time.monotonic()
        await product.start(rig.given)
        await rig.deliver(questions[2])
        other = rig.event(MESSENGER, "p9")
        await rig.deliver(other)
        while not rig.ask("SELECT count(*) FROM alarm WHERE kind = 'token_dead'")[0][0]:
            assert time.monotonic() - began < PATIENCE_S, "no alarm"
            await asyncio.sleep(0.2)
        took = time.monotonic() - began
        await asyncio.sleep(3)
        alarms = rig.ask("SELECT count(*) FROM alarm")[0][0]
        answered = other.code in rig.journal()
        refused = sum("oauth" in str(each["path"]) for each in rig.platform.refused)
        product.kill()
        await product.died(5)
        tokens = rig.platform.zalo_tokens
        given = {**rig.given, "ZALO_ACCESS_TOKEN": tokens.access, "ZALO_REFRESH_TOKEN": tokens.refresh}
        await product.start(given)
        await rig.quiet()
        missing = {question.code for question in questions} - set(rig.journal())
        return Lost(round(took, 1), alarms, refused, len(missing), answered)
