"""What comes back: our own messages, lost answers, humans in the platform's own tool, other apps."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot import upkeep
from bot.upkeep import LOOKS
from crm.messages import Purpose
from simulator import messenger_events, speech, zalo_events
from simulator.people import MESSENGER, ZALO
from storage import faults, outbox, transcripts
from storage.columns import hashed_id
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, ASK, Json, Stage, playing
from tests.storage.rows import transaction


async def test_the_bot_does_not_answer_itself(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    assert stage.heard() == [ANSWER]
    assert await stage.lines(channel) == [("customer", ASK), ("bot", ANSWER)]
    assert await stage.states() == ["sent"]


async def test_an_answer_that_was_lost_is_settled_by_the_echo(stage: Stage, channel: str) -> None:
    stage.goes_wrong("lost_response", path="message")
    await stage.said(channel)
    stage.clock.pass_by(hours=1)
    await stage.tick("outbox.sweep")
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await stage.states() == ["sent"]
    assert await stage.lines(channel) == [("customer", ASK), ("bot", ANSWER)]


async def test_half_an_answer_is_settled_by_the_echo(stage: Stage, channel: str) -> None:
    stage.goes_wrong("half_body", path="message")
    await stage.said(channel)
    stage.clock.pass_by(hours=1)
    await stage.tick("outbox.sweep")
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert await stage.states() == ["sent"]


async def test_without_an_echo_a_lost_answer_is_looked_up_in_the_conversation(
    sqlite_url: str, clock: Clock, channel: str
) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.goes_wrong("lost_response", path="message")
        await stage.said(channel)
        assert await stage.states() == ["unknown"]
        clock.pass_by(seconds=29)
        await stage.tick("outbox.sweep")
        assert await stage.states() == ["unknown"], "the echo still has its 30 seconds"
        clock.pass_by(seconds=1)
        await stage.tick("outbox.sweep")
        assert await stage.states() == ["sent"]
        assert stage.heard() == [ANSWER]


async def test_one_sweep_settles_more_than_it_looks_for_at_once(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.goes_wrong("lost_response", path="message", times=3 * LOOKS)
        for number in range(2 * LOOKS + 1):
            await stage.taken(stage.says(channel, who=f"p{number}"))
        await stage.quiet()
        assert set(await stage.states()) == {"unknown"}
        clock.pass_by(seconds=30)
        await stage.tick("outbox.sweep")
        assert set(await stage.states()) == {"sent"}


async def test_one_that_cannot_be_settled_leaves_the_others_to_be(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.goes_wrong("lost_response", path="message", times=3)
        for number in range(3):
            await stage.taken(stage.says(channel, who=f"p{number}"))
        await stage.quiet()

        def spoil(session: Session) -> None:
            session.connection().execute(text("UPDATE outbox SET body = '?' WHERE id = (SELECT min(id) FROM outbox)"))

        await stage.service.database.write(spoil)
        clock.pass_by(seconds=30)
        await upkeep.enqueue(stage.service.database, "outbox.sweep", clock())
        await stage.until(lambda session: _states(session).count("sent") == 2)
        assert sorted(await stage.states()) == ["sent", "sent", "unknown"]


def _states(session: Session) -> list[str]:
    return list(session.connection().execute(text("SELECT state FROM outbox")).scalars())


async def test_a_reply_that_cannot_be_found_is_sent_once_more_and_never_again(
    sqlite_url: str, clock: Clock, channel: str
) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        for _ in range(2):
            stage.goes_wrong("reset", path="message")
        stage.goes_wrong("status", path="conversation", times=9)
        await stage.said(channel)
        for _ in range(4):
            clock.pass_by(minutes=1)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert stage.platform.faults.calls[0].path == "conversation", "both sends met their fault"
        assert stage.heard() == []
        assert await stage.states() == ["unknown"]


async def test_a_transaction_waits_ten_minutes_before_it_is_sent_once_more(
    sqlite_url: str, clock: Clock, channel: str
) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await stage.said(channel)
        stage.goes_wrong("reset", path="message")
        await stage.send(channel, "Đơn 7 đã giao", Purpose.TRANSACTION)
        await stage.quiet()
        clock.pass_by(seconds=599)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        assert await stage.states() == ["sent", "unknown"]
        clock.pass_by(seconds=1)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        assert stage.heard() == [ANSWER, "Đơn 7 đã giao"]


async def test_marketing_of_unknown_outcome_is_never_sent_again(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await stage.said(channel, "bắt đầu nhận tin")
        before = len(stage.heard())
        stage.goes_wrong("reset", path="message")
        await stage.send(channel, "Khuyến mãi", Purpose.BROADCAST)
        await stage.quiet()
        for _ in range(5):
            clock.pass_by(hours=1)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert len(stage.heard()) == before
        assert (await stage.states())[-1] == "unknown"


async def test_an_echo_may_come_before_the_answer(stage: Stage, channel: str) -> None:
    """The platform tells of our message while its answer to the call is still on the way."""
    stage.goes_wrong("lost_response", path="message")
    contact = stage.contact(channel)
    await stage.said(channel)
    echoed = stage.calls()[0]
    again = (
        zalo_events.from_oa(
            stage.platform.config, contact, "oa_send_text", {"text": ANSWER, "msg_id": echoed.message_id}, stage.clock()
        )
        if channel == ZALO
        else messenger_events.echo(
            stage.platform.config, contact, {"mid": echoed.message_id, "text": ANSWER},
            int(stage.platform.config.messenger_app_id), stage.clock(),
        )
    )  # fmt: skip
    assert await stage.webhook(channel, again) == 200
    await stage.quiet()
    assert await stage.lines(channel) == [("customer", ASK), ("bot", ANSWER)]
    assert await stage.states() == ["sent"]


@pytest.mark.parametrize(("channel", "refused"), [(ZALO, -204), (MESSENGER, 368)])
async def test_what_the_bot_had_not_said_yet_is_withdrawn_when_staff_speak(
    stage: Stage, channel: str, refused: int
) -> None:
    stage.goes_wrong("code", path="message", code=refused)
    await stage.said(channel)
    await stage.taken(stage.says(channel, who="minh"))
    await stage.until(lambda session: outbox.totals(session).waiting == 2)
    await stage.taken(speech.staff_says(stage.platform, stage.contact(channel), "Mình đây ạ").delivery)
    await stage.until(lambda session: outbox.totals(session).waiting == 1)
    assert sorted(await stage.states()) == ["waiting", "withdrawn"]
    stage.clock.pass_by(hours=20)
    await stage.quiet()
    assert [call.person for call in stage.calls()] == ["minh"]
    assert await stage.read(outbox.dead) == []


async def test_a_person_of_the_brand_who_answers_silences_the_bot(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    human = speech.staff_says(stage.platform, stage.contact(channel), "Chào bạn, mình là Mai").delivery
    await stage.taken(human)
    await stage.quiet()
    await stage.said(channel)
    assert stage.heard() == [ANSWER]
    assert await stage.lines(channel) == [
        ("customer", ASK), ("bot", ANSWER), ("staff", "Chào bạn, mình là Mai"), ("customer", ASK),
    ]  # fmt: skip


async def test_a_message_of_another_app_is_kept_and_not_answered(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    contact, config = stage.contact(channel), stage.platform.config
    if channel == ZALO:
        told = {"text": "Tin của ứng dụng khác", "msg_id": "another-1"}
        body = zalo_events.from_oa(config, contact, "oa_send_text", told, stage.clock())
    else:
        told = {"mid": "m_another", "text": "Tin của ứng dụng khác"}
        body = messenger_events.echo(config, contact, told, 777, stage.clock())
    assert await stage.webhook(channel, body) == 200
    await stage.quiet()
    assert stage.heard() == [ANSWER]
    assert (await stage.lines(channel))[-1][1] == "Tin của ứng dụng khác"
    await stage.said(channel)
    assert len(stage.heard()) >= 1


async def test_two_equal_answers_whose_answers_were_lost_are_both_settled(stage: Stage) -> None:
    """Zalo's echo carries no mark of ours: the oldest unknown one with these words is meant."""
    stage.goes_wrong("lost_response", path="message", times=2)
    await stage.said(ZALO)
    stage.clock.pass_by(seconds=2)
    await stage.said(ZALO)
    assert await stage.states() == ["sent", "sent"]
    assert stage.heard() == [ANSWER, ANSWER]


async def test_a_receipt_that_waits_beside_its_echo_is_not_lost(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, receipts=True) as stage:
        stage.goes_wrong("lost_response", path="message")
        await stage.taken(stage.says(channel))
        await stage.until(
            lambda session: session.connection().execute(text("SELECT id FROM outbox")).first() is not None
        )
        faults.arm("t2.taken:sleep")
        await stage.says(channel, ASK, "minh").status
        await stage.quiet()
        person = await stage.person(channel)
        lines = await stage.read(lambda session: transcripts.latest(session, person.identity_id))
        assert [(line.author, line.delivered_at is not None) for line in lines] == [("customer", False), ("bot", True)]


async def test_an_echo_of_somebody_elses_message_settles_nothing(stage: Stage) -> None:
    """Metadata with the number of another person's message proves nothing."""
    stage.goes_wrong("reset", path="message")
    await stage.said(MESSENGER)
    outbox_id = await stage.read(lambda session: session.connection().execute(text("SELECT id FROM outbox")).scalar())
    minh = stage.contact(MESSENGER, "minh")
    await stage.said(MESSENGER, who="minh")
    forged = {"mid": "m_forged", "text": ANSWER, "metadata": f"kq:{outbox_id}"}
    config = stage.platform.config
    body = messenger_events.echo(config, minh, forged, int(config.messenger_app_id), stage.clock())
    assert await stage.webhook(MESSENGER, body) == 200
    await stage.quiet()
    assert (await stage.states())[0] == "unknown"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_echoes_and_answers_of_the_same_messages_do_not_lock_each_other_out(
    database_url: str, clock: Clock
) -> None:
    """Both mark several messages in one transaction: whoever comes second must wait, not deadlock."""
    async with playing(database_url, clock, echoes=False) as stage:
        await stage.said(MESSENGER, who="lan")
        await stage.said(MESSENGER, who="minh")
        by_thread = sorted(("lan", "minh"), key=lambda who: _thread_of(stage, who), reverse=True)
        for who in by_thread:
            stage.goes_wrong("reset", path="message")
            await stage.said(MESSENGER, who=who)
        low, high = await stage.read(_unknown_ids)
        with transaction(database_url) as session:
            outbox.sent(session.connection(), [outbox.Sent(low, "m_low", "", clock())])
            faults.arm("t2.taken:sleep")
            await stage.taken(stage.says(MESSENGER, who="huong"))
            await asyncio.sleep(0.1)
            for who, outbox_id in zip(by_thread, (low, high), strict=True):
                assert await stage.webhook(MESSENGER, _echo_of(stage, who, outbox_id)) == 200
            await asyncio.sleep(2.5)
            outbox.sent(session.connection(), [outbox.Sent(high, "m_high", "", clock())])
        await stage.quiet()
        assert set(await stage.states()) == {"sent"}


def _thread_of(stage: Stage, who: str) -> int:
    contact = stage.contact(MESSENGER, who)
    return hashed_id(MESSENGER, stage.platform.config.messenger_page_id, contact.user_id)


def _unknown_ids(session: Session) -> list[int]:
    return list(
        session.connection().execute(text("SELECT id FROM outbox WHERE state = 'unknown' ORDER BY id")).scalars()
    )


def _echo_of(stage: Stage, who: str, outbox_id: int) -> Json:
    message = {"mid": f"m_{outbox_id}", "text": ANSWER, "metadata": f"kq:{outbox_id}"}
    config = stage.platform.config
    return messenger_events.echo(
        config, stage.contact(MESSENGER, who), message, int(config.messenger_app_id), stage.clock()
    )
