"""How a broadcast begins, and one that ends in the middle: who was taken and not called yet is not lost, nor called."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from bot import upkeep
from bot.breaker import MOST_FAILED
from bot.broadcasts import TEND
from bot.crew import LEAST
from crm import consent
from crm.broadcasts import Pause
from crm.messages import Purpose
from simulator.people import ZALO
from storage import engines, outbox
from tests.conftest import Clock
from tests.crm.people import born
from tests.pipeline.stage import Stage, product, simulated
from tests.pipeline.test_broadcasts import _scheduled, report

BEHIND = 8
"""How many more than are called at once."""
MANY = 200


async def begun(stage: Stage, count: int) -> int:
    """A broadcast to so many that is due, and the clock looks."""
    await stage.service.database.write(partial(people, stage=stage, count=count))
    schedule = partial(_scheduled, text="Chào bạn", purpose=Purpose.BROADCAST, clock=stage.clock)
    number = await stage.service.database.write(schedule)
    await upkeep.enqueue(stage.service.database, TEND, stage.clock())
    return number


def people(session: Session, stage: Stage, count: int) -> None:
    """They wrote on Zalo just now and want news; Zalo does not know them."""
    for number in range(count):
        person = born(session, stage.clock(), user_id=f"s{number}")
        consent.say(session, person.customer_id, granted=True, at=stage.clock(), channel=ZALO)
    wrote = text("UPDATE identity SET account_id = :it, last_interaction_at = :now")
    given = {"it": stage.platform.config.zalo_oa_id, "now": stage.clock()}
    session.connection().execute(wrote.bindparams(bindparam("now", type_=UTCDateTime())), given)


def states(session: Session) -> Counter[str]:
    """How many recipients stand how."""
    return Counter(session.connection().execute(text("SELECT state FROM recipient")).scalars())


async def test_who_was_taken_and_not_called_yet_waits_again_when_the_process_ends(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.service.DRAIN_S", 0.2)
    async with simulated(clock) as platform, product(database_url, clock, platform) as stage:
        stage.goes_wrong("hang", path="message", seconds=60, times=LEAST + BEHIND)
        await begun(stage, LEAST + BEHIND)
        await stage.until(lambda session: states(session) == {"sending": LEAST + BEHIND})
    engine = engines.writer(database_url, "OFF")
    with Session(engine) as session:
        assert states(session) == {"unknown": LEAST, "pending": BEHIND}
    engine.dispose()


async def test_who_was_taken_is_not_called_once_the_broadcast_has_stopped_for_its_errors(
    database_url: str, clock: Clock
) -> None:
    async with simulated(clock) as platform, product(database_url, clock, platform) as stage:
        number = await begun(stage, MANY)
        await stage.until(lambda session: "sending" not in states(session) and "failed" in states(session))
        assert (await report(stage, number)).broadcast.pause_reason == Pause.ERRORS
        found = await stage.read(states)
        assert found["failed"] <= MOST_FAILED + LEAST
        assert found == {"failed": found["failed"], "pending": MANY - found["failed"]}


async def test_a_broadcast_begins_at_once_though_nobody_was_found_just_before(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.IDLE_S", 3600)
    monkeypatch.setattr("storage.watch.LOOKS_EVERY_S", 3600)
    async with simulated(clock) as platform, product(database_url, clock, platform) as stage:
        stage.service.database.topic(outbox.TOPIC).set()
        await begun(stage, 3)
        await stage.until(lambda session: "pending" not in states(session) and states(session).total() == 3)
