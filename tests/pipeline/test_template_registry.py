"""The registry of templates: read from the platforms, changed by their events, shown by the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import registry
from bot.commands import templates as commands
from bot.commands.arguments import parser
from bot.commands.report import Refused, Report
from bot.settings import Settings
from crm import templates
from crm.templates import Status
from simulator.config import SAMPLE_TEMPLATES
from simulator.people import MESSENGER, ZALO
from simulator.templates import change_zbs
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing

MANY = tuple(replace(SAMPLE_TEMPLATES[0], id=str(number)) for number in range(1, 206))


async def synced(stage: Stage) -> dict[str, templates.Template]:
    """All templates by id, after every account was read anew."""
    await stage.tick(registry.SYNC)
    await stage.jobs_done(registry.SYNC)
    return {each.template_id: each for each in await stage.read(templates.everyone)}


async def test_both_platforms_are_asked(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        stage.platform.page.templates = [
            {"id": str(number), "name": f"order_{number}", "language": "vi", "status": "APPROVED",
             "category": "UTILITY", "components": [{"type": "BODY", "text": "Đơn {{1}} nhé."}]}
            for number in range(130)
        ]  # fmt: skip
        known = await synced(stage)
        assert known["123456"].is_usable and known["123456"].price_user == 560
        assert len([each for each in known.values() if each.channel == MESSENGER]) == 130


async def test_a_long_list_is_read_page_by_page_and_what_vanished_is_gone(sqlite_url: str, clock: Clock) -> None:
    async with playing(sqlite_url, clock, zbs_templates=MANY) as stage:
        assert len(await synced(stage)) == 205
        change_zbs(stage.platform, "7", gone=True)
        known = await synced(stage)
        assert (known["7"].gone, known["8"].gone) == (True, False)


async def test_a_platform_that_cannot_be_read_changes_nothing(stage: Stage) -> None:
    before = await synced(stage)
    stage.goes_wrong("status", host="zalo-business", path="template", times=9, status=500)
    for template_id in before:
        change_zbs(stage.platform, template_id, gone=True)
    assert await synced(stage) == before
    stage.platform.faults.clear()
    stage.clock.pass_by(minutes=10)
    await stage.jobs_done(registry.SYNC)
    assert all(each.gone for each in await stage.read(templates.everyone)), "it was asked again"


async def test_a_limit_met_while_templates_are_read_puts_the_rest_off(stage: Stage) -> None:
    stage.goes_wrong("code", host="zalo-business", path="template/info", code=-147)
    assert [each for each in (await synced(stage)).values() if each.channel == ZALO] == []
    stage.clock.pass_by(hours=6)
    await stage.jobs_done(registry.SYNC)
    await stage.until(lambda session: any(each.channel == ZALO for each in templates.everyone(session)))


async def test_an_event_changes_the_registry_and_asks_the_platform_soon(stage: Stage) -> None:
    await synced(stage)
    for delivery in change_zbs(stage.platform, "123456", status="REJECT", quality="LOW", reason="Logo không hợp lệ"):
        await stage.taken(delivery)
    await stage.quiet()
    known = {each.template_id: each for each in await stage.read(templates.everyone)}["123456"]
    assert (known.status, known.quality, known.reason) == (Status.REJECTED, "low", "Logo không hợp lệ")
    change_zbs(stage.platform, "123457", gone=True)
    stage.clock.pass_by(minutes=1)
    await stage.jobs_done(registry.SYNC)
    assert {each.template_id for each in await stage.read(templates.everyone) if each.gone} == {"123457"}


async def test_an_event_about_a_template_that_we_do_not_know_is_no_poison(stage: Stage) -> None:
    for delivery in change_zbs(stage.platform, "123456", status="DISABLE"):
        await stage.taken(delivery)
    await stage.quiet()
    assert await stage.dead() == []
    assert await stage.read(templates.everyone) == []


async def command(stage: Stage, *words: str) -> Report:
    """What `khachquen template …` answers beside the running service."""
    arguments = parser().parse_args(["template", *words])
    settings = Settings(secret_key="a secret key for tests only")
    return await commands.run(arguments, stage.service.database, settings, stage.outside)


async def test_the_command_reads_lists_and_tries_templates(stage: Stage) -> None:
    report = await command(stage, "sync", "--channel", ZALO)
    assert [(each["channel"], each["known"], each["new"]) for each in report.data] == [(ZALO, 2, 2)]
    listed = await command(stage, "list")
    assert [(each["template_id"], each["status"], each["price_user"]) for each in listed.data] == [
        ("123457", "approved", 560), ("123456", "approved", 560),
    ]  # fmt: skip
    assert "customer_name≤30" in "\n".join(listed.lines)
    good = await command(stage, "preview", "123456", "customer_name=Lan", "order_code=DH-1")
    assert good.ok and good.data["problems"] == []
    assert good.data["lanes"] == [{"lane": "template_uid", "price": 560}, {"lane": "template_phone", "price": 800}]
    bad = await command(stage, "preview", "Xác nhận đơn hàng", "customer_name=" + "N" * 31)
    assert not bad.ok
    assert bad.data["problems"] == ["customer_name has 31 characters; 30 is the most", "order_code is missing"]
    change_zbs(stage.platform, "123456", gone=True)
    await command(stage, "sync")
    assert [each["template_id"] for each in (await command(stage, "list")).data] == ["123457"]
    assert len((await command(stage, "list", "--all")).data) == 2
    gone = await command(stage, "preview", "123456", "customer_name=Lan", "order_code=DH-1")
    assert not gone.ok and gone.data["problems"] == ["it cannot be used: the platform lists it no more"]
    with pytest.raises(Refused, match="khachquen template list"):
        await command(stage, "preview", "nothing")


async def test_the_command_says_which_account_could_not_be_read(stage: Stage) -> None:
    stage.goes_wrong("code", host="zalo-business", path="template/all", code=-135)
    report = await command(stage, "sync")
    assert not report.ok
    assert [("error" in each) for each in report.data] == [each["channel"] == ZALO for each in report.data]
    with pytest.raises(Refused, match="khachquen account list"):
        await command(stage, "sync", "--account", "1")
