"""Who follows an OA, what its staff call them, and what is said in its groups: known here, and nobody is written to."""

from __future__ import annotations

from argparse import Namespace

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot import followers, labels
from bot.commands import crowd
from bot.commands.report import Refused
from crm import tags
from simulator import control
from simulator.people import MESSENGER, ZALO
from storage import accounts, transcripts
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

GROUP = "f414c8f76fa586fbdfb4"


def named(stage: Stage, **more: str) -> Namespace:
    """The OA, as a command names it."""
    return Namespace(channel=ZALO, account_id=stage.platform.config.zalo_oa_id, **more)


async def read_followers(stage: Stage) -> None:
    """The command, and the jobs that follow from it."""
    await crowd.followers(named(stage), stage.service.database, stage.outside)
    await stage.jobs_done(followers.JOB)
    stage.clock.pass_by(minutes=3)
    for kind in (followers.JOB, "profile.fetch"):
        await stage.jobs_done(kind)


async def share(stage: Stage, wish: str = "on") -> None:
    """Keep tags and labels alike, or not."""
    await crowd.labels(named(stage, wish=wish), stage.service.database, stage.outside)


async def tags_of(stage: Stage, who: str = "lan") -> list[tuple[str, str]]:
    """A customer's tags, and who set each."""
    person = await stage.person(ZALO, who)
    found = await stage.read(lambda session: tags.of_customer(session, person.customer_id))
    return [(each.name, each.set_by) for each in found]


async def test_followers_become_known_and_no_window_opens(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock) as stage:
        for number in range(52):
            stage.contact(ZALO, f"f{number}").following = True
        stage.contact(ZALO, "stranger")
        await read_followers(stage)
        query = text("SELECT count(*) FROM identity WHERE followed AND last_interaction_at IS NULL")
        await stage.until(lambda session: session.connection().execute(query).scalar_one() >= 52)
        known = {user for (user,) in await stage.read(lambda s: s.connection().execute(
            text("SELECT user_id FROM identity")).all())}  # fmt: skip
        assert stage.contact(ZALO, "stranger").user_id not in known
        assert {stage.contact(ZALO, f"f{number}").user_id for number in range(52)} <= known
        assert stage.calls() == [] and await stage.count("outbox") == 0
        clock.pass_by(minutes=3)
        await stage.jobs_done("profile.fetch")
        assert (await stage.person(ZALO, "f0")).identity_name == "f0"


async def test_a_follower_who_is_known_stays_who_they_are(stage: Stage) -> None:
    await stage.said(ZALO)
    before = await stage.person(ZALO)
    stage.contact(ZALO).following = True
    await read_followers(stage)
    after = await stage.person(ZALO)
    assert after.followed and (after.customer_id, after.last_interaction_at) == (
        before.customer_id,
        before.last_interaction_at,
    )


async def test_a_tag_goes_to_the_oa_and_comes_off_there_only_where_that_is_wished(stage: Stage) -> None:
    await stage.said(ZALO)
    person = await stage.person(ZALO)

    async def put(name: str, *, on: bool = True) -> None:
        def change(session: Session) -> None:
            if on:
                labels.put_on(session, person.customer_id, name, by="staff:1", now=stage.clock())
            else:
                labels.take_off(session, person.customer_id, name, now=stage.clock())

        await stage.service.database.write(change)
        await stage.jobs_done(labels.JOB)
        await stage.quiet()

    await put("Sỉ")
    assert stage.contact(ZALO).tags == []
    await share(stage)
    await put("VIP")
    assert stage.contact(ZALO).tags == ["VIP"]
    stage.clock.pass_by(seconds=5)
    await put("VIP", on=False)
    assert stage.contact(ZALO).tags == []
    assert await tags_of(stage) == [("Sỉ", "staff:1")]


async def test_labels_of_the_oa_become_tags_and_cease_to_be(stage: Stage) -> None:
    await stage.said(ZALO)
    stage.contact(ZALO).following = True
    await control.label(stage.platform, {"person": "lan", "name": "Cũ"})
    await stage.quiet()
    assert await tags_of(stage) == []
    await share(stage)
    await read_followers(stage)
    await stage.until(lambda session: session.connection().execute(text("SELECT count(*) FROM tag")).scalar() == 1)
    stage.clock.pass_by(seconds=5)
    await control.label(stage.platform, {"person": "lan", "name": "Khách VIP"})
    await stage.quiet()
    assert await tags_of(stage) == [("Cũ", ZALO), ("Khách VIP", ZALO)]
    stage.clock.pass_by(seconds=5)
    await control.label(stage.platform, {"person": "lan", "name": "Cũ", "on": False})
    gone = {"event_name": "remove_tag", "tag": {"name": "Khách VIP"}, "app_id": stage.platform.config.zalo_app_id}
    about = {"oa_id": stage.platform.config.zalo_oa_id, "timestamp": str(int(stage.clock().timestamp() * 1000))}
    assert await stage.webhook(ZALO, {**gone, **about}) == 200
    await stage.quiet()
    assert await tags_of(stage) == []


async def test_only_an_oa_has_followers_and_labels(stage: Stage) -> None:
    page = Namespace(channel=MESSENGER, account_id=stage.platform.config.messenger_page_id, wish="on")
    for command in (crowd.followers, crowd.labels):
        with pytest.raises(Refused):
            await command(page, stage.service.database, stage.outside)
    with pytest.raises(Refused):
        await crowd.followers(Namespace(channel=ZALO, account_id="7"), stage.service.database, stage.outside)
    assert not any(each.shares_labels for each in await stage.read(accounts.everyone))


async def test_what_is_said_in_a_group_makes_no_customer_gets_no_answer_and_is_no_command(stage: Stage) -> None:
    for words in ("xem điểm", "/diem lan +100 thử", f"[@{stage.platform.config.zalo_oa_id}] menu"):
        told = await control.group_says(stage.platform, {"group": GROUP, "person": "lan", "text": words})
        assert told["ok"]
    assert (await control.group_says(stage.platform, {"group": GROUP, "text": "Chào cả nhóm"}))["ok"]
    await stage.quiet()
    assert [await stage.count(table) for table in ("customer", "identity", "message", "outbox")] == [0, 0, 0, 0]
    assert await stage.dead() == [] and stage.calls() == []
    assert await stage.count("inbox") == 4


async def test_a_reaction_of_the_customer_is_kept_on_its_line_and_taken_off(stage: Stage) -> None:
    await stage.said(ZALO)
    line = stage.contact(ZALO).answered()[0]

    async def reacts(icon: str) -> str:
        await control.react(stage.platform, {"channel": ZALO, "person": "lan", "icon": icon})
        await stage.quiet()
        person = await stage.person(ZALO)
        found = await stage.read(lambda session: transcripts.latest(session, person.identity_id))
        return next(each.reaction for each in found if each.message_id == line.message_id)

    assert await reacts("/-heart") == "❤️"
    assert await reacts("") == ""
    assert await stage.count("outbox") == 1


async def test_proofs_are_made_where_the_app_demands_them_and_left_out_where_it_is_wished(
    sqlite_url: str, clock: Clock
) -> None:
    async with playing(sqlite_url, clock, require_appsecret_proof=True) as stage:
        for channel in (ZALO, MESSENGER):
            await stage.said(channel)
            assert len(stage.calls(channel)) == 1


async def test_without_proofs_an_app_that_demands_them_refuses(sqlite_url: str, clock: Clock) -> None:
    off = {"ZALO_APP_PROOF": "off", "MESSENGER_APP_PROOF": "off"}
    async with playing(sqlite_url, clock, settings=off, require_appsecret_proof=True) as stage:
        for channel in (ZALO, MESSENGER):
            await stage.taken(stage.says(channel))
        await stage.until(lambda session: session.connection().execute(
            text("SELECT count(*) FROM outbox WHERE error <> ''")).scalar_one() == 2)  # fmt: skip
        assert stage.calls() == []
