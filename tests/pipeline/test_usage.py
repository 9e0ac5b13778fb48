"""Near a platform's limit an account slows down by itself: marketing waits first, replies go on."""

from __future__ import annotations

from functools import partial

from prometheus_client import REGISTRY

from crm import consent
from crm.messages import Purpose
from simulator.people import MESSENGER, ZALO
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, Stage, playing

OFFER = "Cuối tuần này có món mới"


async def agreed(stage: Stage, channel: str, who: str = "lan") -> None:
    """They wrote once, and want offers."""
    await stage.said(channel, who=who)
    customer = (await stage.person(channel, who)).customer_id
    say = partial(consent.say, customer_id=customer, granted=True, at=stage.clock(), channel=channel, wording="test")
    await stage.service.database.write(lambda session: say(session))


async def test_marketing_waits_at_80_percent_while_replies_go_on(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        await agreed(stage, MESSENGER)
        stage.platform.page.usage = {"call_count": 81, "total_cputime": 1, "total_time": 2}
        await stage.said(MESSENGER, who="minh")
        await stage.send(MESSENGER, OFFER, Purpose.CARE)
        await stage.taken(stage.says(MESSENGER, who="huong"))
        await stage.until(lambda session: len(stage.heard()) == 3)
        assert stage.heard() == [ANSWER] * 3
        assert (await stage.states())[2] == "waiting"
        stage.platform.page.usage = {"call_count": 20}
        stage.clock.pass_by(minutes=10)
        await stage.quiet()
        assert stage.heard()[-1] == OFFER


async def test_the_marketing_of_one_account_that_waits_is_not_in_the_way_of_anothers(stage: Stage) -> None:
    await agreed(stage, MESSENGER)
    await agreed(stage, ZALO)
    stage.platform.page.usage = {"call_count": 95}
    await stage.said(MESSENGER, who="minh")
    await stage.send(MESSENGER, OFFER, Purpose.CARE)
    await stage.send(ZALO, OFFER, Purpose.CARE)
    await stage.until(lambda session: OFFER in stage.heard(ZALO))
    assert OFFER not in stage.heard(MESSENGER)


async def test_sends_are_spread_out_from_70_percent_on(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, settings={"MESSENGER_SENDS_PER_SECOND": "20"}) as stage:
        stage.platform.page.usage = {"total_time": 100}
        await stage.said(MESSENGER, who="first")
        clock.pass_by(minutes=1)
        for number in range(30):
            await stage.taken(stage.says(MESSENGER, who=f"p{number}"))
        await stage.until(lambda session: len(stage.heard()) >= 10)
        before = len(stage.heard())
        clock.pass_by(seconds=1)
        await stage.until(lambda session: len(stage.heard()) >= before + 5)
        await stage.platform.courier.idle()
        assert len(stage.heard()) - before <= 6, "twenty a second became five"


async def test_an_account_rests_for_as_long_as_facebook_asks(stage: Stage) -> None:
    stage.platform.page.usage, stage.platform.page.regain_minutes = {"call_count": 100}, 5
    await stage.said(MESSENGER)
    await stage.taken(stage.says(MESSENGER, who="minh"))
    await stage.taken(stage.says(ZALO, who="minh"))
    await stage.until(lambda session: bool(stage.heard(ZALO)))
    assert stage.heard(MESSENGER) == [ANSWER]
    stage.platform.page.usage, stage.platform.page.regain_minutes = {"call_count": 40}, 0
    stage.clock.pass_by(minutes=6)
    await stage.quiet()
    assert stage.heard(MESSENGER) == [ANSWER] * 2


async def test_zalos_rate_headers_count_for_their_minute(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, zalo_per_minute=10) as stage:
        await agreed(stage, ZALO)
        for who in ("a", "b", "c", "d"):
            await stage.said(ZALO, who=who)
        await stage.send(ZALO, OFFER, Purpose.CARE)
        await stage.platform.courier.idle()
        assert OFFER not in stage.heard()
        clock.pass_by(minutes=1)
        await stage.quiet()
        assert stage.heard()[-1] == OFFER


async def test_how_near_the_limit_is_stands_in_the_figures(stage: Stage) -> None:
    stage.platform.page.usage = {"call_count": 42}
    await stage.said(MESSENGER)
    labels = {"channel": MESSENGER, "account": stage.platform.config.messenger_page_id}
    assert REGISTRY.get_sample_value("khachquen_platform_usage_percent", labels) == 42
