"""Members' cards as pictures: every Vietnamese letter, no broken boxes, the same bytes for the same words."""

from __future__ import annotations

import ast
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.drawing.artist import Artist, Undrawn
from bot.drawing.card import SIZE, Lines, draw
from bot.drawing.letters import fitted, is_known, shown

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Lines(
    "Thẻ thành viên",
    "Mây Trưa",
    "Nguyễn Thị Lan",
    "Khách thân thiết",
    "Hạng Vàng",
    "1.250 điểm",
    "K7QWM2XHPA",
    "K7QWM 2XHPA",
    2,
)
LETTERS = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ0123456789₫.,:–…"


def test_the_font_has_every_letter_of_vietnamese() -> None:
    assert [letter for letter in LETTERS + LETTERS.upper() if not is_known(letter)] == []


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Lan 🌸✨", "Lan"),
        ("Nguyen Thi Lan", "Nguyen Thi Lan"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("𝓛𝓪𝓷", "Lan"),
        ("👨‍👩‍👧", ""),
        ("小兰", ""),
        ("", ""),
    ],
)
def test_what_the_font_lacks_is_left_out(name: str, seen: str) -> None:
    assert shown(name) == seen


def test_a_name_of_any_length_fits_its_place() -> None:
    for name in ("Lan", "Nguyễn Phước Công Tôn Nữ Hoàng Thị Thuỳ Trang", "W" * 300):
        words, font = fitted(name, "Bold", 58, 34, 560)
        assert font.getlength(words) <= 560
        assert words == name or words.endswith("…")


def test_a_card_is_a_small_png_and_the_same_words_are_the_same_bytes() -> None:
    picture = draw(PLAIN)
    assert Image.open(io.BytesIO(picture)).size == SIZE
    assert len(picture) < 100_000
    assert draw(PLAIN) == picture
    assert draw(replace(PLAIN, points="1.251 điểm")) != picture
    assert draw(replace(PLAIN, name="🌸")) == draw(replace(PLAIN, name=""))


async def test_a_process_that_dies_costs_one_picture() -> None:
    artist = Artist()
    with pytest.raises(Undrawn):
        await artist.draw({"no": "card"})
    lines = {name: getattr(PLAIN, name) for name in Lines.__slots__}
    assert await artist.draw(lines) == draw(PLAIN)
    await artist.close()


def test_only_the_process_that_draws_loads_what_draws() -> None:
    found = {
        path for path in ROOT.glob("bot/**/*.py") if _imports(path) & {"PIL", "segno", "openpyxl", "bot.drawing.card"}
    }
    assert {path.stem for path in found} == {"card", "letters", "child", "sheets", "shrinking"}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, node.module.split(".")[0]}
    return names
