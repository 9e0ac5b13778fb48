"""The process that draws: a line of standard input asks for a card, or a smaller picture or a workbook; what came of it
goes to standard output, with its length before it."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from bot.drawing.card import Lines, draw
from bot.drawing.sheets import workbook
from bot.drawing.shrinking import shrunk

LENGTH = 4
"""How many bytes tell how long a picture is."""


def main() -> None:
    """Draw until nobody asks any more."""
    for line in sys.stdin.buffer:
        picture = _made(json.loads(line))
        sys.stdout.buffer.write(len(picture).to_bytes(LENGTH, "big") + picture)
        sys.stdout.buffer.flush()


def _made(asked: dict[str, Any]) -> bytes:
    if "shrink" in asked:
        return shrunk(base64.b64decode(asked["shrink"]), asked["most"])
    if "sheets" in asked:
        return workbook(asked["sheets"])
    return draw(Lines(**asked))


if __name__ == "__main__":
    main()
