"""What the platforms do to our calls, and what becomes of the message: tried again, waiting, given up, found out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from bot.accounts import connect
from bot.secrets import Sealer
from simulator.people import MESSENGER, ZALO
from storage import alarms, outbox
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

REFUSED_AT_THE_DOOR: dict[str, tuple[dict[str, Any], float]] = {
    "429 with a wait": ({"fault": "status", "status": 429, "retry_after": "7"}, 7),
    "429 without one": ({"fault": "status", "status": 429}, 60),
    "503 with a wait": ({"fault": "status", "status": 503, "retry_after": "30"}, 30),
}
OUTCOME_HIDDEN: dict[str, dict[str, Any]] = {
    "500": {"fault": "status", "status": 500},
    "503 without a wait": {"fault": "status", "status": 503},
    "a gateway's page": {"fault": "html_502"},
    "a reset connection": {"fault": "reset"},
    "a connection closed without an answer": {"fault": "hang", "seconds": 0.05},
    "a success that says nothing": {"fault": "status", "status": 200, "body": ""},
    "a success that is no object": {"fault": "status", "status": 200, "body": "[1]"},
}


@pytest.mark.parametrize("what", REFUSED_AT_THE_DOOR)
async def test_what_was_refused_before_it_was_read_is_sent_again_after_the_wait(
    stage: Stage, channel: str, what: str
) -> None:
    fault, wait = REFUSED_AT_THE_DOOR[what]
    stage.goes_wrong(path="message", **fault)
    await stage.said(channel)
    assert await stage.states() == ["waiting"]
    if "with a wait" in what:
        stage.clock.pass_by(seconds=wait - 1)
        await stage.tick("outbox.sweep")
        assert stage.heard() == [], "the wait that the platform asked for is kept"
    stage.clock.pass_by(seconds=61)
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await stage.states() == ["sent"]


@pytest.mark.parametrize("what", OUTCOME_HIDDEN)
async def test_what_may_have_gone_out_is_found_out_before_it_is_sent_again(
    stage: Stage, channel: str, what: str
) -> None:
    stage.goes_wrong(path="message", **OUTCOME_HIDDEN[what])
    await stage.said(channel)
    assert await stage.states() == ["unknown"]
    stage.clock.pass_by(seconds=31)
    await stage.tick("outbox.sweep")
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await stage.states() == ["sent"]


@pytest.mark.parametrize(
    ("channel", "fault", "state"),
    [
        (ZALO, {"code": -200}, "waiting"),
        (ZALO, {"code": -32}, "waiting"),
        (ZALO, {"code": -99999}, "waiting"),
        (ZALO, {"code": -201}, "dead"),
        (ZALO, {"code": -230}, "dead"),
        (ZALO, {"code": -213}, "dead"),
        (MESSENGER, {"code": 2}, "waiting"),
        (MESSENGER, {"code": 613}, "waiting"),
        (MESSENGER, {"code": 100}, "dead"),
        (MESSENGER, {"code": 10, "subcode": 2018278}, "dead"),
        (MESSENGER, {"code": 551}, "dead"),
    ],
)
async def test_the_platforms_own_words_decide(stage: Stage, channel: str, fault: dict[str, Any], state: str) -> None:
    stage.goes_wrong("code", path="message", **fault)
    await stage.said(channel)
    assert await stage.states() == [state]
    stage.clock.pass_by(hours=2)
    await stage.quiet()
    assert await stage.states() == ["sent" if state == "waiting" else "dead"]


@pytest.mark.parametrize(("channel", "code"), [(ZALO, -213), (MESSENGER, 551)])
async def test_a_person_who_cannot_be_reached_is_written_to_again_only_after_they_write(
    stage: Stage, channel: str, code: int
) -> None:
    stage.goes_wrong("code", path="message", code=code)
    await stage.said(channel)
    assert (await stage.person(channel)).unreachable_since == stage.clock()
    stage.clock.pass_by(seconds=5)
    await stage.said(channel)
    assert (await stage.person(channel)).unreachable_since is None
    assert stage.heard() == [ANSWER]


@pytest.mark.parametrize(("channel", "code"), [(ZALO, -204), (MESSENGER, 368)])
async def test_a_refused_account_waits_whole_rings_once_and_goes_on_by_itself(
    stage: Stage, channel: str, code: int
) -> None:
    stage.goes_wrong("code", path="message", code=code)
    await stage.said(channel)
    for who in ("minh", "huong"):
        await stage.taken(stage.says(channel, who=who))
    await stage.until(lambda session: outbox.totals(session).waiting == 3)
    assert stage.heard() == []
    rung = await stage.read(alarms.unsolved)
    assert [each.kind for each in rung] == ["account_refused"]
    stage.clock.pass_by(hours=20)
    await stage.quiet()
    assert stage.heard() == [ANSWER] * 3
    assert stage.platform.faults.calls == []
    assert await stage.read(alarms.unsolved) == []


async def spoiled(stage: Stage, left: int) -> None:
    """Wait until so many calls are left to go wrong."""
    await stage.until(lambda session: sum(fault.times for fault in stage.platform.faults.calls) == left)


async def test_an_account_that_is_refused_until_a_person_mends_it_rings_at_once_and_is_tried_again_at_times(
    stage: Stage,
) -> None:
    """Graph's 200: the app lacks pages_messaging. No pause of the platform's tells when it ends."""
    stage.goes_wrong("code", path="message", code=200, times=2)
    await stage.taken(stage.says(MESSENGER))
    for left in (1, 0):
        await spoiled(stage, left)
        await stage.quiet()
        assert [each.kind for each in await stage.read(alarms.unsolved)] == ["account_refused"]
        stage.clock.pass_by(minutes=14)
        await stage.tick("outbox.sweep")
        assert await stage.states() == ["waiting"]
        stage.clock.pass_by(minutes=1, seconds=1)
    await stage.quiet()
    assert stage.platform.faults.calls == []
    assert stage.heard() == [ANSWER]
    assert await stage.read(alarms.unsolved) == []


async def test_an_account_that_is_connected_again_sends_at_once_what_waits(stage: Stage) -> None:
    stage.goes_wrong("code", path="message", code=200)
    await stage.said(MESSENGER)
    assert stage.heard() == []
    config = stage.platform.config
    pair = (Sealer("a secret key for tests only").seal(config.messenger_page_token), "")

    def again(session: Session) -> None:
        connect(session, MESSENGER, config.messenger_page_id, pair, stage.clock())

    await stage.service.database.write(again)
    await stage.quiet()
    assert stage.heard() == [ANSWER]


async def test_an_alarm_of_a_refused_account_is_solved_by_a_later_process(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock) as stage:
        stage.goes_wrong("code", path="message", code=368)
        await stage.taken(stage.says(MESSENGER))
        await stage.until(lambda session: bool(alarms.unsolved(session)))
    clock.pass_by(hours=20)
    async with playing(sqlite_url, clock) as stage:
        await stage.said(MESSENGER, who="minh")
        assert stage.heard(who="minh") == [ANSWER]
        await stage.until(lambda session: not alarms.unsolved(session))


async def test_a_retry_gives_up_in_the_end(stage: Stage) -> None:
    stage.goes_wrong("code", path="message", code=-200, times=99)
    await stage.said(ZALO)
    for _ in range(12):
        stage.clock.pass_by(hours=1, seconds=1)
        await stage.quiet()
    assert await stage.states() == ["dead"]
    assert stage.platform.faults.calls[0].times == 99 - 8
    (dead,) = await stage.read(outbox.dead)
    assert dead.error.startswith("-200")


async def test_one_persons_trouble_holds_up_nobody_else(stage: Stage) -> None:
    stage.goes_wrong("reset", path="message", person="lan", times=9)
    await stage.said(ZALO, who="lan")
    await stage.said(ZALO, who="minh")
    assert stage.heard(who="minh") == [ANSWER]
    assert stage.heard(who="lan") == []
