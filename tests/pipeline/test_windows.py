"""The platforms' reply windows, on a clock that moves: what may still go out, and what is given up and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm.messages import Purpose
from simulator.people import MESSENGER, ZALO
from storage import customers, outbox
from tests.pipeline.stage import Stage

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MARGIN = 2 * MINUTE
TOKEN_GREW_OLD = -216


async def sent_after(stage: Stage, channel: str, wait: timedelta, **more: bool) -> tuple[str, str]:
    """How a message fares that is queued so long after the person wrote: its state and its reason."""
    await stage.said(channel)
    stage.clock.now += wait
    await stage.send(channel, "Đơn 7 đã giao", Purpose.TRANSACTION, **more)
    await stage.quiet()
    dead = await stage.read(outbox.dead)
    return (await stage.states())[-1], dead[0].error if dead else ""


@pytest.mark.parametrize(
    ("channel", "wait", "state", "quota"),
    [
        (ZALO, 2 * DAY - MARGIN - MINUTE, "sent", "reply"),
        (ZALO, 2 * DAY + MINUTE, "sent", "sub_quota"),
        (ZALO, 7 * DAY - MARGIN - MINUTE, "sent", "sub_quota"),
        (ZALO, 7 * DAY - MINUTE, "dead", ""),
        (ZALO, 8 * DAY, "dead", ""),
        (MESSENGER, DAY - MARGIN - MINUTE, "sent", ""),
        (MESSENGER, DAY - MINUTE, "dead", ""),
        (MESSENGER, 8 * DAY, "dead", ""),
    ],
)
async def test_a_message_goes_out_only_within_the_window(
    stage: Stage, channel: str, wait: timedelta, state: str, quota: str
) -> None:
    found, why = await sent_after(stage, channel, wait)
    assert found == state
    assert why == ("" if state == "sent" else "window_closed")
    assert len(stage.heard()) == (2 if state == "sent" else 1)
    codes = {refused["error"].get("error") for refused in stage.platform.refused}
    assert codes <= {TOKEN_GREW_OLD}, "the platform was not even asked"


async def test_on_messenger_what_a_person_typed_goes_out_for_a_week(stage: Stage) -> None:
    assert (await sent_after(stage, MESSENGER, 6 * DAY, typed_by_person=True))[0] == "sent"
    assert stage.calls()[-1].request["tag"] == "HUMAN_AGENT"
    stage.clock.now += 2 * DAY
    await stage.send(MESSENGER, "Còn đó không bạn", Purpose.STAFF, typed_by_person=True)
    await stage.quiet()
    assert (await stage.states())[-1] == "dead"


async def test_writing_again_opens_the_window_anew(stage: Stage, channel: str) -> None:
    assert (await sent_after(stage, channel, 8 * DAY))[0] == "dead"
    await stage.said(channel)
    await stage.send(channel, "Đơn 8 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    assert (await stage.states())[-1] == "sent"


async def test_a_late_event_opens_the_window_only_from_when_it_happened(stage: Stage) -> None:
    """A redelivery that comes three hours late must not make the window longer than the platform's own."""
    stage.platform.courier.bot_url = ""
    raw = stage.says(MESSENGER).raw
    stage.clock.pass_by(hours=3)
    assert await stage.post(MESSENGER, raw, stage.signed(MESSENGER, raw)) == 200
    await stage.quiet()
    person = await stage.person(MESSENGER)
    assert person.last_interaction_at == stage.clock() - timedelta(hours=3)


@pytest.mark.parametrize("code", [-230, -231, -232])
async def test_a_window_that_the_platform_counts_from_earlier_is_corrected(stage: Stage, code: int) -> None:
    await stage.said(ZALO)
    stage.contact(ZALO).last_interaction = stage.clock() - 8 * DAY
    stage.goes_wrong("code", path="message/cs", code=code)
    await stage.send(ZALO, "Đơn 7 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    await stage.until(lambda session: _window(session) == stage.clock() - 8 * DAY)
    await stage.send(ZALO, "Đơn 8 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    dead = [each.error for each in await stage.read(outbox.dead)]
    assert dead[0] == "window_closed" and dead[1].startswith(f"{code}: ")


async def test_a_window_that_an_event_opened_meanwhile_is_not_moved_back(stage: Stage) -> None:
    await stage.said(ZALO)
    person, now = await stage.person(ZALO), stage.clock()
    correct = partial(customers.correct_window, identity_id=person.identity_id, told=now - 8 * DAY)
    assert not await stage.service.database.write(partial(correct, believed=now - MINUTE))
    assert (await stage.person(ZALO)).last_interaction_at == now
    assert await stage.service.database.write(partial(correct, believed=now))


async def test_a_window_that_cannot_be_asked_for_stays(stage: Stage) -> None:
    await stage.said(ZALO)
    stage.goes_wrong("code", path="message/cs", code=-230)
    stage.goes_wrong("html_502", path="quota/message")
    await stage.send(ZALO, "Đơn 7 đã giao", Purpose.TRANSACTION)
    await stage.quiet()
    await stage.said(ZALO)
    assert (await stage.person(ZALO)).last_interaction_at == stage.clock()
    assert not stage.platform.faults.calls


def _window(session: Session) -> datetime | None:
    (person,) = [each for each in customers.people(session, _ids(session)).values() if each.channel == ZALO]
    return person.last_interaction_at


def _ids(session: Session) -> list[str]:
    return list(session.connection().execute(text("SELECT user_id FROM identity")).scalars())
