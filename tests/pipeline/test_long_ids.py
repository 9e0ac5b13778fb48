"""A platform's ids of messages, however long: none is buried for it, and none holds up what is behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.channels.text import LONGEST_ID
from simulator import messenger_events
from simulator.people import MESSENGER
from storage import transcripts
from storage.transcripts import Line
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, ASK, Stage, playing

DOOR = 500
"""The longest id that Messenger's door takes."""


def answers_with(stage: Stage, message_id: str) -> None:
    """The platform calls the next message so."""
    body = json.dumps({"recipient_id": "1", "message_id": message_id})
    stage.goes_wrong("status", path="messages", status=200, body=body)


async def told(stage: Stage, mid: str, **more: Any) -> None:
    """Lan's message with this id arrives."""
    contact = stage.contact(MESSENGER)
    contact.last_interaction = contact.last_message = stage.clock()
    body = messenger_events.from_person(
        stage.platform.config, contact, "message", {"mid": mid, **more}, stage.clock.pass_by(seconds=1)
    )
    assert await stage.webhook(MESSENGER, body) == 200
    await stage.quiet()


async def lines(stage: Stage) -> list[Line]:
    """The transcript of Lan."""
    person = await stage.person(MESSENGER)
    return await stage.read(lambda session: transcripts.latest(session, person.identity_id))


@pytest.mark.parametrize("length", [302, LONGEST_ID, LONGEST_ID + 1, 20_000])
async def test_a_message_that_the_platform_calls_by_a_long_id_is_sent_and_holds_up_nobody(
    database_url: str, clock: Clock, length: int
) -> None:
    async with playing(database_url, clock, echoes=False) as stage:
        answers_with(stage, "m" * length)
        await stage.said(MESSENGER)
        await stage.said(MESSENGER, who="minh")
        assert await stage.states() == ["sent", "sent"]
        kept = (await lines(stage))[-1].message_id
        assert kept == "m" * length if length <= LONGEST_ID else kept.startswith("sha256:")
        receipt = {"mids": ["m" * length], "watermark": 1}
        event = messenger_events.from_person(
            stage.platform.config, stage.contact(MESSENGER), "delivery", receipt, clock()
        )
        assert await stage.webhook(MESSENGER, event) == 200
        await stage.quiet()
        assert (await lines(stage))[-1].delivered_at is not None, "the receipt names it in full"


async def test_everything_that_a_person_does_under_a_long_id_is_kept(database_url: str, clock: Clock) -> None:
    long = [f"{number}{'m' * (DOOR - 1)}" for number in range(4)]
    async with playing(database_url, clock) as stage:
        await told(stage, long[0], text=ASK, reply_to={"mid": "r" * 20_000})
        await told(stage, long[1], text="dừng")
        await told(stage, long[2], attachments=[{"type": "image", "payload": {"url": "https://cdn.example/1.jpg"}}])
        await told(stage, long[3], text="hàng bị vỡ rồi")
        assert await stage.dead() == []
        assert stage.heard()[0] == ANSWER
        assert [line.message_id for line in await lines(stage) if line.author == "customer"] == long
        assert await stage.read(_ids_elsewhere) == [long[1], long[2]]


def _ids_elsewhere(session: Session) -> list[str]:
    """Under which messages consent was said, and photos of requests came."""
    query = "SELECT DISTINCT message_id FROM consent_entry UNION ALL SELECT message_id FROM ticket_photo"
    return list(session.connection().execute(text(query)).scalars())


REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE UPDATE ON outbox WHEN NEW.message_id = 'm_bad' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    ],
    "postgresql": ["ALTER TABLE outbox ADD CONSTRAINT refuse CHECK (message_id <> 'm_bad')"],
}


async def test_a_row_that_the_database_refuses_is_sent_without_its_id_and_holds_up_nobody(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock, echoes=False) as stage:
        await stage.service.database.write(_refuse)
        answers_with(stage, "m_bad")
        await stage.said(MESSENGER)
        await stage.said(MESSENGER, who="minh")
        assert await stage.states() == ["sent", "sent"]
        assert (await lines(stage))[-1].message_id == ""


def _refuse(session: Session) -> None:
    for statement in REFUSE[session.get_bind().dialect.name]:
        session.connection().exec_driver_sql(statement)
