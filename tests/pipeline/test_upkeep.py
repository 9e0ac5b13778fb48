"""What happens by itself: alarms for customers who wait, handing back, profiles, old bodies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm import tickets
from simulator import speech, zalo_events
from simulator.people import MESSENGER, ZALO
from storage import alarms
from tests.conftest import Clock
from tests.crm.people import POLICY
from tests.pipeline.stage import ANSWER, Stage, playing

WAITS = "customer_waits"


async def rung(stage: Stage) -> list[str]:
    """The kinds of alarms that are open."""
    return [alarm.kind for alarm in await stage.read(alarms.unsolved)]


async def staff(stage: Stage, channel: str, words: str) -> None:
    """A person of the brand answers in the platform's own tool."""
    delivery = speech.staff_says(stage.platform, stage.contact(channel), words).delivery
    await stage.taken(delivery)
    await stage.quiet()


async def test_a_customer_who_waits_for_a_person_rings_after_fifteen_minutes_once(stage: Stage, channel: str) -> None:
    await stage.said(channel, "gặp nhân viên")
    stage.clock.pass_by(minutes=14, seconds=59)
    await stage.tick("conversations.watch")
    assert await rung(stage) == []
    stage.clock.pass_by(seconds=1)
    for _ in range(3):
        await stage.tick("conversations.watch")
    assert await rung(stage) == [WAITS]
    await staff(stage, channel, "Mình đây ạ")
    await stage.tick("conversations.watch")
    assert await rung(stage) == []


async def test_a_customer_who_writes_after_staff_waits_anew(stage: Stage, channel: str) -> None:
    await stage.said(channel, "gặp nhân viên")
    await staff(stage, channel, "Mình đây ạ")
    stage.clock.pass_by(hours=1)
    await stage.tick("conversations.watch")
    assert await rung(stage) == []
    await stage.said(channel, "còn hàng không bạn")
    stage.clock.pass_by(minutes=15)
    await stage.tick("conversations.watch")
    assert await rung(stage) == [WAITS]


async def test_a_customer_whose_request_was_answered_elsewhere_waits_no_more(stage: Stage, channel: str) -> None:
    """By telephone: staff wrote nothing in the platform's own tool, and closed the request."""
    await stage.said(channel, "tôi cần hỗ trợ")
    await stage.said(channel, "hộp bị móp")
    stage.clock.pass_by(minutes=15)
    await stage.tick("conversations.watch")
    assert await rung(stage) == [WAITS]
    await stage.service.database.write(lambda session: tickets.close(session, 1, stage.clock(), POLICY, "móp khi giao"))
    await stage.tick("conversations.watch")
    assert await rung(stage) == []


async def test_a_conversation_that_staff_left_returns_to_the_bot_after_twelve_hours(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    await staff(stage, channel, "Mình đây ạ")
    stage.clock.pass_by(hours=11, minutes=59)
    await stage.said(channel)
    assert stage.heard() == [ANSWER], "staff still hold it"
    stage.clock.pass_by(minutes=1)
    await stage.tick("conversations.watch")
    assert (await stage.person(channel)).holder == "bot"
    await stage.said(channel)
    assert stage.heard() == [ANSWER, ANSWER]
    assert await rung(stage) == []


async def test_who_writes_after_twelve_hours_is_answered_even_before_the_watch_came_by(
    stage: Stage, channel: str
) -> None:
    await stage.said(channel)
    await staff(stage, channel, "Mình đây ạ")
    stage.clock.pass_by(hours=12)
    await stage.said(channel)
    assert stage.heard() == [ANSWER, ANSWER]


async def test_the_profile_of_somebody_new_is_fetched_once(stage: Stage, channel: str) -> None:
    await stage.said(channel)
    await stage.until(lambda session: session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0)
    person = await stage.person(channel)
    assert person.identity_name == person.customer_name == "Nguyễn Thị Lan"
    assert person.profile_at == stage.clock()
    calls = stage.platform.calls_seen
    await stage.said(channel)
    assert stage.platform.calls_seen == calls + 1, "only the answer"


async def test_a_profile_that_cannot_be_fetched_holds_up_no_answer(stage: Stage, channel: str) -> None:
    path = "user/detail" if channel == ZALO else stage.contact(MESSENGER).user_id
    stage.goes_wrong("status", path=path, status=500, times=3)
    await stage.said(channel)
    assert stage.heard() == [ANSWER]
    for _ in range(8):
        stage.clock.pass_by(minutes=30)
        await stage.until(
            lambda session: session.connection().exec_driver_sql(
                "SELECT count(*) FROM job WHERE lease_until > '1970-01-01 00:00:00.000000'"
            ).scalar() == 0
        )  # fmt: skip
        await stage.tick("outbox.sweep")
    await stage.until(lambda session: session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0)
    assert (await stage.person(channel)).identity_name == "Nguyễn Thị Lan"


@pytest.mark.parametrize(("channel", "code"), [(ZALO, -213), (ZALO, -201), (MESSENGER, 230), (MESSENGER, 200)])
async def test_a_person_whose_profile_the_platform_hides_leaves_nothing_to_mend(
    stage: Stage, channel: str, code: int
) -> None:
    path = "user/detail" if channel == ZALO else stage.contact(MESSENGER).user_id
    stage.goes_wrong("code", path=path, code=code, times=99)
    await stage.said(channel)
    assert stage.heard() == [ANSWER]
    await stage.until(lambda session: session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0)
    person = await stage.person(channel)
    assert (person.identity_name, person.profile_at) == ("", stage.clock())


async def test_a_late_event_does_not_undo_a_later_one(stage: Stage) -> None:
    contact = stage.contact(ZALO)
    start = stage.clock()
    told = [("unfollow", 20, False), ("follow", 10, False), ("follow", 30, True), ("unfollow", 25, True)]
    for what, seconds, follows in told:
        body = zalo_events.following(stage.platform.config, contact, what, start + timedelta(seconds=seconds))
        stage.clock.pass_by(minutes=1)
        assert await stage.webhook(ZALO, body) == 200
        await stage.quiet()
        assert (await stage.person(ZALO)).followed == follows, (what, seconds)


async def test_raw_bodies_go_after_the_days_that_are_set(sqlite_url: str, clock: Clock, channel: str) -> None:
    async with playing(sqlite_url, clock, settings={"RAW_BODY_DAYS": "7"}) as stage:
        await stage.said(channel)
        for days, left in ((6, True), (2, False)):
            clock.now += timedelta(days=days)
            await stage.tick("bodies.purge")
            kept = await stage.read(
                lambda session: session.connection().exec_driver_sql(
                    "SELECT count(*) FROM inbox WHERE body IS NOT NULL"
                ).scalar()
            )  # fmt: skip
            assert bool(kept) == left
        raw = stage.says(channel).raw
        assert raw
        await stage.quiet()


async def test_a_tick_in_two_processes_is_one_job(stage: Stage) -> None:
    for _ in range(5):
        await stage.tick("outbox.sweep")
    assert await stage.count("job") == 0
