"""The process that draws: a card a line on standard input, its picture with the length before it on standard output."""

from __future__ import annotations

import json
import sys

from bot.drawing.card import Lines, draw

LENGTH = 4
"""How many bytes tell how long a picture is."""


def main() -> None:
    """Draw until nobody asks any more."""
    for line in sys.stdin.buffer:
        picture = draw(Lines(**json.loads(line)))
        sys.stdout.buffer.write(len(picture).to_bytes(LENGTH, "big") + picture)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
