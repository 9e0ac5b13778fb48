"""Our own Vietnamese is spelt one way: the tone of oa, oe and uy stands on the first of the two ("xóa", "hủy")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.spelling import words

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ("bot", "crm", "docs", "handlers", "message_templates", "simulator", "storage", "web", "benchmarks")
SUFFIXES = {".py", ".j2", ".md", ".toml", ".txt", ".js", ".html", ".css"}
OTHER_WAY = re.compile(r"(?<!q)(?:o[áàảãạéèẻẽẹ]|u[ýỳỷỹỵ])(?![^\W\d_])", re.IGNORECASE)


def texts() -> Iterator[Path]:
    """Every file in which we say something; tests write as customers do."""
    yield from (*ROOT.glob("*.md"), *ROOT.glob("*.py"), ROOT / ".env.example")
    for room in WRITTEN:
        yield from (path for path in (ROOT / room).rglob("*") if path.suffix in SUFFIXES)


def test_what_we_write_spells_a_word_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if OTHER_WAY.search(line)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("word", ["xoá", "huỷ", "Khoá", "hoà", "khoẻ"])
def test_the_other_way_is_seen(word: str) -> None:
    assert OTHER_WAY.search(f"“{word}”")


@pytest.mark.parametrize("word", ["xóa", "hủy", "quý", "quỹ", "hoàn", "khoảng", "thoát", "tuyến", "toán"])
def test_words_with_one_spelling_are_let_be(word: str) -> None:
    assert not OTHER_WAY.search(f"“{word}”")


@pytest.mark.parametrize(("theirs", "ours"), [("xoá", "xóa"), ("huỷ", "hủy"), ("hoà", "hòa"), ("khoẻ", "khỏe")])
def test_whoever_writes_the_other_way_is_understood(theirs: str, ours: str) -> None:
    assert words(theirs) == words(ours)
