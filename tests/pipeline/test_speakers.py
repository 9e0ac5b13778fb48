"""The names of staff: each becomes a persona of the Page once, and no message is lost over one that is refused."""

from __future__ import annotations

from sqlalchemy import text

from crm.messages import Message, Purpose
from simulator.chat import Line
from simulator.people import MESSENGER, ZALO
from tests.pipeline.stage import Stage

HELLO = Message("Mình xem giúp bạn nhé", speaker="Thảo")


async def staff_say(stage: Stage, message: Message = HELLO, channel: str = MESSENGER, who: str = "lan") -> Line:
    """Staff typed this; the line that the person sees."""
    await stage.send(channel, message, Purpose.STAFF, who, typed_by_person=True)
    await stage.quiet()
    return stage.contact(channel, who).lines[-1]


def made(stage: Stage) -> list[str]:
    """The names that the Page was given, in order."""
    return [call.request["name"] for call in stage.platform.journal if call.kind == "persona"]


async def test_a_name_becomes_one_persona_with_the_pages_picture_and_is_seen_by_everybody(stage: Stage) -> None:
    for who in ("lan", "minh"):
        await stage.said(MESSENGER, who=who)
        assert (await staff_say(stage, who=who)).speaker == "Thảo"
    assert (await staff_say(stage, Message("Chào", speaker="Vy"))).speaker == "Vy"
    assert made(stage) == ["Thảo", "Vy"]
    picture = next(iter(stage.platform.page.personas.values()))["profile_picture_url"]
    assert picture.startswith(stage.platform.media.base_url)


async def test_what_the_bot_says_bears_no_name(stage: Stage) -> None:
    await stage.said(MESSENGER)
    assert [line.speaker for line in stage.contact(MESSENGER).lines] == ["", ""]
    assert made(stage) == []


async def test_zalo_shows_the_words_alone(stage: Stage) -> None:
    await stage.said(ZALO)
    line = await staff_say(stage, channel=ZALO)
    assert (line.text, line.speaker) == (HELLO.text, "")


async def test_a_name_that_facebook_refuses_is_left_away_for_a_day(stage: Stage) -> None:
    await stage.said(MESSENGER)
    stage.goes_wrong("code", host="graph", path="/personas", code=100)
    for _ in range(2):
        assert (await staff_say(stage)).speaker == ""
    stage.clock.pass_by(days=1)
    await stage.said(MESSENGER)
    assert (await staff_say(stage)).speaker == "Thảo"
    assert await _failures(stage) == 0


async def test_a_name_that_cannot_be_asked_for_now_delays_nothing_and_is_asked_for_in_an_hour(stage: Stage) -> None:
    await stage.said(MESSENGER)
    stage.goes_wrong("reset", host="graph", path="/personas")
    assert (await staff_say(stage)).speaker == ""
    stage.clock.pass_by(hours=1)
    assert (await staff_say(stage)).speaker == "Thảo"
    assert await _failures(stage) == 0


async def test_a_message_refused_with_a_name_that_is_gone_goes_out_without_it(stage: Stage) -> None:
    await stage.said(MESSENGER)
    await staff_say(stage)
    stage.platform.page.personas.clear()
    line = await staff_say(stage, Message("Xong rồi ạ", speaker="Thảo"))
    assert (line.text, line.speaker) == ("Xong rồi ạ", "")
    stage.clock.pass_by(hours=1)
    assert (await staff_say(stage)).speaker == "Thảo"
    assert made(stage) == ["Thảo", "Thảo"]
    assert set(await stage.states()) == {"sent"}


async def test_an_endless_name_is_cut_and_is_one_persona_all_the_same(stage: Stage) -> None:
    await stage.said(MESSENGER)
    long = Message("Chào", speaker="Nguyễn Thị " * 40)
    for _ in range(2):
        assert 0 < len((await staff_say(stage, long)).speaker) <= 50
    assert len(made(stage)) == 1


async def _failures(stage: Stage) -> int:
    tried = text("SELECT count(*) FROM outbox WHERE attempts > 0")
    return int(await stage.read(lambda session: session.connection().execute(tried).scalar_one()))


async def test_a_reaction_goes_out_like_a_message_and_is_kept_in_the_transcript(stage: Stage) -> None:
    await stage.said(MESSENGER)
    asked = next(line for line in stage.contact(MESSENGER).lines if line.side == "person")
    stage.goes_wrong("lost_response", host="graph", path="/messages")
    await stage.send(MESSENGER, Message(reaction="❤️", reply_to=asked.message_id), Purpose.STAFF)
    await stage.until(lambda session: asked.reaction == "❤️")
    stage.clock.pass_by(minutes=5)
    await stage.quiet()
    assert await stage.states() == ["sent", "sent"]
    assert (await stage.lines(MESSENGER))[-1] == ("staff", "❤️")
