"""One event, one effect, in the order it happened: duplicates, late news, floods, edits, and poison."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import handlers
import main
from bot.context import Context
from bot.router import Router
from crm.events import TextReceived
from simulator import messenger_events, speech, zalo_events
from simulator.people import MESSENGER, ZALO
from storage import faults, inbox
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, ASK, Json, Stage, playing


def text_event(stage: Stage, channel: str, words: str, number: int, *, seconds: float = 0, who: str = "lan") -> Json:
    """The webhook of a text that a person wrote so many seconds from now."""
    contact, config = stage.contact(channel, who), stage.platform.config
    speech.touch(stage.platform, contact)
    at = stage.clock() + timedelta(seconds=seconds)
    if channel == ZALO:
        message = {"text": words, "msg_id": f"{who}-{number}"}
        return zalo_events.from_person(config, contact, "user_send_text", message, at)
    return messenger_events.from_person(config, contact, "message", {"mid": f"m_{who}-{number}", "text": words}, at)


async def customer_lines(stage: Stage, channel: str, who: str = "lan") -> list[str]:
    """What the person said, as the transcript has it."""
    return [words for author, words in await stage.lines(channel, who) if author == "customer"]


async def test_an_event_that_comes_ten_times_at_once_has_one_effect(stage: Stage, channel: str) -> None:
    event = text_event(stage, channel, ASK, 1)
    assert set(await asyncio.gather(*(stage.webhook(channel, event) for _ in range(10)))) == {200}
    await stage.quiet()
    assert await stage.webhook(channel, event) == 200
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await customer_lines(stage, channel) == [ASK]


async def test_twelve_events_of_somebody_new_make_one_customer(stage: Stage, channel: str) -> None:
    events = [text_event(stage, channel, f"câu {number}", number, seconds=number / 10) for number in range(12)]
    random.Random(3).shuffle(events)
    assert set(await asyncio.gather(*(stage.webhook(channel, event) for event in events))) == {200}
    await stage.quiet()
    for table in ("customer", "identity", "conversation"):
        assert await stage.count(table) == 1
    assert sorted(await customer_lines(stage, channel)) == sorted(f"câu {number}" for number in range(12))


async def held_up(stage: Stage, channel: str) -> None:
    """The worker is busy with somebody else for a second; what arrives meanwhile waits together."""
    faults.arm("t2.taken:sleep")
    assert await stage.webhook(channel, text_event(stage, channel, ASK, 0, who="minh")) == 200
    await asyncio.sleep(0.1)


async def test_three_lines_that_wait_together_are_answered_once(stage: Stage, channel: str) -> None:
    await held_up(stage, channel)
    lines = ["shop ơi", "cho mình hỏi", ASK]
    events = [text_event(stage, channel, words, number, seconds=number) for number, words in enumerate(lines)]
    assert set(await asyncio.gather(*(stage.webhook(channel, event) for event in events))) == {200}
    await stage.quiet()
    assert stage.heard(who="lan") == [ANSWER]
    assert await customer_lines(stage, channel) == lines


async def test_events_that_wait_together_are_told_in_the_order_they_happened(stage: Stage, channel: str) -> None:
    await held_up(stage, channel)
    events = [text_event(stage, channel, f"câu {number}", number, seconds=number) for number in (4, 0, 3, 1, 2)]
    assert set(await asyncio.gather(*(stage.webhook(channel, event) for event in events))) == {200}
    await stage.quiet()
    assert await customer_lines(stage, channel) == [f"câu {number}" for number in range(5)]


async def test_a_flood_is_answered_now_and_then_and_loses_nothing(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, settings={"FLOOD_PER_MINUTE": "5"}) as stage:
        for number in range(40):
            event = text_event(stage, channel, ASK, number, seconds=number / 100)
            assert await stage.webhook(channel, event) == 200
            await stage.quiet()
        answered = len(stage.heard())
        assert 1 <= answered <= 6
        clock.pass_by(minutes=1)
        await stage.quiet()
        assert len(stage.heard()) == answered + 1
        assert len(await customer_lines(stage, channel)) == 40


async def test_a_flood_of_one_person_leaves_others_alone(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, settings={"FLOOD_PER_MINUTE": "2"}) as stage:
        for number in range(10):
            await stage.webhook(channel, text_event(stage, channel, ASK, number))
            await stage.quiet()
        await stage.said(channel, who="minh")
        assert stage.heard(who="minh") == [ANSWER]


@pytest.mark.parametrize("edits_first", [False, True])
async def test_edits_and_unsending_reach_the_transcript_in_any_order(stage: Stage, edits_first: bool) -> None:
    contact = stage.contact(MESSENGER)
    message = text_event(stage, MESSENGER, "con xanh ko", 1)
    mid = message["entry"][0]["messaging"][0]["message"]["mid"]
    edits = [
        messenger_events.from_person(
            stage.platform.config, contact, "message_edit",
            {"mid": mid, "text": f"sửa {number}", "num_edit": number}, stage.clock() + timedelta(seconds=number),
        )
        for number in (1, 2)
    ]  # fmt: skip
    told = [edits[1], message, edits[0]] if edits_first else [message, edits[1], edits[0]]
    for each in told:
        assert await stage.webhook(MESSENGER, each) == 200
        if not edits_first:
            await stage.quiet()
    await stage.quiet()
    if not edits_first:
        assert await customer_lines(stage, MESSENGER) == ["sửa 2"]
    unsent = messenger_events.from_person(
        stage.platform.config, contact, "message", {"mid": mid, "is_deleted": True}, stage.clock()
    )
    assert await stage.webhook(MESSENGER, unsent) == 200
    assert await stage.webhook(MESSENGER, edits[1] | {"again": 1}) == 200
    await stage.quiet()
    assert await customer_lines(stage, MESSENGER) == [""]
    assert await stage.dead() == []


async def test_a_late_consent_does_not_undo_a_newer_withdrawal(stage: Stage, channel: str) -> None:
    told = [("dừng nhận tin", 2, -60), ("bắt đầu nhận tin", 1, -7200)]
    for words, number, seconds in told:
        assert await stage.webhook(channel, text_event(stage, channel, words, number, seconds=seconds)) == 200
        await stage.quiet()
    assert (await stage.person(channel)).marketing == "withdrawn"


@pytest.fixture
async def poisoned(sqlite_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A shop with a handler of its own that fails on one word."""
    router = Router("poison")

    @router.on(TextReceived)
    def fail(ctx: Context) -> None:
        if "thuốc độc" in ctx.text:
            raise LookupError("a bug of ours")
        ctx.say(f"nghe: {ctx.text}")

    routers = [each for each in handlers.ROUTERS if TextReceived not in each.kinds]
    monkeypatch.setattr(main, "ROUTERS", (*routers, router))
    async with playing(sqlite_url, clock, settings={"FLOOD_PER_MINUTE": "0"}) as stage:
        yield stage


async def until_dead(stage: Stage, count: int) -> None:
    """Let time pass until so many events are buried."""
    for _ in range(6):
        await stage.quiet()
        if len(await stage.dead()) == count:
            return
        stage.clock.pass_by(seconds=100)
    raise AssertionError(await stage.dead())


async def test_a_poison_event_buries_only_itself(
    poisoned: Stage, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = poisoned
    words = ["một xyzt", "thuốc độc", "hai xyzt", "ba xyzt"]
    for number, each in enumerate(words):
        assert await stage.webhook(channel, text_event(stage, channel, each, number, seconds=number / 100)) == 200
    assert await stage.webhook(channel, text_event(stage, channel, "bốn xyzt", 9, who="minh")) == 200
    await until_dead(stage, 1)
    await stage.quiet()
    assert stage.heard(who="lan") == [f"nghe: {each}" for each in words if each != "thuốc độc"]
    assert stage.heard(who="minh") == ["nghe: bốn xyzt"]
    assert await customer_lines(stage, channel) == [each for each in words if each != "thuốc độc"]
    (why,) = await stage.dead()
    assert why == "LookupError: a bug of ours"
    assert [record.levelname for record in caplog.records if record.message == "an event was buried"] == ["ERROR"]


async def test_many_poison_events_bury_only_themselves(poisoned: Stage, channel: str) -> None:
    people = [f"p{number}" for number in range(6)]
    for number, who in enumerate(people):
        for step, words in enumerate(["thuốc độc", f"chào {number} xyzt"]):
            event = text_event(poisoned, channel, words, step, seconds=step / 100, who=who)
            assert await poisoned.webhook(channel, event) == 200
    await until_dead(poisoned, 6)
    await poisoned.quiet()
    assert sorted(poisoned.heard()) == sorted(f"nghe: chào {number} xyzt" for number in range(6))


@pytest.mark.parametrize("point", ["t2.taken", "t3.written", "t3.committed", "t4.committed", "t5.written"])
async def test_a_failure_at_any_step_is_made_good(stage: Stage, channel: str, point: str) -> None:
    """The step fails once, as a lost connection would make it; the effect is there once all the same."""
    faults.arm(f"{point}:raise")
    await stage.taken(stage.says(channel))
    for _ in range(5):
        await asyncio.sleep(0.3)
        stage.clock.pass_by(seconds=31)
        await stage.tick("outbox.sweep")
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await stage.lines(channel) == [("customer", ASK), ("bot", ANSWER)]
    assert await stage.states() == ["sent"]
    assert await stage.read(inbox.dead) == []


async def test_what_an_undone_batch_had_written_down_as_sent_is_written_down_by_the_next(
    stage: Stage, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.outbox.NOTED_WITHIN_S", 2.0)
    await stage.webhook(channel, text_event(stage, channel, ASK, 1))
    async with asyncio.timeout(5):
        while not stage.heard():  # noqa: ASYNC110 - the journal sets no event
            await asyncio.sleep(0.01)
    faults.arm("t3.written:raise")
    await stage.webhook(channel, text_event(stage, channel, ASK, 2))
    await stage.quiet()
    assert stage.heard() == [ANSWER, ANSWER]
    assert await stage.states() == ["sent", "sent"]
    assert await stage.dead() == []
