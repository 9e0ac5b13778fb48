"""What a segment asks for as data, and the text that stands for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from crm.segment_words import BY_NAME, ENGLISH_UNITS, Takes
from storage.segment_tree import All, No, Some, Tree

BARE = re.compile(r"""[^\s()"“”<>=!&|≤≥≠:]+""")
"""A name that needs no quotation marks."""


@dataclass(frozen=True, slots=True)
class Span:
    """So many of a unit: `gio`, `ngay`, `tuan`, `thang` or `nam`."""

    count: int
    unit: str


Value: TypeAlias = int | Span | date | str | None


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is asked: a word, compared by `op` ("" where it stands alone) with a value, `within` a span.

    `key` is the name of a custom field.
    """

    word: str
    op: str = ""
    value: Value = None
    within: Span | None = None
    key: str = ""


Wish: TypeAlias = Tree[Clause]


_JOINED: Mapping[bool, tuple[str, str, str, str]] = {
    True: (" va ", " hoac ", "khong", " trong "),
    False: (" and ", " or ", "not", " within "),
}
_DATES_IN_ENGLISH = (("homnay", "today"), ("thangnay", "thismonth"), ("thangsau", "nextmonth"), ("thang", "month"))


def printed(tree: Wish, locale: str = "vi") -> str:
    """The text that stands for this tree: in Vietnamese, as it is kept, or for every other locale in English."""
    both, either, no, _ = _JOINED[locale == "vi"]
    match tree:
        case All(parts):
            return both.join(_held(part, All | Some, locale) for part in parts)
        case Some(parts):
            return either.join(_held(part, Some, locale) for part in parts)
        case No(part):
            return f"{no}({printed(part, locale)})"
        case clause:
            return _clause(clause, locale)


def span(value: Span, locale: str = "vi") -> str:
    """ "90ngay", "90d"."""
    return f"{value.count}{value.unit if locale == 'vi' else ENGLISH_UNITS[value.unit]}"


def _held(part: Wish, kinds: object, locale: str) -> str:
    return f"({printed(part, locale)})" if isinstance(part, kinds) else printed(part, locale)  # type: ignore[arg-type]


def _clause(clause: Clause, locale: str) -> str:
    key = f":{_name(clause.key)}" if clause.key else ""
    within = f"{_JOINED[locale == 'vi'][3]}{span(clause.within, locale)}" if clause.within else ""
    word = BY_NAME[clause.word].called(locale)
    return f"{word}{key}{_operator(clause)}{_value(clause, locale)}{within}"


def _operator(clause: Clause) -> str:
    is_named = isinstance(clause.value, str) and BY_NAME[clause.word].takes not in (Takes.LEVEL, Takes.FIELD)
    return ":" if clause.op == "=" and is_named else clause.op


def _value(clause: Clause, locale: str) -> str:
    match value := clause.value:
        case None:
            return ""
        case Span():
            return span(value, locale)
        case date():
            return f"{value.day:02}/{value.month:02}/{value.year:04}"
        case int():
            return str(value)
    if BY_NAME[clause.word].takes is Takes.BIRTHDAY and locale != "vi":
        name, english = next(each for each in _DATES_IN_ENGLISH if value.startswith(each[0]))
        return f"{english}{value.removeprefix(name)}"
    return _name(value)


def _name(name: str) -> str:
    if BARE.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
