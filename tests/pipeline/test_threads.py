"""Who may answer on Messenger, by command: asked, taken back, passed on; and the signs that a person sees meanwhile."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.channels.base import SendError, SendErrorKind
from bot.commands import threads, waiting
from bot.commands.arguments import read
from bot.commands.report import Refused, Report
from bot.commands.trouble import words_of
from bot.settings import Settings
from crm.messages import Purpose
from simulator import speech
from simulator.people import MESSENGER, ZALO
from storage import conversations
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

DELIVERED = "Đơn 7 đã giao"


@pytest.fixture
async def stage(database_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product between its platforms, on each engine; our app is the Page's default one."""
    async with playing(database_url, clock, inbox_takes_threads=True) as running:
        await running.said(MESSENGER)
        yield running


async def thread(stage: Stage, action: str, channel: str = MESSENGER) -> Report:
    """The command, beside the running service."""
    person = await stage.person(channel)
    arguments = read(["thread", action, str(person.identity_id)])
    return await threads.run(arguments, stage.service.database, Settings(), stage.outside)


async def inbox_takes(stage: Stage) -> None:
    """The Page's inbox takes the conversation, and we hear of it."""
    said = speech.give_thread(stage.platform, stage.contact(MESSENGER), to_inbox=True)
    await stage.taken(said.delivery)
    await stage.quiet()


async def test_facebook_is_asked_who_holds_it(stage: Stage) -> None:
    ours = await thread(stage, "owner")
    assert ours.lines[0].startswith("Nguyễn Thị Lan: this app may answer, until 24/11/2026")
    await inbox_takes(stage)
    theirs = await thread(stage, "owner")
    assert theirs.data["holder"] == "inbox"
    assert "handled elsewhere: the Page's inbox" in theirs.lines[0]
    stage.clock.pass_by(days=2)
    assert (await thread(stage, "owner")).data == {
        "conversation": (await stage.person(MESSENGER)).identity_id,
        "holder": "nobody",
        "app_id": "",
        "until": None,
    }


async def test_who_is_answered_elsewhere_is_listed_with_the_way_back_and_what_waits_goes_out(stage: Stage) -> None:
    await inbox_takes(stage)
    await stage.said(MESSENGER, "Alo")
    await stage.send(MESSENGER, DELIVERED, Purpose.TRANSACTION)
    await stage.quiet()
    listed = await waiting.run(Namespace(), stage.service.database, Settings(), stage.clock())
    person = await stage.person(MESSENGER)
    assert f"khachquen thread take {person.identity_id}]" in listed.lines[0]
    taken = await thread(stage, "take")
    await stage.quiet()
    await stage.jobs_done("sign.show")
    person = await stage.person(MESSENGER)
    assert taken.data["holder"] == "ours"
    assert stage.heard() == [ANSWER, DELIVERED]
    assert (person.holder, person.waiting_since) == (conversations.BOT, stage.clock()), "the customer still waits"
    assert "mark_seen" in [str(call.request.get("sender_action")) for call in stage.platform.journal]


async def test_it_is_passed_to_the_inbox_and_the_bot_falls_silent(stage: Stage) -> None:
    passed = await thread(stage, "pass")
    assert passed.data["holder"] == "inbox"
    assert stage.contact(MESSENGER).inbox_owns
    await stage.said(MESSENGER, "Alo")
    person = await stage.person(MESSENGER)
    assert (person.holder, person.waiting_since) == (conversations.ELSEWHERE, stage.clock())
    assert stage.heard() == [ANSWER]


async def test_who_may_not_take_or_pass_it_is_told_what_to_do(stage: Stage) -> None:
    await inbox_takes(stage)
    for action in ("pass", "take"):
        if action == "take":
            stage.platform.config = replace(stage.platform.config, inbox_takes_threads=False)
        with pytest.raises(SendError) as refused:
            await thread(stage, action)
        assert refused.value.kind is SendErrorKind.ELSEWHERE
        assert "makes this app the default in Conversation Routing" in str(words_of(refused.value))
    assert (await stage.person(MESSENGER)).holder == conversations.ELSEWHERE


async def test_zalo_knows_no_such_thing(stage: Stage) -> None:
    await stage.said(ZALO)
    with pytest.raises(Refused, match="no conversation on Messenger"):
        await thread(stage, "take", ZALO)


async def test_who_writes_too_fast_sees_once_that_it_was_read(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, settings={"FLOOD_PER_MINUTE": "2"}) as stage:
        for number in range(6):
            await stage.said(MESSENGER, f"alo {number}")
            await stage.said(ZALO, f"alo {number}")
        await stage.jobs_done("sign.show")
        shown = [call.request["sender_action"] for call in stage.platform.journal if call.kind == "sender_action"]
        theirs = [line for line in stage.contact(MESSENGER).lines if line.side == "person"]
        assert shown == ["mark_seen"]
        assert [line.tick for line in theirs[:3]] == ["seen"] * 3, "the first that must wait was read"


async def test_a_sign_that_facebook_refuses_or_that_is_late_is_let_go(stage: Stage) -> None:
    await inbox_takes(stage)
    stage.goes_wrong("code", host="graph", path="/messages", code=100)
    await thread(stage, "take")
    await stage.jobs_done("sign.show")
    assert await stage.count("job") == 0
