"""Finding what was said: lines of conversations by words in them, without accents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlmodel import Session

from crm.errors import Invalid
from crm.words import plain
from storage import said as store
from storage.said import Line

NEWEST = 2**63 - 1
"""Before this every line was said."""
PIECE = 1000
"""So many lines are looked through at once: about 20 ms."""
SHORTEST = 2
MOST_WORDS = 8
AROUND = 4
"""So many words before the first that was looked for are shown."""
_WORD = re.compile(r"\w+")


def wanted(text: str) -> list[str]:
    """The words to look for. Raises Invalid where there is too little."""
    given = _WORD.findall(plain(text))[:MOST_WORDS]
    if not given or max(map(len, given)) < SHORTEST:
        raise Invalid("text", "Gõ thêm vài chữ để tìm.", "Write a little more to look for.")
    return given


def look_through(session: Session, given: Sequence[str], before: int) -> tuple[list[Line], int | None]:
    """The lines with all these words, or words that begin so, among the `PIECE` said before this id, the newest first.

    With them the id before which to go on; None where nothing older is left.
    """
    rows = store.piece(session, before, PIECE)
    hits = [key for key, words in rows if has_all(words, given)]
    return store.some(session, hits) if hits else [], rows[-1][0] if len(rows) == PIECE else None


def has_all(text: str, given: Sequence[str]) -> bool:
    """Whether each of these words begins a word of the text."""
    if not text:
        return False
    line = f" {' '.join(_WORD.findall(plain(text)))}"
    return all(f" {word}" in line for word in given)


def excerpt(text: str, given: Sequence[str], longest: int = 80) -> str:
    """The part of a text around the first of these words, on one line."""
    tokens = text.split()
    first = next((place for place, token in enumerate(tokens) if any(has_all(token, [word]) for word in given)), 0)
    begins = max(0, first - AROUND)
    line = ("… " if begins else "") + " ".join(tokens[begins:])
    return line if len(line) <= longest else line[: longest - 1] + "…"
