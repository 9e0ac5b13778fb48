"""The phrases that the bot knows, read from `bot/words/`, and where they stand in a line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.spelling import FOLDER, SHORT, Word, words

LANGUAGES = ("vi", "en", "any")
GAP = "…"
WIDEST_GAP = 5
MOST_SMALL = 3
SMALL = "small"
WISH = "wish"
DENIAL = "denial"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in order that mean an intent. `gaps[i]` tells whether other words may stand before word i.

    `rank` is the place of its section; `alone` phrases must be all that is said; `strong` ones outweigh the rest of a
    line; `accented` ones must carry their accents. `shade` tells kinds of one intent apart.
    """

    intent: str
    shade: str
    language: str
    rank: int
    words: tuple[Word, ...]
    gaps: tuple[bool, ...]
    alone: bool
    strong: bool
    accented: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase at these places of a line; `slips` counts words whose accents are others than the phrase's."""

    phrase: Phrase
    places: tuple[int, ...]
    slips: int


@dataclass(frozen=True, slots=True)
class Book:
    """All phrases, each found by its rarest word; the small words that may stand anywhere; what only English has.

    `wish` are the words that ask for help without saying what is wrong, `denial` those that say no in whatever way,
    `signs` what emoji mean, `known` all words.
    """

    by_word: Mapping[str, Sequence[tuple[Phrase, int]]]
    small: Mapping[str, tuple[Word, ...]]
    wish: Mapping[str, tuple[Word, ...]]
    denial: Mapping[str, tuple[Word, ...]]
    signs: Mapping[str, str]
    english: frozenset[str]
    known: frozenset[str]

    def is_small(self, word: Word) -> bool:
        """Whether the word says nothing by itself."""
        return _may_mean(word, self.small)

    def is_wish(self, word: Word) -> bool:
        """Whether the word asks for help without saying what is wrong."""
        return _may_mean(word, self.wish)

    def is_denial(self, word: Word) -> bool:
        """Whether the word may say no; without accents "dung" may."""
        return _may_mean(word, self.denial)

    def matches(self, line: Sequence[Word]) -> Iterator[Match]:
        """Every phrase that stands in the line."""
        small = [self.is_small(word) for word in line]
        for place, word in enumerate(line):
            for phrase, key in self.by_word.get(word.plain, ()):
                places = _places(phrase, key, line, place, small)
                if places:
                    match = _judged(phrase, line, places, small)
                    if match:
                        yield match


def _may_mean(word: Word, some: Mapping[str, tuple[Word, ...]]) -> bool:
    return any(word.may_mean(other) for other in some.get(word.plain, ()))


def _places(
    phrase: Phrase, key: int, line: Sequence[Word], place: int, small: Sequence[bool]
) -> tuple[int, ...] | None:
    """Where the words of the phrase stand if its word `key` stands at `place`."""
    before: list[int] = []
    at = place
    for index in range(key - 1, -1, -1):
        at = _next(phrase.words[index].plain, line, at, -1, small, phrase.gaps[index + 1])
        if at < 0:
            return None
        before.append(at)
    after: list[int] = []
    at = place
    for index in range(key + 1, len(phrase.words)):
        at = _next(phrase.words[index].plain, line, at, 1, small, phrase.gaps[index])
        if at < 0:
            return None
        after.append(at)
    return (*reversed(before), place, *after)


def _next(plain: str, line: Sequence[Word], at: int, step: int, small: Sequence[bool], gap: bool) -> int:
    """The place of the next word of a phrase, over small words or a gap; -1 where it does not follow."""
    for _ in range(1 + (WIDEST_GAP if gap else MOST_SMALL)):
        at += step
        if not 0 <= at < len(line):
            return -1
        if line[at].plain == plain:
            return at
        if not (gap or small[at]):
            return -1
    return -1


def _judged(phrase: Phrase, line: Sequence[Word], places: tuple[int, ...], small: Sequence[bool]) -> Match | None:
    """The match, unless accents speak against it: a small word is never another one misspelt ("bạn" is not "bán")."""
    pairs = [(line[place], word) for place, word in zip(places, phrase.words, strict=True)]
    if phrase.accented and any(said.accents != meant.accents for said, meant in pairs):
        return None
    slipped = [place for place, (said, meant) in zip(places, pairs, strict=True) if not said.may_mean(meant)]
    if slipped and (len(pairs) == 1 or any(small[place] for place in slipped)):
        return None
    return Match(phrase, places, len(slipped))


def _load() -> Book:
    phrases: list[Phrase] = []
    lists: dict[str, dict[str, tuple[Word, ...]]] = {SMALL: {}, WISH: {}, DENIAL: {}}
    signs: dict[str, str] = {}
    ranks: dict[str, int] = {}
    vocabulary: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    for language in LANGUAGES:
        for section, line in _lines(language):
            vocabulary[language].update(word.plain for word in words(line))
            if section in lists:
                for word in words(line):
                    lists[section][word.plain] = (*lists[section].get(word.plain, ()), word)
            elif not words(line):
                signs.update(dict.fromkeys(line.split(), section))
            else:
                phrases.append(_phrase(line, section, language, ranks))
    english = vocabulary["en"] - vocabulary["vi"] - vocabulary["any"]
    known = set().union(SHORT, *vocabulary.values())
    return Book(
        _indexed(phrases), lists[SMALL], lists[WISH], lists[DENIAL], signs, frozenset(english), frozenset(known)
    )  # fmt: skip


def _lines(language: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in (FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            yield section, line


def _phrase(line: str, section: str, language: str, ranks: dict[str, int]) -> Phrase:
    intent, _, shade = section.partition(":")
    rank = ranks.setdefault(intent, len(ranks))
    marks = set()
    while line[0] in "=+!":
        marks.add(line[0])
        line = line[1:].lstrip()
    parts = [words(part) for part in line.split(GAP)]
    gaps = [index == 0 and number > 0 for number, part in enumerate(parts) for index in range(len(part))]
    all_words = tuple(word for part in parts for word in part)
    alone, strong, accented = (mark in marks for mark in "=+!")
    return Phrase(intent, shade.strip(), language, rank, all_words, tuple(gaps), alone, strong, accented)


def _indexed(phrases: Iterable[Phrase]) -> dict[str, list[tuple[Phrase, int]]]:
    phrases = list(phrases)
    counts = Counter(word.plain for phrase in phrases for word in phrase.words)
    found: defaultdict[str, list[tuple[Phrase, int]]] = defaultdict(list)
    for phrase in phrases:
        key = min(range(len(phrase.words)), key=lambda index: counts[phrase.words[index].plain])
        found[phrase.words[key].plain].append((phrase, key))
    return dict(found)


BOOK = _load()
