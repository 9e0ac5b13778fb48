"""Whether a line is angry: phrases from `bot/words/anger.*.txt`, unless the line denies or only asks them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from bot.spelling import FOLDER, LONGEST, Word, words

LANGUAGES = ("vi", "en")
GAP = "…"
WIDEST_GAP = 3
DENIED_WITHIN = 5
"""How many words before a phrase, in the same part of a sentence, may deny it."""

_DENIALS = frozenset({"khong", "chua", "chang", "cha", "dung", "dau", "het", "not", "isnt", "wasnt", "arent", "dont",
                      "didnt", "no", "never", "without"})  # fmt: skip
_ASKS = frozenset({"khong", "chua"})
_TAILS = frozenset({"a", "vay", "ha", "the", "shop", "ad", "em", "ban", "nhi"})
"""What may stand behind the word that makes a question of a line."""
_BREAKS = re.compile(r"[.,;:!?\n]+")

Phrase = tuple[tuple[Word, bool], ...]
"""Its words, each with whether others may stand before it."""


@lru_cache(maxsize=4096)
def is_angry(line: str) -> bool:
    """Whether somebody who writes this is angry at us."""
    return any(_says(words(part)) for part in _BREAKS.split(line[:LONGEST]))


def _says(said: Sequence[Word]) -> bool:
    places = ((place, phrase) for place, word in enumerate(said) for phrase in _PHRASES.get(word.plain, ()))
    return any(_stands(phrase, said, place) for place, phrase in places)


def _stands(phrase: Phrase, said: Sequence[Word], place: int) -> bool:
    """Whether the phrase begins here, is spelt so, and is neither denied before nor asked after."""
    at = place
    for number, (meant, has_gap) in enumerate(phrase):
        if number:
            reach = 1 + (WIDEST_GAP if has_gap else 0)
            at = next(
                (each for each in range(at + 1, min(at + 1 + reach, len(said))) if said[each].may_mean(meant)), -1
            )
        if at < 0 or not said[at].may_mean(meant):
            return False
    if len(phrase) == 1 and said[place] != phrase[0][0]:
        return False
    if phrase[0][0].plain in _DENIALS:
        return True
    is_denied = any(word.plain in _DENIALS for word in said[max(0, place - DENIED_WITHIN) : place])
    rest = [word.plain for word in said[at + 1 :]]
    is_asked = bool(rest) and rest[0] in _ASKS and all(word in _TAILS for word in rest[1:])
    return not (is_denied or is_asked)


def _load() -> Mapping[str, Sequence[Phrase]]:
    found: defaultdict[str, list[Phrase]] = defaultdict(list)
    for language in LANGUAGES:
        for line in (FOLDER / f"anger.{language}.txt").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                phrase = _phrase(line)
                found[phrase[0][0].plain].append(phrase)
    return dict(found)


def _phrase(line: str) -> Phrase:
    parts = [words(part) for part in line.split(GAP)]
    return tuple(
        (word, number > 0 and index == 0) for number, part in enumerate(parts) for index, word in enumerate(part)
    )


_PHRASES = _load()
