"""Pictures and files that we keep: each platform gets one copy, uses it as long as it lives, and gets another then."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from crm.messages import KEPT, Message, Purpose
from simulator.media import SAMPLE_PHOTO
from simulator.people import MESSENGER, ZALO
from storage import media, outbox
from storage.media import Kept
from tests.pipeline.stage import ANSWER, Stage

PHOTO = Kept("mẫu.jpg", "image/jpeg", SAMPLE_PHOTO.read_bytes())
PRICES = Kept("bảng giá.pdf", "application/pdf", b"%PDF-1.4 gi\xc3\xa1")
GONE: dict[str, dict[str, Any]] = {
    ZALO: {"path": "message/cs", "code": -100},
    MESSENGER: {"path": "/messages", "code": 100, "subcode": 2018074},
}
PLACE = {ZALO: "/upload/", MESSENGER: "/message_attachments"}


async def keep(stage: Stage, kept: Kept) -> str:
    """Keep it; where a message shows it."""
    return KEPT + await stage.service.database.write(partial(media.keep, kept=kept, now=stage.clock()))


def uploads(stage: Stage) -> int:
    """How many copies the platforms were given."""
    return sum(call.kind.startswith("upload") for call in stage.platform.journal)


def failed(session: Session) -> bool:
    """Whether a message waits for its second try."""
    tried = text("SELECT count(*) FROM outbox WHERE state = 'waiting' AND attempts = 1")
    return session.connection().execute(tried).scalar_one() == 1


def attachment(stage: Stage, channel: str) -> dict[str, Any]:
    """What the last send showed."""
    shown: dict[str, Any] = stage.calls(channel)[-1].request["message"]["attachment"]
    return shown


async def test_one_copy_serves_everybody_as_long_as_it_lives(stage: Stage, channel: str) -> None:
    photo = Message(picture=await keep(stage, PHOTO))
    for who in ("lan", "minh"):
        await stage.said(channel, who=who)
        await stage.send(channel, photo, Purpose.STAFF, who)
    await stage.quiet()
    assert [uploads(stage), len(stage.calls(channel))] == [1, 4]
    stage.clock.pass_by(days=5 if channel == ZALO else 79)
    await stage.said(channel)
    await stage.send(channel, photo, Purpose.STAFF)
    await stage.quiet()
    assert uploads(stage) == 1
    stage.clock.pass_by(days=1, seconds=1)
    await stage.said(channel)
    await stage.send(channel, photo, Purpose.STAFF)
    await stage.quiet()
    assert uploads(stage) == 2
    assert set(await stage.states()) == {"sent"}


async def test_a_copy_that_the_platform_lost_is_uploaded_again(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    photo = Message(picture=await keep(stage, PHOTO))
    await stage.send(channel, photo, Purpose.STAFF)
    await stage.quiet()
    stage.goes_wrong("code", **GONE[channel])
    await stage.send(channel, photo, Purpose.STAFF)
    await stage.until(failed)
    stage.clock.pass_by(minutes=5)
    await stage.quiet()
    assert [uploads(stage), len(stage.calls(channel))] == [2, 3]


async def test_an_upload_that_fails_is_tried_again(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    stage.goes_wrong("status", path=PLACE[channel], status=500)
    await stage.send(channel, Message(picture=await keep(stage, PHOTO)), Purpose.STAFF)
    await stage.until(failed)
    stage.clock.pass_by(minutes=5)
    await stage.quiet()
    assert await stage.states() == ["sent", "sent"]
    assert uploads(stage) == 1


async def test_a_file_goes_out_after_its_words(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    await stage.send(channel, Message("Bảng giá đây ạ", file=await keep(stage, PRICES)), Purpose.STAFF)
    await stage.quiet()
    assert stage.heard(channel)[1] == "Bảng giá đây ạ"
    assert attachment(stage, channel)["type"] == "file"
    assert (await stage.lines(channel))[-1][0] == "staff"


async def test_a_picture_that_the_platform_does_not_take_is_given_up_alone(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    heavy = await keep(stage, PHOTO._replace(content=PHOTO.content + bytes(9_000_000)))
    await stage.send(channel, Message(picture=heavy), Purpose.STAFF)
    await stage.quiet()
    assert await stage.states() == ["sent", "dead"]
    assert uploads(stage) == 0
    await stage.said(channel)
    assert stage.heard(channel) == [ANSWER, ANSWER]


async def test_what_is_no_longer_kept_is_given_up_in_words(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    await stage.send(channel, Message(picture=f"{KEPT}{'0' * 64}"), Purpose.STAFF)
    await stage.quiet()
    (reason,) = await stage.read(lambda session: [row.error for row in outbox.dead(session)])
    assert "attach it again" in reason


async def test_a_sticker_goes_by_the_channels_own_id(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    await stage.send(channel, Message("Cảm ơn bạn", sticker="369239263222822"), Purpose.STAFF)
    await stage.quiet()
    assert stage.heard(channel)[2] == "Cảm ơn bạn"
    assert "369239263222822" in str(stage.calls(channel)[1].request)
