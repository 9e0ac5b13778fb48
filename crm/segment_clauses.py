"""What a segment asks for as data, and the text that stands for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from crm.segment_words import BY_NAME, Takes
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


def printed(tree: Wish) -> str:
    """The text that stands for this tree."""
    match tree:
        case All(parts):
            return " va ".join(_held(part, All | Some) for part in parts)
        case Some(parts):
            return " hoac ".join(_held(part, Some) for part in parts)
        case No(part):
            return f"khong({printed(part)})"
        case clause:
            return _clause(clause)


def span(value: Span) -> str:
    """ "90ngay"."""
    return f"{value.count}{value.unit}"


def _held(part: Wish, kinds: object) -> str:
    return f"({printed(part)})" if isinstance(part, kinds) else printed(part)  # type: ignore[arg-type]


def _clause(clause: Clause) -> str:
    key = f":{_name(clause.key)}" if clause.key else ""
    within = f" trong {span(clause.within)}" if clause.within else ""
    return f"{clause.word}{key}{_operator(clause)}{_value(clause.value)}{within}"


def _operator(clause: Clause) -> str:
    is_named = isinstance(clause.value, str) and BY_NAME[clause.word].takes not in (Takes.LEVEL, Takes.FIELD)
    return ":" if clause.op == "=" and is_named else clause.op


def _value(value: Value) -> str:
    match value:
        case None:
            return ""
        case Span():
            return span(value)
        case date():
            return f"{value.day:02}/{value.month:02}/{value.year:04}"
        case int():
            return str(value)
    return _name(value)


def _name(name: str) -> str:
    if BARE.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
