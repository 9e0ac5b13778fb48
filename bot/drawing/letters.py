"""Letters on pictures: our own font, with every Vietnamese letter; what it lacks is left out, never shown as a box."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont, Layout

FONTS = Path(__file__).resolve().parent / "fonts"
_NO_LETTER = "\uffff"
_CUT = "…"


@cache
def font(weight: str, size: int) -> FreeTypeFont:
    """Be Vietnam Pro, `Regular` or `Bold`, at so many pixels."""
    return ImageFont.truetype(FONTS / f"BeVietnamPro-{weight}.ttf", size, layout_engine=Layout.BASIC)


@cache
def is_known(letter: str) -> bool:
    """Whether the font can show a letter."""
    plain = font("Regular", 24)
    return letter.isspace() or bytes(plain.getmask(letter)) != bytes(plain.getmask(_NO_LETTER))


def shown(text: str) -> str:
    """A text with what the font can show: ornate letters become plain ones, emoji and other scripts are left out."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text))
    return " ".join("".join(letter if is_known(letter) else " " for letter in composed).split())


def fitted(text: str, weight: str, size: int, least: int, width: int) -> tuple[str, FreeTypeFont]:
    """A text and the font in which it is no wider than this: smaller where it is long, cut where it is longer still."""
    for pixels in range(size, least - 1, -2):
        chosen = font(weight, pixels)
        if chosen.getlength(text) <= width:
            return text, chosen
    chosen = font(weight, least)
    while text and chosen.getlength(text + _CUT) > width:
        text = text[:-1].rstrip()
    return text + _CUT, chosen
