"""Every lane of every channel is told in both languages."""

from __future__ import annotations

import pytest

from bot import lanes
from bot.channels.messenger import rules as messenger
from bot.channels.zalo import rules as zalo
from bot.channels.zalobot import rules as zalobot

NAMES = sorted({lane.name for each in (messenger, zalo, zalobot) for lane in each.RULES.lanes})


@pytest.mark.parametrize("name", NAMES)
def test_no_lane_is_told_by_its_internal_name(name: str) -> None:
    words = lanes.words(name)
    assert name not in (words.vi, words.en) and words.vi and words.en


def test_no_lane_is_nothing_and_one_of_old_stays_as_it_is() -> None:
    assert lanes.words("").vi == "" and lanes.words("message_tag").en == "message_tag"
