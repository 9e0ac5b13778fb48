"""Angry lines are told from others: spelt as people spell, denied, and only asked."""

from __future__ import annotations

import pytest

from bot.anger import is_angry
from bot.spelling import FOLDER

ANGRY = (
    "shop lừa đảo à", "đơn đâu? làm ăn kiểu gì vậy", "bực mình thật sự", "BỰC QUÁ ĐI", "buc minh qua",
    "that vong qua di", "thất vọngggg", "quá tệ, không bao giờ mua nữa", "thái độ của nhân viên rất tệ",
    "nhắn hoài không ai trả lời", "không chấp nhận được", "trả lại tiền ngay cho tôi", "this is a scam",
    "nobody answers me, I am fed up", "WORST shop", "không giao đúng hẹn. Lừa đảo",
)  # fmt: skip
CALM = (
    "cho hỏi đơn của mình", "shop không lừa đảo đâu bạn ạ", "shop có lừa đảo không vậy", "mình không bực đâu",
    "mình chưa bao giờ thất vọng về shop", "gửi lại kiện hàng cho mình", "kiện hàng của mình đâu", "chị tên Tệ", "te",
    "áo không tệ lắm", "this is not a scam, right", "I am not angry", "bao giờ có hàng", "cảm ơn shop nhé", "",
)  # fmt: skip


@pytest.mark.parametrize("line", ANGRY)
def test_anger_is_heard(line: str) -> None:
    assert is_angry(line)


@pytest.mark.parametrize("line", CALM)
def test_calm_lines_are_not_taken_for_anger(line: str) -> None:
    assert not is_angry(line)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_phrase_of_the_lists_is_found(language: str) -> None:
    lines = (FOLDER / f"anger.{language}.txt").read_text("utf-8").splitlines()
    phrases = [line.replace("…", "") for line in lines if line and not line.startswith("#")]
    assert len(phrases) == len(set(phrases))
    assert [phrase for phrase in phrases if not is_angry(phrase)] == []
