"""Words cut to Messenger's sizes, counted in UTF-16 units: the stricter reading of its undefined "characters"."""

from __future__ import annotations

from collections.abc import Callable

from bot.channels.text import clean, pieces, shortened


def units(text: str) -> int:
    """The length of a text in UTF-16 units: most emoji count two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """One line of at most `most` units, with … where something is missing."""
    line = " ".join(clean(text).split())
    return _fitted(lambda room: (shortened(line, room),), most)[0]


def chop(text: str, most: int) -> tuple[str, ...]:
    """The text in non-empty parts of at most `most` units each; only white space at the cuts is lost."""
    whole = clean(text)
    return _fitted(lambda room: pieces(whole, room), most)


def _fitted(parts_of: Callable[[int], tuple[str, ...]], most: int) -> tuple[str, ...]:
    """The parts for the largest room, in characters, in which none is over `most` units."""
    room = most
    parts = parts_of(room)
    while (over := max(map(units, parts), default=0) - most) > 0:
        room -= (over + 1) // 2
        parts = parts_of(room)
    return parts
