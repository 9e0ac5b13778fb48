"""What a customer wants: from hurried Vietnamese (or English) to an intent with slots.

Phrases of `bot/words/` are looked for in the line. A phrase that leaves nothing unexplained means its intent for sure;
otherwise it counts by how long it is and by how much of the line its intent explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.phrases import BOOK, Match
from bot.spelling import LONGEST, Word, words

SURE = 0.95
"""From here on the whole line means this and nothing else."""

_CODE_ALONE = 0.9
_ENOUGH = 0.5
_ENOUGH_FOR_GOOD = 0.6
_FOR_GOOD = frozenset({"consent.stop", "consent.start", "data.erase"})
"""What must not be done by mistake: it takes more, its accents must be right, no "not" may stand before it, and it may
not be a question about it."""

_SLIP = 0.85
_FULL_LENGTH = 3

_CODE = re.compile(
    r"""
    (?<![\w#@.])
    (?: \#\ ?(?P<marked>[a-z\d][a-z\d_-]{0,30})
      | (?P<mixed>[a-z]{1,6}[-_]?\d[a-z\d-]{1,30})
      | (?P<digits>\d{3,20}) )
    (?![\w@])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WITH_CODE = frozenset({"order.status", "order.list", "support.open", "person"})
_NOT = frozenset({"khong", "dung", "chua", "chang", "dont", "not", "never", "no"})
_ASKS = frozenset({"sao", "gi", "nao", "what", "why"})


@dataclass(frozen=True, slots=True)
class Understanding:
    """`intent` is "" where nothing was understood; `confidence` is between 0 and 1.

    `language` is `vi` or `en` where the line itself shows it, else "". Slots: `order_code`.
    """

    text: str
    intent: str = ""
    confidence: float = 0.0
    slots: Mapping[str, str] = field(default_factory=dict)
    language: str = ""


@lru_cache(maxsize=4096)
def understand(text: str) -> Understanding:
    """What one line means; takes well under a millisecond. What stands after 500 characters is not looked at."""
    seen = text[:LONGEST]
    codes = [found for found in _CODE.finditer(seen) if _looks_like_code(found)]
    line = words(_without(seen, codes))
    if len(line) == 0 and len(codes) == 1 and codes[0]["digits"] is None:
        return Understanding(text, "order.status", _CODE_ALONE, {"order_code": _code(codes[0])})
    intent, confidence, language = _best(line)
    slots = {"order_code": _code(codes[0])} if codes and intent in _WITH_CODE else {}
    if slots and intent == "order.list":
        intent = "order.status"
    return Understanding(text, intent, confidence, slots, _language(line, language))


def _best(line: Sequence[Word]) -> tuple[str, float, str]:
    """The intent that explains the line best, how surely, and the language of its phrase."""
    by_intent: dict[str, list[Match]] = {}
    for match in BOOK.matches(line):
        by_intent.setdefault(match.phrase.intent, []).append(match)
    best: tuple[float, int, int, str, str] = (0.0, 0, 0, "", "")
    for intent, matches in by_intent.items():
        confidence, longest = _weighed(intent, matches, line)
        if confidence:
            phrase = longest.phrase
            best = max(best, (confidence, len(phrase.words), -phrase.rank, intent, phrase.language))
    confidence, _, _, intent, language = best
    return intent, round(confidence, 3), language


def _weighed(intent: str, matches: Iterable[Match], line: Sequence[Word]) -> tuple[float, Match]:
    """How surely these phrases of one intent mean it (0: not), with the one that says most."""
    counted = [match for match in matches if _counts(match, line)]
    if not counted:
        return 0.0, next(iter(matches))
    explained = {place for match in counted for place in match.places}
    left = sum(place not in explained and not BOOK.is_small(word) for place, word in enumerate(line))
    share = len(explained) / (len(explained) + left)
    weights = [(_weight(match, share, left, line), len(match.places), number) for number, match in enumerate(counted)]
    confidence, _, number = max(weights)
    enough = _ENOUGH_FOR_GOOD if intent in _FOR_GOOD else _ENOUGH
    return (confidence if confidence >= enough else 0.0), counted[number]


def _counts(match: Match, line: Sequence[Word]) -> bool:
    phrase = match.phrase
    if phrase.alone and _left_over(match, line):
        return False
    return phrase.intent not in _FOR_GOOD or not (match.slips or _denied(match, line) or _asked_about(match, line))


def _weight(match: Match, share: float, left: int, line: Sequence[Word]) -> float:
    slipped = _SLIP**match.slips
    if left == 0:
        return slipped if not _left_over(match, line) else slipped * SURE
    length = 1.0 if match.phrase.strong else min(1.0, len(match.places) / _FULL_LENGTH)
    return slipped * 0.9 * (0.5 * length + 0.5 * share)


def _left_over(match: Match, line: Sequence[Word]) -> bool:
    """Whether the line says more than this phrase."""
    return any(place not in match.places and not BOOK.is_small(word) for place, word in enumerate(line))


def _denied(match: Match, line: Sequence[Word]) -> bool:
    """Whether the last word that says something before the phrase is a "not"."""
    before = [word for word in line[: match.places[0]] if not BOOK.is_small(word)]
    return bool(before) and before[-1].plain in _NOT


def _asked_about(match: Match, line: Sequence[Word]) -> bool:
    return any(word.plain in _ASKS for place, word in enumerate(line) if place not in match.places)


def _looks_like_code(found: re.Match[str]) -> bool:
    digits = sum(letter.isdigit() for letter in found[0])
    if found["mixed"]:
        return digits >= (2 if "-" in found[0] else 3)
    return digits > 0


def _code(found: re.Match[str]) -> str:
    return (found["marked"] or found["mixed"] or found["digits"]).upper().rstrip("-_")


def _without(text: str, codes: Iterable[re.Match[str]]) -> str:
    for found in reversed(list(codes)):
        text = f"{text[: found.start()]} {text[found.end() :]}"
    return text


def _language(line: Sequence[Word], phrase: str) -> str:
    if any(word.accents for word in line):
        return "vi"
    english = sum(word.plain in BOOK.english for word in line)
    if phrase == "en" or (phrase in ("", "any") and len(line) > 2 and english * 2 >= len(line)):
        return "en"
    return "vi" if phrase == "vi" else ""
