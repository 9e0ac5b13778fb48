"""How staff's lines are read: what is a command, what it is called, and which ones a slip may have meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable
from difflib import SequenceMatcher
from itertools import dropwhile
from typing import NamedTuple

from crm import words
from crm.errors import Invalid

MARK = "/"
_WIDE_MARK = "／"


class Misread(Invalid):
    """A line that is not written as its command wants it: the refusal tells how it is written, too."""


class Order(NamedTuple):
    """A command as typed: its name without accents and capitals, and the words after it as they are."""

    name: str
    rest: str


def order_in(line: str, known: Container[str]) -> Order | None:
    """The command that this line is; None for plain words. Only the very first character that one sees makes one.

    Its name is the first word, or the first two where that is one of the `known` names (`/trả lời`). A mark that stands
    alone has no name: it is no command that anybody knows, and no plain words either.
    """
    text = "".join(dropwhile(_is_unseen, line))
    if not text.startswith((MARK, _WIDE_MARK)):
        return None
    if text[len(MARK) :][:1].isspace():
        return Order("", "")
    name, rest = first_word(text[len(MARK) :])
    second, after = first_word(rest)
    both = words.plain(f"{name} {second}")
    return Order(both, after) if second and both in known else Order(words.plain(name), rest)


def _is_unseen(character: str) -> bool:
    """Blanks, and marks that keyboards and copied text bring along (a zero-width blank, a byte order mark)."""
    return character.isspace() or unicodedata.category(character) == "Cf"


def first_word(text: str) -> tuple[str, str]:
    """The first word, and what follows it without the blanks between; line breaks inside stay."""
    parts = text.split(maxsplit=1)
    if not parts:
        return "", ""
    return parts[0], parts[1].rstrip() if len(parts) > 1 else ""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that look most like this one, the best first."""
    return sorted(known, key=lambda each: (-SequenceMatcher(None, name, each).ratio(), each))[:most]
