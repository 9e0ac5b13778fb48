"""What stops a broadcast on its way: too many errors, a missing second person, and the word of whom it was for."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import broadcast_versions, broadcasts, consent, given_up, staff
from crm.broadcasts import Pause
from crm.content import Content
from crm.errors import Conflict
from crm.messages import KEPT, Purpose
from crm.staff import Role
from simulator.people import ZALO
from storage import customers, media, outbox
from storage.media import Kept
from tests.conftest import Clock
from tests.pipeline.stage import Stage
from tests.pipeline.test_broadcasts import WORDS, go_on, over, report, sent_out, shop

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one dot."""
CUSTOMERS = tuple(f"khach{number}" for number in range(13))

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def marketer(stage: Stage, locale: str) -> int:
    """Mai, whose chat speaks this language; her number."""

    def hire(session: Session) -> tuple[int, str]:
        mai = staff.add(session, "Mai", Role.MARKETER, stage.clock())
        return mai.id, staff.issue_pairing(session, mai.id, stage.clock())

    number, code = await stage.service.database.write(hire)
    await stage.said(ZALO, code, "mai")
    person = await stage.person(ZALO, "mai")
    await stage.service.database.write(partial(customers.change, customer_id=person.customer_id, locale=locale))
    return number


def begun(session: Session, by: str, clock: Clock, said: Content | None = None, alone: int = 0, people: int = 0) -> int:
    """A broadcast to everybody, written by this person, tested and due now."""
    found = broadcasts.draft(session, "Cuối tuần", Purpose.BROADCAST, said or Content(WORDS), "tatca", by, clock())
    broadcasts.tested(session, found, clock())
    broadcasts.schedule(session, found, clock(), by, clock(), people=people, alone=alone)
    return found


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("vi", "đã tạm dừng: lỗi quá nhiều (11/50: Tham số hoặc mã người nhận không hợp lệ"),
        ("en", "is paused: too many failed (11/50: A parameter or the person's id is not valid"),
    ],
)
async def test_too_many_errors_pause_it_and_who_wrote_it_is_told_in_their_language(
    database_url: str, clock: Clock, locale: str, told: str
) -> None:
    async with shop(database_url, clock, CUSTOMERS) as stage:
        mai = await marketer(stage, locale)
        await stage.said(ZALO, "gặp nhân viên", CUSTOMERS[0])
        stage.goes_wrong("code", path="message/cs", code=-201, times=11)
        broadcast = await stage.service.database.write(partial(begun, by=f"staff:{mai}", clock=clock))
        await go_on(stage)
        await stage.until(lambda session: broadcasts.get(session, broadcast).pause_reason == Pause.ERRORS)
        found = await report(stage, broadcast)
        assert found.state == "paused"
        assert found.broadcast.pause_words.startswith("11/50: ")
        assert found.people["failed"] == 11
        assert await stage.read(outbox.dead_count) == 11 and await stage.read(given_up.count) == 0
        await go_on(stage)
        await stage.quiet()
        notice = stage.heard(ZALO, "mai")[-1]
        assert told in notice and f"{broadcast}" in notice and "(-201)" in notice
        before = len(stage.calls(ZALO))
        clock.pass_by(hours=2)
        await go_on(stage)
        assert len(stage.calls(ZALO)) == before, "it goes on only after a person has looked"


async def test_a_platform_that_takes_none_lets_it_rest_longer_each_time_and_everybody_gets_it_afterwards(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock, CUSTOMERS) as stage:
        mai = await marketer(stage, "vi")
        broadcast = await stage.service.database.write(partial(begun, by=f"staff:{mai}", clock=clock))
        for minutes in (1, 5, 15):
            stage.goes_wrong("status", path="message/cs", status=429, times=len(CUSTOMERS))
            await go_on(stage)
            await stage.until(lambda session: broadcasts.get(session, broadcast).pause_reason == Pause.NOT_TAKEN)
            await stage.quiet()
            found = await report(stage, broadcast)
            assert found.people == {"pending": len(CUSTOMERS)}
            assert found.broadcast.resumes_at is not None
            assert (
                timedelta(0) <= clock() + timedelta(minutes=minutes) - found.broadcast.resumes_at < timedelta(seconds=5)
            )
            await go_on(stage)
            told = [words for words in stage.heard(ZALO, "mai") if "không kết nối được" in words]
            assert len(told) == (minutes == 15), "its writer hears of it once it lasts"
            stage.platform.faults.clear()
            clock.pass_by(minutes=minutes, seconds=5)
        await go_on(stage)
        assert (await over(stage, broadcast)).people == {"sent": len(CUSTOMERS)}


async def test_an_audience_that_grew_waits_for_a_second_person_who_is_not_the_first(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock, CUSTOMERS[:3], BROADCAST_ALONE="2") as stage:
        mai = await marketer(stage, "vi")
        hoa = await stage.service.database.write(lambda session: staff.add(session, "Hoa", Role.LEAD, clock()).id)
        broadcast = await stage.service.database.write(
            partial(begun, by=f"staff:{mai}", clock=clock, alone=2, people=2)
        )
        await go_on(stage)
        found = await report(stage, broadcast)
        assert (found.state, found.broadcast.pause_reason) == ("paused", Pause.APPROVAL)
        await go_on(stage)
        assert f"người thứ hai duyệt: /gui {broadcast} duyet" in stage.heard(ZALO, "mai")[-1]
        held = text("SELECT count(*) FROM notice WHERE staff_id = :hoa AND kind = 'broadcast'")
        assert await stage.read(lambda session: session.connection().execute(held, {"hoa": hoa}).scalar()) == 1
        write = stage.service.database.write
        seen = broadcast_versions.version
        version = await stage.read(lambda session: seen(session, broadcasts.get(session, broadcast)))
        agree = partial(broadcasts.approve, version=version)
        for act in (agree, broadcasts.resume):
            with pytest.raises(Conflict):
                await write(partial(act, broadcast_id=broadcast, actor=f"staff:{mai}", now=clock()))
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]
        await write(partial(agree, broadcast_id=broadcast, actor=f"staff:{hoa}", now=clock()))
        await go_on(stage)
        assert (await over(stage, broadcast)).people == {"sent": 3}


async def test_who_ends_it_while_it_is_queued_does_not_get_it(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        await stage.said(ZALO, "gặp nhân viên")
        broadcast = await sent_out(stage)
        assert (await report(stage, broadcast)).reasons == {("pending", "talking"): 1}
        person = await stage.person(ZALO)
        no = partial(consent.say, customer_id=person.customer_id, granted=False, at=clock(), channel=ZALO)
        await stage.service.database.write(lambda session: no(session))
        clock.pass_by(hours=2)
        await go_on(stage)
        assert (await over(stage, broadcast)).reasons == {("skipped", "opted_out"): 1}
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]


async def handed_over(stage: Stage, clock: Clock) -> tuple[int, asyncio.Task[None]]:
    """A broadcast whose one message is leased while its picture is uploaded, slowly; and what goes on with it."""
    keep = partial(media.keep, kept=Kept("tet.png", "image/png", DOT), now=clock())
    said = Content(WORDS, picture=f"{KEPT}{await stage.service.database.write(keep)}")
    stage.goes_wrong("slow", path="upload/image", seconds=1.0)
    broadcast = await stage.service.database.write(partial(begun, by="cli", clock=clock, said=said))
    going = asyncio.create_task(go_on(stage))
    await stage.until(lambda session: broadcasts.report(session, broadcast).people == {"sending": 1})
    return broadcast, going


async def test_who_ends_it_while_it_is_leased_and_its_picture_is_handed_over_does_not_get_it(
    database_url: str, clock: Clock
) -> None:
    async with shop(database_url, clock) as stage:
        broadcast, going = await handed_over(stage, clock)
        await stage.taken(stage.says(ZALO, "dừng"))
        person = await stage.person(ZALO)
        await stage.until(lambda session: _ended(session, person.customer_id))
        clock.pass_by(seconds=1)
        await going
        await go_on(stage)
        assert (await over(stage, broadcast)).reasons == {("skipped", "opted_out"): 1}
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]


async def test_who_was_on_the_way_when_it_was_cancelled_does_not_wait_for_ever(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        broadcast, going = await handed_over(stage, clock)
        cancel = partial(broadcasts.cancel, broadcast_id=broadcast, actor="cli", now=clock())
        await stage.service.database.write(cancel)
        await stage.jobs_done(broadcasts.CLOSE)
        clock.pass_by(seconds=1)
        await going
        await stage.jobs_done(broadcasts.CLOSE)
        assert (await report(stage, broadcast)).reasons == {("skipped", "cancelled"): 1}
        assert not [words for words in stage.heard(ZALO) if "giảm" in words]


async def test_who_ends_it_while_it_is_in_flight_gets_it_once_and_never_again(database_url: str, clock: Clock) -> None:
    async with shop(database_url, clock) as stage:
        stage.goes_wrong("slow", path="message/cs", seconds=1.0)
        broadcast = await stage.service.database.write(partial(begun, by="cli", clock=clock))
        going = asyncio.create_task(go_on(stage))
        await stage.until(lambda session: broadcasts.report(session, broadcast).people == {"sending": 1})
        await stage.taken(stage.says(ZALO, "dừng"))
        person = await stage.person(ZALO)
        await stage.until(lambda session: _ended(session, person.customer_id))
        await going
        assert (await over(stage, broadcast)).people == {"sent": 1}
        clock.pass_by(hours=25)
        await go_on(stage)
        assert (await over(stage, await sent_out(stage))).reasons == {("skipped", "opted_out"): 1}
        assert len([words for words in stage.heard(ZALO) if "giảm" in words]) == 1


def _ended(session: Session, customer_id: int) -> bool:
    """Whether this customer took their word back."""
    (standing,) = consent.standing(session, [customer_id], Purpose.BROADCAST, ZALO).values()
    return standing is consent.Standing.WITHDRAWN
