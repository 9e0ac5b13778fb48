"""The end of a process on SIGTERM: nothing accepted is lost, what is in flight ends, and it goes in time."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from simulator.faults import Fault
from tests.trials.rig import CHANNELS, Rig, rigged


@pytest.mark.timeout(90)
async def test_sigterm_under_load_ends_in_time_and_loses_nothing(sqlite_url: str) -> None:
    async with rigged(sqlite_url, speed=1) as rig:
        product = rig.product()
        await product.start(rig.given, true_time=True)
        writers = [asyncio.create_task(_write(rig, CHANNELS[each % 2], f"p{each}")) for each in range(6)]
        await asyncio.sleep(1.5)
        assert product.process is not None
        began = time.monotonic()
        product.process.send_signal(signal.SIGTERM)
        assert await product.died(10)
        assert time.monotonic() - began < 10
        assert product.process.returncode == 0
        assert rig.ask("SELECT count(*) FROM outbox WHERE state = 'sending'")[0][0] == 0
        await product.start(rig.given)
        await asyncio.gather(*writers)
        await rig.quiet()
        figures = rig.figures()
        figures.check()
        assert figures.said_twice == 0


@pytest.mark.timeout(60)
async def test_a_platform_that_never_answers_does_not_hold_up_the_end(sqlite_url: str) -> None:
    async with rigged(sqlite_url, speed=1) as rig:
        product = rig.product()
        await product.start(rig.given, true_time=True)
        rig.platform.faults.add(Fault("hang", path="message"))
        await rig.deliver(rig.event(CHANNELS[0], "lan"))
        await asyncio.sleep(0.5)
        assert product.process is not None
        product.process.send_signal(signal.SIGTERM)
        assert await product.died(10)
        assert product.process.returncode == 0
        assert rig.ask("SELECT count(*) FROM outbox WHERE state = 'unknown'") == [(1,)]


async def _write(rig: Rig, channel: str, person: str) -> None:
    for _ in range(15):
        await rig.deliver(rig.event(channel, person))
        await asyncio.sleep(0.1)
