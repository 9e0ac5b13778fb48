"""After the doors were shut, what people wrote meanwhile is read from the platforms: recorded once, answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from bot.catchup import Catchup
from bot.doorkeeper import Doorkeeper
from bot.jobs import Later
from simulator import speech
from simulator.faults import Fault
from simulator.people import MESSENGER, ZALO
from simulator.platform import Platform
from simulator.speech import Said
from simulator.webhooks_out import Delivery
from storage import accounts, alarms, catchup, faults, jobs
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, ASK, PATIENCE_S, Stage, product, simulated
from tests.pipeline.test_order import customer_lines

DOWN = timedelta(hours=3)
STEP = timedelta(seconds=10)


def outage(platform: Platform) -> None:
    """From now on no webhook reaches the bot, and none comes again."""
    platform.faults.add(Fault("outage", times=10_000))


async def unheard(platform: Platform, said: Said) -> Delivery:
    """Somebody did something of which the bot is not told."""
    await platform.courier.idle()
    assert said.delivery is not None
    return said.delivery


async def writes(platform: Platform, channel: str, words: str = ASK, who: str = "lan") -> Delivery:
    """Somebody writes, and the bot is not told."""
    return await unheard(platform, speech.say_text(platform, platform.people.meet(channel, who, platform.now()), words))


async def step(stage: Stage) -> None:
    """Let the time of one page pass, and wait until it was read."""
    before = await stage.read(
        lambda session: [(span.round, span.calls, span.ended_at) for span in catchup.everyone(session)]
    )
    stage.clock.now += STEP
    stage.service.database.topic(jobs.TOPIC).set()
    for _ in range(40):
        await asyncio.sleep(0.02)
        spans = await stage.read(catchup.everyone)
        if [(span.round, span.calls, span.ended_at) for span in spans] != before:
            return


async def caught_up(stage: Stage) -> int:
    """Wait until nothing is left to be read; how many events were found."""
    async with asyncio.timeout(PATIENCE_S * 2):
        while await stage.read(catchup.under_way):
            await step(stage)
    await stage.quiet()
    return sum(span.found for span in await stage.read(catchup.everyone))


@asynccontextmanager
async def after_an_outage(database_url: str, clock: Clock, platform: Platform, **more: Any) -> AsyncIterator[Stage]:
    """The product starts again three hours after `shut`."""
    platform.faults.clear()
    async with product(database_url, clock, platform, **more) as stage:
        yield stage


async def shut(database_url: str, clock: Clock, platform: Platform) -> None:
    """The product ran, and stopped."""
    async with product(database_url, clock, platform) as stage:
        assert await stage.read(catchup.everyone) == []
    outage(platform)


async def test_twenty_people_who_wrote_while_the_bot_was_down_are_answered_once(
    database_url: str, clock: Clock
) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        said: list[Delivery] = []
        for number in range(20):
            clock.now += DOWN / 22
            channel = (ZALO, MESSENGER)[number % 2]
            contact = platform.people.meet(channel, f"p{number}", clock())
            if number in (4, 5):
                url = platform.media.url(platform.media.sample())
                said.append(await unheard(platform, speech.say_media(platform, contact, "image", url)))
            elif number in (6, 7):
                button = "kq:loyalty.balance" if channel == ZALO else "Xem điểm"
                said.append(await unheard(platform, speech.press(platform, contact, button)))
            else:
                said.append(await writes(platform, channel, ASK, contact.person.id))
        clock.now += DOWN / 22
        assert platform.courier.tally.delivered == 0
        async with after_an_outage(database_url, clock, platform) as stage:
            for delivery in said[:4]:
                assert await stage.post(delivery.channel, delivery.raw, delivery.headers) == 200
            await step(stage)
            await step(stage)
        async with product(database_url, clock, platform) as stage:
            await caught_up(stage)
            for delivery in said[2:8]:
                assert await stage.post(delivery.channel, delivery.raw, delivery.headers) == 200
            await stage.quiet()
            for number in range(20):
                channel, who = (ZALO, MESSENGER)[number % 2], f"p{number}"
                assert len(await customer_lines(stage, channel, who)) == 1, (channel, who)
                assert len(stage.heard(channel, who)) == 1, (channel, who, stage.heard(channel, who))
            assert sum(words == ANSWER for words in stage.heard()) >= 16
            assert await stage.dead() == []


async def test_a_late_reading_moves_no_window_back(database_url: str, clock: Clock, channel: str) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        clock.now += timedelta(hours=1)
        await writes(platform, channel)
        clock.now += timedelta(hours=2)
        async with after_an_outage(database_url, clock, platform) as stage:
            await stage.taken(stage.says(channel, "xin chào"))
            latest = clock()
            assert await caught_up(stage) in (1, 2)
            person = await stage.person(channel)
            assert person.last_interaction_at is not None and person.last_interaction_at >= latest
            assert sorted(await customer_lines(stage, channel)) == sorted([ASK, "xin chào"])
            assert stage.heard().count(ANSWER) == 1


@pytest.mark.parametrize("webhook_first", [True, False])
async def test_a_line_that_comes_both_ways_has_one_effect(
    database_url: str, clock: Clock, channel: str, webhook_first: bool
) -> None:
    async with simulated(clock, echoes=False) as platform:
        await shut(database_url, clock, platform)
        clock.now += timedelta(minutes=20)
        contact = platform.people.meet(channel, "lan", clock())
        url = platform.media.url(platform.media.sample())
        deliveries = [
            speech.say_text(platform, contact, ASK).delivery,
            speech.say_media(platform, contact, "image", url).delivery,
            speech.say_sticker(platform, contact, "").delivery,
            speech.say_location(platform, contact, 10.76, 106.66).delivery,
            speech.press(platform, contact, "Xem điểm").delivery,
            speech.say_text(platform, contact, "https://example.vn/a").delivery,
        ]
        await platform.courier.idle()
        platform.faults.clear()
        if webhook_first:
            path = {ZALO: "oa/listrecentchat", MESSENGER: "/conversations"}[channel]
            platform.faults.add(Fault("status", path=path, status=503, retry_after="60"))
        async with product(database_url, clock, platform) as stage:
            if not webhook_first:
                assert await caught_up(stage) == len(deliveries)
            for delivery in deliveries:
                assert delivery is not None
                assert await stage.post(channel, delivery.raw, delivery.headers) == 200
                await stage.quiet()
            found = await caught_up(stage)
            assert found == (0 if webhook_first else len(deliveries))
            assert len(await customer_lines(stage, channel)) == len(deliveries)
            assert await stage.dead() == []


async def test_a_question_that_somebody_answered_meanwhile_is_left_to_a_person(
    database_url: str, clock: Clock, channel: str
) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        clock.now += timedelta(hours=1)
        contact = platform.people.meet(channel, "lan", clock())
        speech.say_text(platform, contact, ASK)
        clock.now += timedelta(minutes=5)
        speech.staff_says(platform, contact, "Dạ để mình kiểm tra ạ")
        await platform.courier.idle()
        clock.now += timedelta(hours=1)
        async with after_an_outage(database_url, clock, platform) as stage:
            assert await caught_up(stage) == 2
            assert stage.heard() == []
            assert await stage.lines(channel) == [("customer", ASK), ("app", "Dạ để mình kiểm tra ạ")]
            person = await stage.person(channel)
            assert person.waiting_since is not None and person.waiting_since < clock() - timedelta(hours=1)
            await stage.said(channel)
            assert stage.heard() == [ANSWER]


async def test_a_question_of_three_days_ago_is_recorded_and_left_to_a_person(
    database_url: str, clock: Clock, channel: str
) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        said_at = clock()
        await writes(platform, channel)
        clock.now += timedelta(days=3)
        async with after_an_outage(database_url, clock, platform) as stage:
            assert await caught_up(stage) == 1
            assert stage.heard() == []
            assert await customer_lines(stage, channel) == [ASK]
            assert (await stage.person(channel)).waiting_since == said_at


async def test_our_own_answers_are_not_taken_for_somebody_elses(database_url: str, clock: Clock, channel: str) -> None:
    async with simulated(clock, echoes=False) as platform:
        async with product(database_url, clock, platform) as stage:
            await stage.said(channel)
            assert stage.heard() == [ANSWER]
        clock.now += timedelta(minutes=1)
        async with after_an_outage(database_url, clock, platform) as stage:
            assert await caught_up(stage) == 0
            assert [author for author, _ in await stage.lines(channel)] == ["customer", "bot"]
            assert stage.heard() == [ANSWER]


async def forget_the_ends(stage: Stage) -> None:
    """Let nobody know how the sends so far ended, as after a fall at the worst moment."""
    lost = text("UPDATE outbox SET state = 'unknown', message_id = '', ready_at = :never")
    never = {"never": "2099-01-01 00:00:00.000000"}
    await stage.service.database.write(lambda session: session.connection().execute(lost, never) and None)


async def test_a_send_of_unknown_end_is_settled_by_what_was_read(database_url: str, clock: Clock, channel: str) -> None:
    async with simulated(clock, echoes=False) as platform:
        async with product(database_url, clock, platform) as stage:
            await stage.said(channel)
            await forget_the_ends(stage)
        clock.now += timedelta(minutes=1)
        async with after_an_outage(database_url, clock, platform) as stage:
            await caught_up(stage)
            assert await stage.states() == ["sent"]
            assert [author for author, _ in await stage.lines(channel)] == ["customer", "bot"]


async def test_a_line_that_our_own_answer_to_another_overtook_is_answered(
    database_url: str, clock: Clock, channel: str
) -> None:
    async with simulated(clock, echoes=False, retries=False) as platform:
        outage(platform)
        held_up = await writes(platform, channel, "xin chào")
        platform.faults.clear()
        clock.now += timedelta(seconds=5)
        async with product(database_url, clock, platform) as stage:
            await stage.said(channel)
            await forget_the_ends(stage)
        clock.now += timedelta(minutes=1)
        async with product(database_url, clock, platform, worker=False) as stage:
            assert await stage.post(channel, held_up.raw, held_up.headers) == 200
            await read_by_hand(stage, channel)
        async with product(database_url, clock, platform) as stage:
            await stage.quiet()
            assert len(stage.heard()) == 2
            assert await stage.states() == ["sent", "sent"]
            assert (await stage.person(channel)).waiting_since is None


async def read_by_hand(stage: Stage, channel: str) -> None:
    """Read back what one channel's span holds, without a worker to do it."""
    reading = Catchup(stage.service.database, stage.service.channels, stage.service.accounts, {}, stage.clock)
    spans = {span.channel: span.account_id for span in await stage.read(catchup.under_way)}
    while channel in {span.channel for span in await stage.read(catchup.under_way)}:
        with suppress(Later):
            await reading.step({"channel": channel, "account_id": spans[channel]})


async def test_no_catch_up_after_ten_seconds_or_on_the_first_start(database_url: str, clock: Clock) -> None:
    async with simulated(clock) as platform:
        for _ in range(2):
            async with product(database_url, clock, platform) as stage:
                assert await stage.read(catchup.everyone) == []
            clock.now += timedelta(seconds=9)


async def test_a_process_that_stood_still_reads_what_it_missed(database_url: str, clock: Clock) -> None:
    uptime = 0.0
    async with simulated(clock) as platform, product(database_url, clock, platform) as stage:
        before = clock.now
        async with Doorkeeper(stage.service, clock, lambda: uptime).attending():
            clock.now, uptime = clock.now + timedelta(seconds=90), 90.0
        spans = await stage.read(catchup.everyone)
    assert {span.channel for span in spans} == {ZALO, MESSENGER}
    assert all(span.since < before and span.until > clock.now and span.round == 1 for span in spans)


async def test_what_a_door_answered_with_503_is_read(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with simulated(clock, retries=False) as platform, product(sqlite_url, clock, platform) as stage:
        status, said = 200, 0
        while status == 200:
            # What shares a transaction with other work is tried once more by itself.
            faults.arm("t1.inserted:raise")
            status, said = await stage.says(channel).status or 0, said + 1
            await stage.quiet()
        assert status == 503
        await stage.until(lambda session: bool(catchup.everyone(session)))
        assert await caught_up(stage) == 1
        assert len(await customer_lines(stage, channel)) == said


@pytest.mark.parametrize(
    ("fault", "more"),
    [("status", {"status": 503, "retry_after": "60"}), ("hang", {"seconds": 0.1})],
)
async def test_a_platform_in_trouble_is_asked_again_later(
    database_url: str, clock: Clock, channel: str, fault: str, more: dict[str, Any]
) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        await writes(platform, channel)
        clock.now += DOWN
        async with after_an_outage(database_url, clock, platform) as stage:
            host, path = {ZALO: ("zalo", "oa/conversation"), MESSENGER: ("graph", "/conversations")}[channel]
            stage.goes_wrong(fault, host=host, path=path, **more)
            assert await caught_up(stage) == 1
            assert stage.heard() == [ANSWER]


async def test_a_token_that_died_is_refreshed_on_the_way(database_url: str, clock: Clock) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        await writes(platform, ZALO)
        clock.now += DOWN
        async with after_an_outage(database_url, clock, platform) as stage:
            stage.goes_wrong("token_expired", host="zalo", path="oa/conversation")
            assert await caught_up(stage) == 1
            assert stage.heard() == [ANSWER]


async def test_a_platform_that_refuses_for_good_rings(database_url: str, clock: Clock) -> None:
    async with simulated(clock) as platform:
        await shut(database_url, clock, platform)
        clock.now += DOWN
        platform.faults.clear()
        async with product(database_url, clock, platform) as stage:
            stage.goes_wrong("code", path="conversations", times=99, code=10)
            await caught_up(stage)
            rung = await stage.read(alarms.unsolved)
            assert [(alarm.kind, alarm.subject) for alarm in rung] == [
                ("catchup_refused", f"messenger:{platform.config.messenger_page_id}")
            ]
            assert "by hand" in rung[0].words


async def asked(stage: Stage) -> None:
    """Let the OA's last hour be read again."""
    now, account_id = stage.clock(), stage.platform.config.zalo_oa_id
    ask = partial(catchup.ask, channel=ZALO, account_id=account_id, since=now - timedelta(hours=1), until=now, now=now)
    await stage.service.database.write(ask)


async def rung(stage: Stage) -> list[str]:
    """The kinds of alarms that are open."""
    return [alarm.kind for alarm in await stage.read(alarms.unsolved)]


async def test_a_reading_whose_job_was_given_up_ends_and_rings(database_url: str, clock: Clock) -> None:
    async with simulated(clock) as platform, product(database_url, clock, platform, worker=False) as stage:
        await asked(stage)
        reader = Catchup(stage.service.database, stage.service.channels, stage.service.accounts, {}, clock)
        await reader.watch({})
        assert [span.ended_at for span in await stage.read(catchup.everyone)] == [None], "its job waits"
        bury = text("UPDATE job SET state = 'dead' WHERE kind = 'catchup'")
        await stage.service.database.write(lambda session: session.connection().execute(bury).rowcount)
        await reader.watch({})
        (span,) = await stage.read(catchup.everyone)
        assert span.ended_at == clock() and "dead list" in span.trouble
        assert await rung(stage) == ["catchup_refused"]


async def test_a_reading_that_waits_for_its_account_rings_after_an_hour_until_it_goes_on(
    database_url: str, clock: Clock
) -> None:
    async with simulated(clock) as platform, product(database_url, clock, platform, worker=False) as stage:
        living = stage.service.accounts
        reader = Catchup(stage.service.database, stage.service.channels, living, {}, clock)

        async def hold(why: str) -> None:
            (key,) = [each.id for each in await stage.read(accounts.everyone) if each.channel == ZALO]
            await stage.service.database.write(partial(accounts.change, account=key, held=why))
            await living.reload()

        await hold("somebody took the right away")
        await asked(stage)
        payload = {"channel": ZALO, "account_id": platform.config.zalo_oa_id}
        for minutes, kinds in ((59, []), (1, ["catchup_waits"])):
            with pytest.raises(Later):
                await reader.step(payload)
            clock.pass_by(minutes=minutes)
            await reader.watch({})
            assert await rung(stage) == kinds
        await hold("")
        with suppress(Later):
            while await stage.read(catchup.under_way):
                await reader.step(payload)
        await reader.watch({})
        assert await rung(stage) == []
