"""Two nodes follow a care rule and one stands still meanwhile: each moment is enrolled and told once."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import timedelta

from sqlmodel import Session

from bot.care import JOB
from crm import care
from simulator.people import MESSENGER, ZALO
from storage import jobs
from tests.trials.broadcasts import SAID, SLOTS, Sent, add_people, count, over, paced, told
from tests.trials.rig import SPEED, Rig, rigged

RULE = f"""
name = "welcome_offer"
vi = "Chào mừng"
en = "Welcome"
moment = "joined"
minutes = 1
late = "send_once"

[text]
vi = "Chào bạn, tuần này {SAID}"
en = "Hello, this week {SAID}"
"""
WAVES = 12
"""In so many groups people come, before, while and after the node stands still."""


async def stopped(url: str, people: int, seconds: float) -> Sent:
    """Two nodes look after a rule by which so many people who come get a message; one is stopped for so many seconds of
    the product's clock, and woken."""
    async with rigged(url, **paced(people, seconds)) as rig:
        sleeper, other = rig.product(), rig.product()
        _turned_on(rig)
        await sleeper.start(rig.given)
        await other.start(rig.given)
        coming = asyncio.create_task(_come(rig, people, seconds / SPEED))
        while not count(rig, "recipient", "state = 'sent'"):  # noqa: ASYNC110 - other processes send
            await asyncio.sleep(0.1)
        sleeper.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds / SPEED)
        left = people - count(rig, "recipient", "state NOT IN ('pending', 'sending')")
        sleeper.signal(signal.SIGCONT)
        await coming
        await over(rig)
        return told(rig, people, 1, max(left, 1), SLOTS)


async def _come(rig: Rig, people: int, seconds: float) -> None:
    """They come group by group for a little longer than that; the clock of both nodes ticks until all are enrolled."""
    accounts = {ZALO: rig.given["ZALO_OA_ID"], MESSENGER: rig.given["MESSENGER_PAGE_ID"]}
    size, until = -(-people // WAVES), time.monotonic() + seconds + 60
    for start in range(0, people, size):
        numbers = range(start, min(start + size, people))
        rig.write(lambda session, some=numbers: add_people(rig, session, accounts, some, rig.platform.now()))
        _tick(rig)
        await asyncio.sleep(1.1 * seconds / WAVES)
    while count(rig, "recipient", "id > 0") < people and time.monotonic() < until:
        _tick(rig)
        await asyncio.sleep(0.5)


def _turned_on(rig: Rig) -> None:
    now = rig.platform.now() - timedelta(minutes=1)

    def load(session: Session) -> None:
        version, _ = care.load(session, RULE, "trial", now)
        care.turn_on(session, version.name, "trial", now)

    rig.write(load)


def _tick(rig: Rig) -> None:
    """What the scheduler of each node does once a minute, and here for both, for a minute is long."""
    now = rig.platform.now()
    rig.write(lambda session: jobs.add_many(session, [jobs.row(JOB, "", {}, now)]))
