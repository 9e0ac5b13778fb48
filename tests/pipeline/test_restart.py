"""A new start after a crash: what an earlier process held is free, and what it was sending is found out first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm.messages import Purpose
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing


def left_in_flight(session: Session) -> None:
    """A process died while it was sending everything that is there."""
    session.connection().execute(
        text("UPDATE outbox SET state = 'sending', message_id = '', lease_owner = 'dead', lease_until = :until"),
        {"until": "2099-01-01 00:00:00.000000"},
    )


async def crashed(stage: Stage, channel: str, purpose: Purpose) -> None:
    """The product died after the platform took a message and before that was written down."""
    await stage.said(channel, "bắt đầu nhận tin")
    await stage.send(channel, ANSWER, purpose)
    await stage.quiet()
    await stage.service.database.write(
        lambda session: session.connection().execute(text("DELETE FROM message WHERE author = 'bot'")) and None
    )
    await stage.service.database.write(
        lambda session: session.connection().execute(text("DELETE FROM outbox WHERE body NOT LIKE '%điểm%'")) and None
    )
    await stage.service.database.write(left_in_flight)


@pytest.mark.parametrize(
    ("purpose", "wait"), [(Purpose.REPLY, timedelta(seconds=30)), (Purpose.TRANSACTION, timedelta(minutes=10))]
)
async def test_what_was_in_flight_is_left_its_time_for_an_echo_before_it_is_sent_again(
    sqlite_url: str, clock: Clock, channel: str, purpose: Purpose, wait: timedelta
) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await crashed(stage, channel, purpose)
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.contact(channel).last_interaction = stage.contact(channel).last_message = clock()
        if purpose is Purpose.REPLY:
            stage.goes_wrong("status", path="conversation", times=9)
        assert await stage.states() == ["unknown"]
        await stage.tick("outbox.sweep")
        clock.now += wait - timedelta(seconds=1)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        assert await stage.states() == ["unknown"]
        assert stage.heard() == []
        clock.pass_by(seconds=1)
        await stage.tick("outbox.sweep")
        await stage.quiet()
        assert stage.heard() == [ANSWER]
        assert await stage.states() == ["sent"]


async def test_an_order_notice_that_cannot_be_looked_for_is_not_sent_again(
    sqlite_url: str, clock: Clock, channel: str
) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await crashed(stage, channel, Purpose.TRANSACTION)
    async with playing(sqlite_url, clock, echoes=False) as stage:
        stage.goes_wrong("status", path="conversation", times=99)
        for _ in range(3):
            clock.pass_by(minutes=11)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert stage.heard() == []
        assert await stage.states() == ["unknown"]


async def test_marketing_that_was_in_flight_is_not_sent_again(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, echoes=False) as stage:
        await crashed(stage, channel, Purpose.BROADCAST)
    async with playing(sqlite_url, clock, echoes=False) as stage:
        for _ in range(3):
            clock.pass_by(hours=1)
            await stage.tick("outbox.sweep")
            await stage.quiet()
        assert stage.heard() == []
        assert await stage.states() == ["unknown"]


async def test_what_waited_goes_out_after_a_new_start(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock) as stage:
        stage.goes_wrong("status", path="message", status=429, retry_after="600")
        await stage.said(channel)
        assert await stage.states() == ["waiting"]
    clock.pass_by(minutes=11)
    async with playing(sqlite_url, clock) as stage:
        stage.contact(channel).last_interaction = stage.contact(channel).last_message = clock()
        await stage.quiet()
        assert stage.heard() == [ANSWER]
