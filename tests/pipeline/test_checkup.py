"""The check-up: what platforms say of our accounts is kept, mended where we can, and rings once where a person must."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import timedelta

import pytest

from bot.channels.messenger.page import SUBSCRIBED_FIELDS
from bot.commands import checkup
from bot.commands.report import Refused, Report
from simulator.people import MESSENGER, ZALO
from storage import accounts, alarms
from storage.accounts import AccountView
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

KIND = "accounts.check"


async def rung(stage: Stage) -> dict[str, str]:
    """The alarms that are open, and their words."""
    return {alarm.kind: alarm.words for alarm in await stage.read(alarms.unsolved)}


async def account(stage: Stage, channel: str) -> AccountView:
    """An account as it is kept."""
    return next(view for view in await stage.read(accounts.everyone) if view.channel == channel)


async def check(stage: Stage, channel: str | None = None, account_id: str | None = None) -> Report:
    """The command, beside the running service."""
    arguments = Namespace(channel=channel, account_id=account_id)
    return await checkup.run(arguments, stage.service.database, stage.outside)


async def look_again(stage: Stage) -> None:
    """Six hours later the accounts are looked at once more."""
    stage.clock.pass_by(hours=6)
    await stage.tick(KIND)


async def test_what_the_platforms_say_is_kept_with_its_time(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        await stage.tick(KIND)
        page, oa = await account(stage, MESSENGER), await account(stage, ZALO)
        assert (page.name, oa.name) == ("Khách Quen", "Khách Quen")
        assert page.checked_at == oa.checked_at == clock()
        assert json.loads(page.facts)["subscribed"] is True
        assert json.loads(page.facts)["token_ends"] == "never"
        assert "pages_messaging" in json.loads(page.facts)["permissions"]
        quotas = "sub_quota 500 of 500 left until 2026-11-30; template_daily 500 of 500 left; "
        assert json.loads(oa.facts) == {
            "verified": True,
            "package": "Tăng trưởng",
            "package_until": "2027-05-22",
            "quotas": quotas + "template_promotion_monthly 125 of 125 left",
        }
        assert await rung(stage) == {}


async def test_an_account_is_looked_at_again_after_six_hours_and_no_sooner(stage: Stage) -> None:
    await stage.tick(KIND)
    first = (await account(stage, ZALO)).checked_at
    stage.clock.pass_by(hours=5)
    await stage.tick(KIND)
    assert (await account(stage, ZALO)).checked_at == first
    stage.clock.pass_by(hours=1)
    await stage.tick(KIND)
    assert (await account(stage, ZALO)).checked_at == stage.clock()


async def test_a_page_that_lost_its_subscription_gets_it_back_with_what_it_had_beside(stage: Stage) -> None:
    stage.platform.page.fields = {"messages", "feed"}
    await stage.tick(KIND)
    assert stage.platform.page.fields == {*SUBSCRIBED_FIELDS, "feed"}
    assert await rung(stage) == {}
    stage.platform.page.fields = set()
    await look_again(stage)
    assert stage.platform.page.fields == set(SUBSCRIBED_FIELDS)


async def test_a_subscription_that_cannot_be_mended_rings_once_and_ends_with_the_next_good_look(stage: Stage) -> None:
    page = stage.platform.page
    page.fields, page.scopes = {"messages"}, ("pages_messaging",)
    await stage.tick(KIND)
    await look_again(stage)
    words = await rung(stage)
    assert sorted(words) == ["page_not_subscribed", "permission_missing"]
    assert "messaging_postbacks" in words["page_not_subscribed"]
    assert "pages_manage_metadata" in words["permission_missing"]
    assert await stage.count("alarm") == 2
    page.scopes = ("pages_messaging", "pages_manage_metadata")
    await look_again(stage)
    assert await rung(stage) == {}
    assert page.fields == set(SUBSCRIBED_FIELDS)


async def test_a_subscription_that_goes_to_another_app_is_not_called_mended(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, settings={"MESSENGER_APP_ID": "77"}) as stage:
        report = await check(stage, MESSENGER)
        assert "not listed yet for the app of MESSENGER_APP_ID" in "\n".join(report.lines)
        assert report.data[0]["mended"] == ""
        assert await rung(stage) == {}


async def test_a_token_that_ends_within_a_week_rings(stage: Stage) -> None:
    stage.platform.page.token_ends_at = stage.clock() + timedelta(days=8)
    await stage.tick(KIND)
    assert await rung(stage) == {}
    stage.clock.pass_by(days=1, hours=1)
    await stage.tick(KIND)
    assert list(await rung(stage)) == ["token_ends"]
    assert "2026-12-01" in (await rung(stage))["token_ends"]
    stage.platform.page.token_ends_at = None
    await look_again(stage)
    assert await rung(stage) == {}


async def test_a_token_that_facebook_calls_invalid_holds_the_page_before_a_customer_notices(stage: Stage) -> None:
    stage.platform.page.token_ends_at = stage.clock() - timedelta(minutes=1)
    await stage.tick(KIND)
    assert (await account(stage, MESSENGER)).held
    assert list(await rung(stage)) == ["token_dead"]


async def test_a_wrong_app_secret_says_nothing_about_the_pages_token(stage: Stage) -> None:
    stage.goes_wrong("token_expired", host="graph", path="debug_token")
    await stage.tick(KIND)
    page = await account(stage, MESSENGER)
    assert page.held == ""
    assert json.loads(page.facts)["token"].startswith("refused (190/463)")
    assert await rung(stage) == {}


@pytest.mark.parametrize("fault", ["reset", "html_502", "half_body"])
async def test_a_platform_that_cannot_be_reached_rings_nothing_and_changes_nothing(stage: Stage, fault: str) -> None:
    stage.platform.page.fields = {"messages"}
    stage.platform.oa.verified = False
    await stage.tick(KIND)
    before = await rung(stage)
    assert list(before) == ["oa_not_verified"]
    stage.platform.page.fields, stage.platform.oa.verified = {"messages"}, True
    for host in ("graph", "zalo"):
        stage.goes_wrong(fault, host=host, times=9)
    known = [await account(stage, ZALO), await account(stage, MESSENGER)]
    await look_again(stage)
    assert await rung(stage) == before
    assert [await account(stage, ZALO), await account(stage, MESSENGER)] == known
    stage.platform.faults.clear()
    stage.clock.pass_by(minutes=10)
    await stage.tick(KIND)
    assert await rung(stage) == {}, "the next look is soon"


async def test_a_package_rings_two_weeks_before_its_end_and_until_it_is_renewed(stage: Stage) -> None:
    stage.platform.oa.package_until = stage.clock() + timedelta(days=14)
    await stage.tick(KIND)
    assert await rung(stage) == {}
    stage.clock.pass_by(days=1)
    await stage.tick(KIND)
    assert "07/12/2026" in (await rung(stage))["package_ends"]
    stage.platform.zalo_package = "expired"
    await look_again(stage)
    assert list(await rung(stage)) == ["package_ends"]
    stage.platform.zalo_package, stage.platform.oa.package_until = "growth", None
    await look_again(stage)
    assert await rung(stage) == {}


async def test_a_package_that_is_over_rings_although_zalo_tells_nothing_more(stage: Stage) -> None:
    stage.platform.zalo_package = "expired"
    await stage.tick(KIND)
    assert list(await rung(stage)) == ["package_ends"]


async def test_an_access_token_that_died_is_renewed_on_the_way(stage: Stage) -> None:
    stage.platform.zalo_tokens.expire()
    await stage.tick(KIND)
    assert stage.platform.zalo_tokens.pairs_issued == 1
    assert (await account(stage, ZALO)).checked_at == stage.clock()


async def test_a_refresh_token_that_nobody_used_for_80_days_rings_until_it_is_used(stage: Stage) -> None:
    stage.clock.pass_by(days=80)
    await stage.tick(KIND)
    assert "refresh_token_ages" in await rung(stage)
    await stage.tick("tokens.refresh")
    await look_again(stage)
    assert await rung(stage) == {}


async def test_the_command_looks_at_once_and_tells_what_it_found(stage: Stage) -> None:
    stage.platform.page.fields = {"messages"}
    stage.platform.oa.verified = False
    report = await check(stage)
    assert not report.ok
    states = {look["channel"]: look["state"] for look in report.data}
    assert states == {MESSENGER: "good", ZALO: "trouble"}
    text = "\n".join(report.lines)
    assert "mended: subscribed to messaging_postbacks" in text
    assert "its owner verifies it" in text
    json.dumps(report.data)
    one = await check(stage, MESSENGER, stage.platform.config.messenger_page_id)
    assert one.ok
    assert [look["channel"] for look in one.data] == [MESSENGER]
    with pytest.raises(Refused, match="account list"):
        await check(stage, ZALO, "404")


async def test_the_command_tells_of_a_platform_that_is_not_there_and_of_an_account_that_is_held(stage: Stage) -> None:
    stage.goes_wrong("reset", host="zalo", times=9)
    stage.platform.page.token_ends_at = stage.clock()
    report = await check(stage)
    assert {look["channel"]: look["state"] for look in report.data} == {ZALO: "not_told", MESSENGER: "held"}
    assert not report.ok


async def test_no_token_stands_in_what_was_found(stage: Stage) -> None:
    stage.platform.page.scopes = ()
    stage.platform.page.fields = set()
    report = await check(stage)
    config = stage.platform.config
    told = json.dumps(report.data) + "\n".join(report.lines) + str(await rung(stage))
    for secret in (config.messenger_page_token, config.zalo_access_token, config.messenger_app_secret):
        assert secret not in told
