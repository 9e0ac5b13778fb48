"""Public comments: nobody is written to unless the shop set words; then each person is, once, privately and in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.commands import page
from bot.commands.arguments import read
from bot.commands.report import Refused, Report
from bot.settings import Settings
from simulator import comments
from simulator.people import MESSENGER
from storage import alarms
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

WORDS = "Cảm ơn bạn đã quan tâm. Bạn nhắn cho shop ở đây nhé."


@pytest.fixture
async def stage(database_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product between its platforms, on each engine."""
    async with playing(database_url, clock) as running:
        yield running


async def replies(stage: Stage, what: str, words: str = "") -> Report:
    """The command, beside the running service."""
    page_id = stage.platform.config.messenger_page_id
    arguments = read(["page", "replies", what, page_id, *([words] if words else [])])
    return await page.run(arguments, stage.service.database, Settings(), stage.outside)


async def comments_on(stage: Stage, who: str = "lan", post: str = "", text: str = "Giá bao nhiêu?") -> str:
    """Somebody comments, and all that follows is over; the comment's id."""
    said = comments.write(stage.platform, stage.contact(MESSENGER, who), text, post)
    if said.delivery is not None:
        await stage.taken(said.delivery)
    await stage.quiet()
    await stage.jobs_done("comment.answer")
    await stage.quiet()
    return said.message_id


async def test_without_words_nobody_is_written_to_and_facebook_tells_nothing(stage: Stage) -> None:
    await comments_on(stage)
    stage.platform.page.fields.add(comments.FIELD)
    await comments_on(stage, "minh")
    assert stage.heard() == []
    assert await stage.count("comment") == 0
    assert (await replies(stage, "show")).lines[0] == "Comments on this Page get no private answer."


async def test_a_comment_gets_its_private_answer_which_the_transcript_keeps_as_the_bots(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    assert comments.FIELD in stage.platform.page.fields
    asked = await comments_on(stage)
    (call,) = stage.calls(MESSENGER)
    assert (call.request["recipient"], call.text) == ({"comment_id": asked}, WORDS)
    assert await stage.lines(MESSENGER) == [("bot", WORDS)]
    await stage.said(MESSENGER, "menu")
    assert len(stage.heard()) == 2, "who answers is in the conversation, like anybody"
    shown = await replies(stage, "show")
    assert shown.lines == [WORDS, "1 answered, 0 wait, 0 given up, in 8 days"]


async def test_one_person_is_answered_once_under_a_post_and_a_redelivery_changes_nothing(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    for text in ("Giá?", "Còn hàng không?"):
        await comments_on(stage, text=text)
        stage.clock.pass_by(minutes=1)
    await comments_on(stage, post="77")
    assert len(stage.heard()) == 2
    (first, *_) = stage.platform.page.comments.values()
    first.answered = False
    await stage.taken(comments._told(stage.platform, first, "Giá?", comments.POST))
    await stage.quiet()
    assert len(stage.heard()) == 2


async def test_what_the_page_says_and_what_is_edited_or_removed_is_not_answered(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    page_id = stage.platform.config.messenger_page_id
    for number, change in enumerate(
        ({"from": {"id": page_id}}, {"verb": "edited"}, {"verb": "remove"}, {"item": "like"})
    ):
        value = {"item": "comment", "verb": "add", "comment_id": f"1_{number}", "post_id": "1", "from": {"id": "5"}}
        body = {"object": "page", "entry": [{"id": page_id, "changes": [{"field": "feed", "value": value | change}]}]}
        assert await stage.webhook(MESSENGER, body) == 200
    await stage.quiet()
    assert await stage.count("comment") == 0
    assert await stage.dead() == []


async def test_many_are_answered_a_few_seconds_apart(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    for number in range(4):
        await comments_on(stage, f"p{number}")
    assert len(stage.heard()) == 1
    for number in range(2, 5):
        stage.clock.pass_by(seconds=5)
        await stage.jobs_done("comment.answer")
        assert len(stage.heard()) == number


async def test_a_lost_answer_is_tried_again_and_reaches_the_person_once(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    stage.goes_wrong("lost_response", host="graph", path="/messages")
    await comments_on(stage)
    stage.clock.pass_by(minutes=5)
    await stage.jobs_done("comment.answer")
    assert stage.heard() == [WORDS]
    assert (await replies(stage, "show")).data["answered"] == 1


async def test_after_a_week_or_once_the_words_are_gone_nothing_is_sent(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    await comments_on(stage)
    await comments_on(stage, "minh")
    await replies(stage, "clear")
    assert comments.FIELD not in stage.platform.page.fields
    stage.clock.pass_by(seconds=10)
    await stage.jobs_done("comment.answer")
    assert len(stage.heard()) == 1
    assert "switched off" in (await replies(stage, "show")).lines[-1]
    stage.platform.page.fields.add(comments.FIELD)
    await replies(stage, "set", WORDS)
    late = comments.Comment("9_9", stage.contact(MESSENGER, "mai"), stage.clock() - timedelta(days=7))
    await stage.taken(comments._told(stage.platform, late, "Giá?", "9"))
    await stage.quiet()
    assert len(stage.heard()) == 1
    stage.clock.pass_by(days=9)
    await stage.tick("bodies.purge")
    assert await stage.count("comment") == 0


async def test_a_comment_that_cannot_be_answered_is_given_up_alone_and_a_lost_right_rings(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    stage.goes_wrong("code", host="graph", path="/messages", code=100, subcode=33)
    await comments_on(stage)
    stage.clock.pass_by(minutes=1)
    stage.goes_wrong("code", host="graph", path="/messages", code=10)
    await comments_on(stage, "minh")
    shown = await replies(stage, "show")
    assert (shown.data["given_up"], shown.data["answered"]) == (2, 0)
    assert [alarm.kind for alarm in await stage.read(alarms.unsolved)] == ["comments_refused"]
    stage.clock.pass_by(minutes=1)
    await comments_on(stage, "mai")
    assert await stage.read(alarms.unsolved) == []


async def test_a_lost_subscription_comes_back_with_comments(stage: Stage) -> None:
    await replies(stage, "set", WORDS)
    stage.platform.page.fields = {"messages"}
    stage.clock.pass_by(hours=7)
    await stage.tick("accounts.check")
    assert comments.FIELD in stage.platform.page.fields


@pytest.mark.parametrize(("what", "words"), [("set", ""), ("set", "  "), ("clear", "Chào"), ("set", "dài " * 600)])
async def test_words_that_make_no_sense_are_refused(stage: Stage, what: str, words: str) -> None:
    with pytest.raises(Refused):
        await replies(stage, what, words)
    assert comments.FIELD not in stage.platform.page.fields
