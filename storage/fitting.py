"""What PostgreSQL takes of what SQLite keeps: texts that must change, values that do not fit, equal rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, String, Table
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

_NEVER_IN_TEXT = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIRS = re.compile("[\ud800-\udbff][\udc00-\udfff]")

Fault = Callable[[Any], str]
"""Says why a value does not fit; "" for one that does."""


class Note(NamedTuple):
    """A value that was changed, or that does not fit; never the value itself."""

    table: str
    id: str
    column: str
    what: str


class Figures(NamedTuple):
    """How many rows a table holds, and what stands for all of them in whatever order they come."""

    rows: int
    checksum: str


def decoded(raw: bytes) -> str:
    """A text of SQLite's, which may be anything: what no text may hold comes as lone surrogates."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape")


def cleaned(value: str) -> tuple[str, str]:
    """A text that PostgreSQL takes, and what was done to it: as channels clean what comes in. "" where it was right."""
    if not _NEVER_IN_TEXT.search(value):
        return value, ""
    joined = _PAIRS.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), value)
    nuls, (text, lone) = joined.count("\x00"), _SURROGATE.subn("\ufffd", joined.replace("\x00", ""))
    done = [
        f"NUL removed: {nuls}" if nuls else "",
        f"unreadable, now U+FFFD: {lone}" if lone else "",
        "surrogate pairs joined" if joined != value else "",
    ]
    return text, ", ".join(filter(None, done))


def is_text(column: Column[Any]) -> bool:
    """Whether a column holds texts."""
    return isinstance(column.type, String | AutoString)


def fault_of(column: Column[Any]) -> Fault:
    """What finds the values that SQLite keeps in this column and PostgreSQL would not."""
    kind = column.type
    if isinstance(kind, Integer):
        bits = 63 if isinstance(kind, BigInteger) else 31
        return lambda value: (
            "" if type(value) is int and -(1 << bits) <= value < 1 << bits else f"no {bits + 1}-bit number"
        )
    if is_text(column):
        longest = getattr(kind, "length", None)
        return lambda value: (
            "no text" if not isinstance(value, str) else
            f"longer than {longest} characters" if longest is not None and len(value) > longest else ""
        )  # fmt: skip
    known: tuple[tuple[type[Any], type, str], ...] = (
        (Boolean, bool, "neither true nor false"),
        (Float, float, "no number"),
        (LargeBinary, bytes, "no bytes"),
        (UTCDateTime, datetime, "no time"),
    )
    for theirs, python, words in known:
        if isinstance(kind, theirs):
            return lambda value, python=python, words=words: "" if isinstance(value, python) else words  # type: ignore[misc]
    return lambda _value: ""


def figures(table: Table, rows: Iterable[Sequence[Any]]) -> Figures:
    """Count rows and add up their digests: the same rows give the same figures, on either engine and in any order."""
    moments = [place for place, column in enumerate(table.columns) if isinstance(column.type, UTCDateTime)]
    count = total = 0
    for row in rows:
        values = list(row)
        for place in moments:
            if values[place] is not None:
                values[place] = values[place].astimezone(UTC)
        digest = hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        count, total = count + 1, total + int.from_bytes(digest, "big")
    return Figures(count, f"{total % (1 << 128):032x}")
