"""Makes a picture small enough for every channel: as a JPEG, turned the right way up, without what a camera notes."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

_SIDES = (2048, 1600, 1280, 960, 640)
_QUALITY = 82


def shrunk(content: bytes, most: int) -> bytes:
    """The picture as a JPEG of at most so many bytes, where that is possible. Raises OSError for what is no picture."""
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
        plain = Image.new("RGB", upright.size, "white")
        shown = upright.convert("RGBA")
        plain.paste(shown, mask=shown)
    for side in _SIDES:
        plain.thumbnail((side, side))
        made = io.BytesIO()
        plain.save(made, "JPEG", quality=_QUALITY, optimize=True)
        if made.tell() <= most:
            break
    return made.getvalue()
