"""What a Page shows before the first word: set, shown and cleared by command, and every button of it is answered."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from bot.channels.base import SendError
from bot.commands import page
from bot.commands.report import Refused, Report
from bot.commands.trouble import words_of
from bot.settings import Settings
from simulator import speech
from simulator.people import MESSENGER
from tests.pipeline.stage import ANSWER, Stage


async def profile(stage: Stage, what: str, page_id: str = "", **shop: str) -> Report:
    """The command, beside the running service."""
    arguments = Namespace(action="profile", what=what, page_id=page_id or stage.platform.config.messenger_page_id)
    settings = Settings(brand_name="Tiệm Lá", **shop)  # type: ignore[arg-type]
    return await page.run(arguments, stage.service.database, settings, stage.outside)


async def test_it_is_set_in_both_languages_and_shown(stage: Stage) -> None:
    done = await profile(stage, "set")
    set_up = stage.platform.page.profile
    assert set_up["get_started"] == {"payload": "GET_STARTED"}
    assert [each["locale"] for each in set_up["greeting"]] == ["default", "en_US", "en_GB"]
    assert "Tiệm Lá" in set_up["greeting"][0]["text"]
    assert set_up["greeting"][1]["text"].startswith("Hello!")
    assert set_up["persistent_menu"][1]["call_to_actions"][0]["title"] == "My points"
    assert [len(each["call_to_actions"]) for each in set_up["ice_breakers"]] == [4, 4, 4]
    shown = await profile(stage, "show")
    assert shown.data["profile"] == done.data["profile"] == set_up
    assert "up to a day" in done.lines[-1]
    assert any(line.startswith("questions      default: Điểm của tôi |") for line in shown.lines)
    json.dumps(shown.data)


async def test_the_shops_language_is_what_everybody_else_sees(stage: Stage) -> None:
    await profile(stage, "set", locale="en")
    greeting = stage.platform.page.profile["greeting"]
    assert [each["locale"] for each in greeting] == ["default", "vi_VN"]
    assert greeting[0]["text"].startswith("Hello!")


async def test_a_press_on_every_item_is_answered(stage: Stage) -> None:
    await profile(stage, "set")
    items = stage.platform.page.profile["persistent_menu"][0]["call_to_actions"]
    for number, item in enumerate(items):
        who = f"p{number}"
        said = speech.press(stage.platform, stage.contact(MESSENGER, who), item["title"])
        await stage.taken(said.delivery)
        await stage.quiet()
        assert len(stage.heard(MESSENGER, who)) == 1
    assert stage.heard(MESSENGER, "p0") == [ANSWER]
    await stage.taken(speech.follow(stage.platform, stage.contact(MESSENGER)).delivery)
    await stage.quiet()
    assert "Mình là trợ lý tự động" in stage.heard(MESSENGER, "lan")[0]


async def test_it_is_cleared_and_what_is_not_ours_stays(stage: Stage) -> None:
    await profile(stage, "set")
    stage.platform.page.profile["whitelisted_domains"] = ["https://shop.example.vn/"]
    cleared = await profile(stage, "clear")
    assert stage.platform.page.profile == {"whitelisted_domains": ["https://shop.example.vn/"]}
    assert cleared.data["profile"] == {}
    assert cleared.lines[0] == "start button   no"


async def test_it_may_be_set_twice(stage: Stage) -> None:
    first = await profile(stage, "set")
    assert (await profile(stage, "set")).data == first.data


async def test_a_page_that_is_not_connected_is_refused_in_words(stage: Stage) -> None:
    with pytest.raises(Refused, match="khachquen account add"):
        await profile(stage, "show", "404")


async def test_what_facebook_refuses_is_told_in_words(stage: Stage) -> None:
    stage.goes_wrong("code", host="graph", path="messenger_profile", code=613)
    with pytest.raises(SendError) as refused:
        await profile(stage, "set")
    words = words_of(refused.value)
    assert words
    assert stage.platform.config.messenger_page_token not in words
