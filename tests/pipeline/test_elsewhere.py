"""A conversation that the Page's inbox or another app holds: the bot listens, stays silent, and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm.messages import Purpose
from simulator import speech
from simulator.people import MESSENGER
from simulator.speech import Said
from storage import conversations
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

DELIVERED = "Đơn 7 đã giao"


@pytest.fixture
async def stage(database_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product between its platforms, on each engine; the Page has a default app, so its inbox takes threads."""
    async with playing(database_url, clock, inbox_takes_threads=True) as running:
        yield running


async def goes(stage: Stage, *, to_inbox: bool) -> None:
    """The Page's inbox takes the conversation, or gives it back, and we hear of it."""
    await after(stage, speech.give_thread(stage.platform, stage.contact(MESSENGER), to_inbox=to_inbox))


async def after(stage: Stage, said: Said) -> None:
    """All that follows from it is over."""
    await stage.taken(said.delivery)
    await stage.quiet()


async def errors(stage: Stage) -> list[str]:
    """Why messages were not sent, oldest first."""
    query = text("SELECT error FROM outbox ORDER BY id")
    return list(await stage.read(lambda session: session.connection().execute(query).scalars().all()))


async def test_while_the_inbox_holds_it_the_bot_keeps_what_is_said_and_is_silent(stage: Stage) -> None:
    await stage.said(MESSENGER)
    await goes(stage, to_inbox=True)
    await stage.said(MESSENGER, "Mình muốn đổi món")
    person = await stage.person(MESSENGER)
    assert stage.heard() == [ANSWER]
    assert (await stage.lines(MESSENGER))[-1] == ("customer", "Mình muốn đổi món")
    assert person.holder == conversations.ELSEWHERE
    assert person.waiting_since == stage.clock()
    assert person.last_interaction_at == stage.clock()


async def test_an_answer_in_the_inbox_ends_the_waiting_and_the_bot_comes_back_with_the_thread(stage: Stage) -> None:
    await stage.said(MESSENGER)
    await after(stage, speech.staff_says(stage.platform, stage.contact(MESSENGER), "Dạ mình xem giúp"))
    stage.clock.pass_by(minutes=1)
    await stage.said(MESSENGER, "Cảm ơn")
    await after(stage, speech.staff_says(stage.platform, stage.contact(MESSENGER), "Không có gì ạ"))
    assert (await stage.person(MESSENGER)).waiting_since is None
    await goes(stage, to_inbox=False)
    assert (await stage.person(MESSENGER)).holder == conversations.BOT
    await stage.said(MESSENGER)
    assert stage.heard() == [ANSWER] * 2


async def test_a_reply_that_another_app_shuts_out_is_withdrawn_and_the_customer_waits(stage: Stage) -> None:
    stage.goes_wrong("code", host="graph", path="/messages", code=10, subcode=2018300)
    await stage.taken(stage.says(MESSENGER))
    await stage.until(_is_waited)
    await stage.quiet()
    person = await stage.person(MESSENGER)
    assert stage.heard() == []
    assert set(await stage.states()) == {"withdrawn"}
    assert "2018300" in (await errors(stage))[0]
    assert (person.holder, person.waiting_since) == (conversations.ELSEWHERE, stage.clock())
    stage.clock.pass_by(hours=2)
    await stage.quiet()
    assert stage.heard() == [], "an old answer does not come late"
    await stage.said(MESSENGER)
    assert stage.heard() == [ANSWER], "a message that comes to us again may be answered"


def _is_waited(session: Session) -> bool:
    query = text("SELECT count(*) FROM conversation WHERE waiting_since IS NOT NULL")
    return session.connection().execute(query).scalar_one() > 0


async def test_what_was_not_an_answer_waits_until_the_conversation_is_free(stage: Stage) -> None:
    await stage.said(MESSENGER)
    await goes(stage, to_inbox=True)
    await stage.send(MESSENGER, DELIVERED, Purpose.TRANSACTION)
    await stage.quiet()
    refused = stage.platform.refused_seen
    stage.clock.pass_by(minutes=59)
    await stage.quiet()
    assert stage.platform.refused_seen == refused == 1, "it is not tried again and again"
    assert (await stage.states())[-1] == "waiting"
    await goes(stage, to_inbox=False)
    stage.clock.pass_by(minutes=1)
    await stage.quiet()
    assert stage.heard()[-1] == DELIVERED
    assert (await stage.states())[-1] == "sent"


async def test_what_the_bot_had_not_said_yet_is_withdrawn_when_the_inbox_takes_over(sqlite_url: str) -> None:
    clock = Clock()
    slow = {"MESSENGER_SENDS_PER_SECOND": "1"}
    async with playing(sqlite_url, clock, settings=slow, inbox_takes_threads=True) as stage:
        for number in range(10):
            await stage.taken(stage.says(MESSENGER, who=f"p{number}"))
        await stage.until(lambda session: len(stage.heard()) == 10)
        await stage.taken(stage.says(MESSENGER))
        await stage.until(lambda session: "waiting" in _states(session))
        taking = speech.give_thread(stage.platform, stage.contact(MESSENGER), to_inbox=True)
        await stage.taken(taking.delivery)
        await stage.until(lambda session: "withdrawn" in _states(session))
        clock.pass_by(minutes=1)
        await stage.quiet()
        assert stage.heard(who="lan") == []


def _states(session: Session) -> list[str]:
    query = text("SELECT state FROM outbox")
    return list(session.connection().execute(query).scalars())


async def test_another_apps_answer_ends_the_waiting(stage: Stage) -> None:
    await goes(stage, to_inbox=True)
    await stage.said(MESSENGER, "Alo")
    assert (await stage.person(MESSENGER)).waiting_since is not None
    config, contact = stage.platform.config, stage.contact(MESSENGER)
    echo = {
        "sender": {"id": config.messenger_page_id},
        "recipient": {"id": contact.user_id},
        "timestamp": int(stage.clock().timestamp() * 1000),
        "message": {"mid": "m_other", "text": "Chào bạn", "is_echo": True, "app_id": 413038776280800},
    }
    body = {"object": "page", "entry": [{"id": config.messenger_page_id, "time": 1, "standby": [echo]}]}
    assert await stage.webhook(MESSENGER, body) == 200
    await stage.until(lambda session: not _is_waited(session))
    assert (await stage.person(MESSENGER)).holder == conversations.ELSEWHERE
