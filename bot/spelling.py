"""How people spell: a line as plain words, with shorthand written out, long letters shortened, accents apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent / "words"
LONGEST = 500
"""How many characters of a line are looked at."""

_WORD = re.compile(r"[^\W_]+")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_APOSTROPHES = str.maketrans("", "", "'’‘`´")


class Word(NamedTuple):
    """A word without accents, and which accents it had (`đ` counts as one)."""

    plain: str
    accents: frozenset[str]

    def may_mean(self, other: Word) -> bool:
        """Whether this is `other`, written in full or with accents left out."""
        return self.plain == other.plain and self.accents <= other.accents


def words(line: str) -> tuple[Word, ...]:
    """The words of a line: punctuation and emoji go, "điểmmmm" becomes "điểm", "đh" becomes "đơn hàng"."""
    text = unicodedata.normalize("NFC", line[:LONGEST]).lower().translate(_APOSTROPHES)
    text = _DRAWN_OUT.sub(r"\1", text)
    return tuple(word for token in _WORD.findall(text) for word in _read(token))


@lru_cache(maxsize=20_000)
def _read(token: str) -> tuple[Word, ...]:
    return tuple(_word(each) for each in _SHORTHAND.get(token, (token,)))


def _word(token: str) -> Word:
    letters = unicodedata.normalize("NFD", token)
    marks = {letter for letter in letters if unicodedata.combining(letter)}
    plain = "".join(letter for letter in letters if letter not in marks)
    return Word(plain.replace("đ", "d"), frozenset(marks | ({"đ"} & set(plain))))


def _shorthand() -> Mapping[str, tuple[str, ...]]:
    lines = (FOLDER / "shorthand.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    return {short: tuple(meant) for short, *meant in pairs}


_SHORTHAND = _shorthand()

SHORT = frozenset(_word(short).plain for short in _SHORTHAND)
"""All shorthand, without accents."""
