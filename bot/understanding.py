"""What a customer wants: from hurried Vietnamese (or English) to an intent with slots.

Phrases of `bot/words/` are looked for in the line. A phrase that leaves nothing unexplained means its intent for sure;
otherwise it counts by how long it is and by how much of the line its intent explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from bot.phrases import BOOK, Match, Phrase
from bot.spelling import LONGEST, Word, words

SURE = 0.95
"""From here on the whole line means this and nothing else."""
_ASKING = frozenset(
    (
        "khong", "ko", "k", "kg", "hong", "hok", "chua", "chx", "nao", "gi", "j", "hay", "may", "dau", "sao", "bao",
        "ai", "nhe", "nha", "nhi", "ha", "ho", "xin", "giup", "chon", "what", "which", "when", "where", "who", "how",
        "or", "please", "can", "could", "shall", "do", "does", "is", "are",
    )
)  # fmt: skip
"""Words of which one at least stands in whatever asks."""

_CODE_ALONE = 0.9
_ENOUGH = 0.5
_ENOUGH_FOR_GOOD = 0.6
_FOR_GOOD = frozenset({"consent.stop", "consent.start", "data.erase", "data.keep", "data.withdraw"})
"""What must not be done by mistake: it takes more, its accents must be right, no "not" may stand before it, and it may
not be a question about it."""

_YES_TO_MARKETING = frozenset({"consent.start", "consent.offer"})
"""What no line means in which a "no" stands anywhere, unless it only ends a question."""

_SLIP = 0.85
_FULL_LENGTH = 3

_CODE = re.compile(
    r"""
    (?<![\w#@.])
    (?: (?:yêu\ cầu|yeu\ cau|yc|khiếu\ nại|khieu\ nai|phiếu|phieu|ticket|request)
        (?:\ (?:hỗ\ trợ|ho\ tro))? (?:\ (?:số|so))? \ ?\#?\ ?(?P<ticket>t?\d{1,9})
      | (?:đơn|don|đh|dh|order)\ (?:(?:hàng|hang|số|so|mã|ma)\ )*
        (?! (?:t[2-8]|[qx]\d{1,2}) (?!\w) ) (?P<named>[a-z]{1,6}[-_]?\d[a-z\d-]{0,30})
      | \#?\ ?(?P<spaced>[a-z]{2,6}(?:\ {1,3}\#?|\#)\d{3,20})
      | \#\ ?(?P<marked>[a-z\d][a-z\d_-]{0,30})
      | (?P<mixed>[a-z]{1,6}[-_]?\d[a-z\d-]{1,30})
      | (?P<digits>\d{3,20}) )
    (?![\w@])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"\d+$")
_LABEL = re.compile(r"\s*#?\s?(t\d{1,9})(?!\w)(?!(?<=t[2-7])\s*\w)", re.IGNORECASE)
"""A ticket's number in front of a line; an order's code may look like it. "T2 …" to "T7 …" are days of the week."""
_HOW_FAR = frozenset(
    {"toi", "den", "dau", "sao", "roi", "the", "nao", "xong", "chua", "xu", "ly", "status", "done", "yet"}
)
"""What stands behind a number where somebody asks how far it is."""
_LONGEST_TICKET = 9
_ORDER = words("đơn hàng")
_WITH_CODE = frozenset({"order.status", "order.list", "support.open", "person"})
_DRESS = re.compile("[\\s\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
"""What emoji wear: their colour of skin, and how they are drawn."""
_PHONE = re.compile(r"(?<![\w#@.])(?:\+?84|0084|0)(?:[ .()-]?\d){8,10}(?![\w@])")
_NOT = frozenset({"khong", "dung", "chua", "chang", "dont", "not", "never", "no"})
_ASKS = frozenset({"sao", "gi", "nao", "what", "why"})
_ENDS_QUESTION = frozenset({"khong", "chua"})
_WONDERS = frozenset({"duoc", "khong", "chua", "do", "does", "can", "could", "may"})
"""With one of these, or a question mark, what sounds like a yes to messages may be a question about them."""
_SUBJECTS, _HAPPENS = frozenset({"i", "we", "you"}), frozenset({"get", "receive", "send"})
_BETWEEN = frozenset({"just", "still", "only", "always", "now"})
"""Who says "I still get ads" tells what happens, and may complain of it."""
_SAID_BY_ALL = frozenset({"greeting", "thanks", "yes", "no"})
"""Small talk that Vietnamese write in English, too: it does not show who wants to be answered in English."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """`intent` is "" where nothing was understood; `confidence` is between 0 and 1.

    `language` is `vi` or `en` where the line itself shows it, else "". `shade` is `goodbye` where thanks are one,
    `done` where they say that it is all.

    Slots: `order_code`, with `order_number` where it was written in two ("DH 001": the word may be no part of it), and
    `ticket`, the number of a support request.
    """

    text: str
    intent: str = ""
    confidence: float = 0.0
    slots: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    shade: str = ""

    @property
    def is_code_alone(self) -> bool:
        """Whether the line says nothing but an order's code."""
        return self.confidence == _CODE_ALONE and "order_code" in self.slots


@lru_cache(maxsize=4096)
def understand(text: str) -> Understanding:
    """What one line means; takes well under a millisecond. What stands after 500 characters is not looked at."""
    seen = text[:LONGEST]
    label = _LABEL.match(seen)
    asked = words(seen[label.end() :]) if label else ()
    if label and all(word.plain in _HOW_FAR or BOOK.is_small(word) for word in asked):
        code = {"order_code": label[1].upper()}
        return Understanding(text, "order.status", _CODE_ALONE, code, _language(asked, "", ""))
    codes = _codes(seen)
    line = words(_without(seen, codes))
    if len(codes) == 1 and codes[0].names_order and all(map(BOOK.is_small, line)):
        return Understanding(text, "order.status", _CODE_ALONE, codes[0].slots, _language(line, "", ""))
    if not (line or codes):
        return Understanding(text, *_sign(seen))
    intent, confidence, longest = _best(line)
    if intent in _YES_TO_MARKETING and _denies(line):
        intent, confidence, longest = "", 0.0, None
    elif intent == "consent.start" and (_wonders(seen, line) or _tells_what_happens(line)):
        intent = "consent.offer"
    shade, language = (longest.shade, longest.language) if longest else ("", "")
    gives_phone = intent == "shop.address" and phone_in(seen)
    if gives_phone:
        intent, confidence = "", 0.0
    if codes and codes[0].kind == "ticket":
        if intent == "support.open" and confidence >= SURE:
            intent = "support.status"
        elif not intent and not gives_phone:
            intent, confidence = "support.status", _CODE_ALONE
    slots = _slots(intent, codes)
    if slots and intent == "order.list":
        intent = "order.status"
    return Understanding(text, intent, confidence, slots, _language(line, intent, language), shade)


def is_thanks(text: str) -> bool:
    """Whether the whole line is thanks, which want no answer."""
    meaning = understand(text)
    return meaning.intent == "thanks" and meaning.confidence >= SURE


def asks_nothing(text: str, before: Callable[[], str]) -> bool:
    """Whether the whole line is thanks, or a bare yes to words of the brand (`before`) that asked nothing."""
    meaning = understand(text)
    is_yes = meaning.intent == "yes" and meaning.confidence >= SURE
    return is_thanks(text) or (is_yes and not may_ask(before()))


def may_ask(text: str) -> bool:
    """Whether these words may want an answer: a question, an offer, a wish; in doubt they do."""
    return not text.strip() or "?" in text or not _ASKING.isdisjoint(each.plain for each in words(text[:LONGEST]))


def tells(text: str) -> bool:
    """Whether somebody who asks for help says more than that: what is broken, what happened."""
    seen = text[:LONGEST]
    return any(
        not (BOOK.is_small(word) or BOOK.is_wish(word) or word.plain.isdigit())
        for word in words(_without(seen, _codes(seen)))
    )


def order_codes(text: str) -> list[str]:
    """Whatever in these words may be the code of an order, in capitals, in the order in which it stands."""
    return [code.text for code in _codes(text[:LONGEST]) if code.kind != "ticket"]


def phone_in(text: str) -> str:
    """The first Vietnamese phone number in these words, as it was written; "" for none."""
    found = _PHONE.search(text[:LONGEST])
    return found[0] if found else ""


def _best(line: Sequence[Word]) -> tuple[str, float, Phrase | None]:
    """The intent that explains the line best, how surely, and the phrase that says most of it."""
    by_intent: dict[str, list[Match]] = {}
    for match in BOOK.matches(line):
        by_intent.setdefault(match.phrase.intent, []).append(match)
    best: tuple[float, int, int] = (0.0, 0, 0)
    said: Phrase | None = None
    for intent, matches in by_intent.items():
        confidence, longest = _weighed(intent, matches, line)
        weight = (confidence, len(longest.phrase.words), -longest.phrase.rank)
        if confidence and weight > best:
            best, said = weight, longest.phrase
    return (said.intent if said else ""), round(best[0], 3), said


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


def _denies(line: Sequence[Word]) -> bool:
    """Whether a "no" stands in the line that is not the "không" or "chưa" by which a question ends."""
    said = [word for word in line if not BOOK.is_small(word)]
    body = said[:-1] if said and said[-1].plain in _ENDS_QUESTION else said
    return any(map(BOOK.is_denial, body))


def _wonders(text: str, line: Sequence[Word]) -> bool:
    return "?" in text or any(word.plain in _WONDERS for word in line)


def _tells_what_happens(line: Sequence[Word]) -> bool:
    said = [word.plain for word in line if word.plain not in _BETWEEN]
    return any(who in _SUBJECTS and does in _HAPPENS for who, does in pairwise(said))


@dataclass(frozen=True, slots=True)
class _Code:
    """A code in a line, in capitals, with its place; `number` is its second half if it was written in two."""

    kind: str
    text: str
    start: int
    end: int
    number: str = ""

    @property
    def names_order(self) -> bool:
        """Whether it means an order by itself: mere digits may mean anything."""
        return self.kind not in ("digits", "ticket")

    @property
    def slots(self) -> dict[str, str]:
        return {"order_code": self.text, **({"order_number": self.number} if self.number else {})}


def _codes(text: str) -> list[_Code]:
    found = []
    for match in _CODE.finditer(text):
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        written = match[kind]
        number = ""
        if kind == "spaced":
            number = _NUMBER.findall(written)[0]
            if _is_word(written[: -len(number)].rstrip(" #")) or phone_in(number):
                kind, written, start, number = "digits", number, end - len(number), ""
        if _looks_like_code(kind, written):
            code = re.sub(r"[ #]", "", written).upper().rstrip("-_")
            code = code.removeprefix("T") if kind == "ticket" else code
            found.append(_Code(kind, code, start, end, number))
    return found


def _is_word(letters: str) -> bool:
    """Whether these letters before a number are a word of their own; "dh" may be short for "đơn hàng" or not."""
    (word, *more) = words(letters)
    return word.plain in BOOK.known and (word, *more) != _ORDER


def _looks_like_code(kind: str, written: str) -> bool:
    digits = sum(letter.isdigit() for letter in written)
    if kind == "mixed":
        return digits >= (2 if "-" in written else 3)
    return digits > 0


def _slots(intent: str, codes: Sequence[_Code]) -> dict[str, str]:
    if intent == "support.status":
        numbers = [code.text for code in codes if code.text.isdigit() and len(code.text) <= _LONGEST_TICKET]
        return {"ticket": numbers[0]} if numbers else {}
    orders = [code for code in codes if code.kind != "ticket"]
    return orders[0].slots if orders and intent in _WITH_CODE else {}


def _sign(text: str) -> tuple[str, float]:
    """What a line of nothing but emoji means, if they all mean the same."""
    signs = {BOOK.signs.get(sign, "") for sign in _DRESS.sub("", text)}
    return (signs.pop(), 1.0) if len(signs) == 1 and "" not in signs else ("", 0.0)


def _without(text: str, codes: Iterable[_Code]) -> str:
    for code in reversed(list(codes)):
        text = f"{text[: code.start]} {text[code.end :]}"
    return text


def _language(line: Sequence[Word], intent: str, phrase: str) -> str:
    if phrase == "vi" or any(word.accents for word in line):
        return "vi"
    if intent in _SAID_BY_ALL:
        return ""
    english = sum(word.plain in BOOK.english for word in line)
    return "en" if phrase == "en" or (len(line) > 2 and english * 2 >= len(line)) else ""
