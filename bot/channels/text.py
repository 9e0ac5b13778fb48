"""Text as channels give and take it: made safe to store, shortened, and cut into pieces that fit."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_ID = 1000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…])\s", r"\s"))
"""Where a long text may be cut, best first: paragraph, line, sentence, word."""


def clean(value: object) -> str:
    """NFC text that every database and encoder takes: no NUL, lone surrogates as U+FFFD; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    text = value.replace("\0", "")
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _LONE_SURROGATE.sub("\ufffd", text))


def short_id(value: object) -> str:
    """A platform's id of a message as it is kept: one of over LONGEST_ID characters by its hash, always the same."""
    text = clean(value)
    return text if len(text) <= LONGEST_ID else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word where one ends in the second half, with … for what is missing."""
    if len(text) <= limit:
        return text
    kept = text[: _hard_cut(text, limit - 1)]
    word_end = kept.rfind(" ")
    if word_end >= limit // 2 and not text[len(kept)].isspace():
        kept = kept[:word_end]
    return kept.rstrip() + "…"


def pieces(text: str, limit: int) -> tuple[str, ...]:
    """Cut into non-empty pieces of at most `limit` characters, in order; only white space at the cuts is lost."""
    found = []
    rest = text.strip()
    while len(rest) > limit:
        end = _cut(rest, limit)
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        found.append(rest)
    return tuple(found)


def _cut(text: str, limit: int) -> int:
    """The last good break in the second half of the first `limit` characters; else a cut inside a word."""
    for pattern in _BREAKS:
        ends = [match.start() for match in pattern.finditer(text, limit // 2, limit + 1) if match.start() > 0]
        if ends:
            return ends[-1]
    return _hard_cut(text, limit)


def _hard_cut(text: str, limit: int) -> int:
    """`limit`, or a little less, so that no mark or joined emoji is torn from what it belongs to."""
    end = limit
    while end > max(1, limit - 16) and (unicodedata.combining(text[end]) or text[end] in "\u200d\ufe0f"):
        end -= 1
    if text[end - 1] == "\u200d" and end > 1:
        end -= 1
    return end
