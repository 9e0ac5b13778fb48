"""The picture of a card or a voucher: brand, name, what it is worth, and a code that a till can scan."""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno
from PIL import Image, ImageDraw

from bot.drawing.letters import fitted, shown

SIZE = (1000, 600)
_EDGE = 56
_WORDS_WIDTH = 560
_QR = (656, 130, 944, 418)
_PALETTES = (
    ((14, 94, 86), (22, 122, 110), (222, 244, 238)),
    ((68, 80, 97), (92, 106, 126), (233, 238, 245)),
    ((134, 92, 20), (164, 117, 36), (255, 243, 214)),
    ((38, 34, 54), (62, 55, 86), (236, 231, 250)),
)
_WHITE = (255, 255, 255)
_INK = (28, 32, 36)


@dataclass(frozen=True, slots=True)
class Lines:
    """What stands on a card, in words; `level` chooses its colour, a tier's place, the lowest being 0.

    `name` may be empty. `spelled` is the code as people read it.
    """

    title: str
    brand: str
    name: str
    nameless: str
    tier: str
    points: str
    code: str
    spelled: str
    level: int


def draw(lines: Lines) -> bytes:
    """The card as a PNG. What the font cannot show is left out; the same lines give the same bytes."""
    dark, light, pale = _PALETTES[min(lines.level, len(_PALETTES) - 1)]
    picture = Image.new("RGB", SIZE, dark)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((420, -420, 1280, 440), fill=light)
    pen.ellipse((-260, 420, 300, 980), fill=light)
    _write(pen, lines.brand, 52, "Bold", 44, 26, _WHITE)
    _write(pen, lines.title, 118, "Regular", 26, 20, pale)
    _write(pen, shown(lines.name) or lines.nameless, 246, "Bold", 58, 34, _WHITE)
    _write(pen, lines.tier, 336, "Regular", 34, 24, pale)
    _write(pen, lines.points, 468, "Bold", 62, 36, _WHITE)
    _scan(picture, pen, lines)
    return _png(picture)


def _write(
    pen: ImageDraw.ImageDraw, text: str, top: int, weight: str, size: int, least: int, fill: tuple[int, int, int]
) -> None:
    words, chosen = fitted(shown(text), weight, size, least, _WORDS_WIDTH)
    pen.text((_EDGE, top), words, font=chosen, fill=fill)


def _scan(picture: Image.Image, pen: ImageDraw.ImageDraw, lines: Lines) -> None:
    """The code for machines, and below it for people, on white."""
    left, top, right, bottom = _QR
    pen.rounded_rectangle((left - 16, top - 16, right + 16, bottom + 84), radius=28, fill=_WHITE)
    rows = [bytes(255 * (not dot) for dot in row) for row in segno.make(lines.code, error="m", micro=False).matrix]
    side = len(rows)
    dots = Image.frombytes("L", (side, side), b"".join(rows))
    scale = (right - left) // (side + 4)
    whole = dots.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    picture.paste(whole, (left + (right - left - whole.width) // 2, top + (bottom - top - whole.height) // 2))
    words, chosen = fitted(lines.spelled, "Bold", 34, 24, right - left)
    pen.text(((left + right) // 2, bottom + 34), words, font=chosen, fill=_INK, anchor="mm")


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
