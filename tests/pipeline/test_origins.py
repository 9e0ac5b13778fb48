"""What brought a person is kept with them: links, advertisements, and when they first spoke after one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import pytest
from sqlmodel import Session, select

from simulator import messenger_events, speech
from simulator.people import MESSENGER
from storage.customers import Identity
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

AD: dict[str, Any] = {
    "ref": "camp_1111",
    "ad_id": "120210000000000001",
    "source": "ADS",
    "type": "OPEN_THREAD",
    "ads_context_data": {"ad_title": "Sale cuối năm", "photo_url": "https://scontent.xx.fbcdn.net/ad.jpg"},
}


@pytest.fixture
async def stage(database_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product between its platforms, on each engine."""
    async with playing(database_url, clock) as running:
        yield running


async def known(stage: Stage) -> tuple[Any, ...]:
    """What is kept of how Lan came: words, source, advertisement, silent since, first message."""

    def look(session: Session) -> tuple[Any, ...]:
        found = session.exec(select(Identity)).one()
        moments = (found.ad_silent_since, found.ad_first_message_at)
        return (
            found.referral,
            found.referral_source,
            found.ad_id,
            found.ad_title,
            *(each and each.astimezone(UTC) for each in moments),
        )

    return await stage.read(look)


async def clicks(stage: Stage, key: str, content: dict[str, Any]) -> None:
    """An event of Lan's, as Facebook tells it."""
    contact = stage.contact(MESSENGER)
    speech.touch(stage.platform, contact)
    body = messenger_events.from_person(stage.platform.config, contact, key, content, stage.clock())
    assert await stage.webhook(MESSENGER, body) == 200
    await stage.until(lambda session: bool(session.exec(select(Identity)).all()))
    await stage.quiet()


async def test_a_message_that_comes_from_an_advertisement_tells_which_and_when(stage: Stage) -> None:
    at = stage.clock()
    await clicks(stage, "message", {"mid": "m_1", "text": "Tư vấn giúp mình", "referral": AD})
    stage.clock.pass_by(hours=1)
    await stage.said(MESSENGER)
    assert await known(stage) == ("camp_1111", "ads", AD["ad_id"], "Sale cuối năm", None, at)


async def test_the_first_words_after_a_click_in_a_known_conversation_are_noted(stage: Stage) -> None:
    await stage.said(MESSENGER)
    clicked = stage.clock.pass_by(minutes=5)
    await clicks(stage, "referral", AD)
    assert await known(stage) == ("camp_1111", "ads", AD["ad_id"], "Sale cuối năm", clicked, None)
    spoke = stage.clock.pass_by(minutes=5)
    await stage.said(MESSENGER)
    stage.clock.pass_by(minutes=5)
    await stage.said(MESSENGER)
    assert (await known(stage))[4:] == (None, spoke)


async def test_words_from_before_the_click_that_come_late_are_not_taken_for_the_first(stage: Stage) -> None:
    clicked = stage.clock()
    await clicks(stage, "referral", AD)
    stage.clock.pass_by(minutes=-5)
    await clicks(stage, "message", {"mid": "m_late", "text": "alo"})
    assert (await known(stage))[4:] == (clicked, None)


async def test_a_link_is_kept_and_leaves_the_advertisement_alone(stage: Stage) -> None:
    await clicks(stage, "message", {"mid": "m_1", "text": "Tư vấn", "referral": AD})
    before = await known(stage)
    link = {"ref": "qr_store_01", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    await clicks(stage, "postback", {"mid": "m_2", "title": "Bắt đầu", "payload": "GET_STARTED", "referral": link})
    assert await known(stage) == ("qr_store_01", "shortlink", *before[2:])


async def test_a_start_from_an_advertisement_counts(stage: Stage) -> None:
    at = stage.clock()
    await clicks(stage, "postback", {"mid": "m_1", "title": "Bắt đầu", "payload": "GET_STARTED", "referral": AD})
    assert (await known(stage))[2:] == (AD["ad_id"], "Sale cuối năm", None, at)
