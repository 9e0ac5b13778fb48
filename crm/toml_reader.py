"""A table of a TOML file, read value by value: each fault is noted at its place, and nothing raises."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar

_MOST = 10**12
_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of the file. A warning can be loaded all the same."""

    place: str
    words: str
    is_warning: bool = False


def opened(text: str) -> Reader | Problem:
    """The table that is the whole file; or why there is none."""
    try:
        return Reader("", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        return Problem("", f"this is no TOML: {error}")


class Reader:
    """One table of the file: gives its values, notes what is wrong, and at last what nobody asked for."""

    def __init__(self, place: str, table: object, problems: list[Problem] | None = None) -> None:
        self._place, self._problems = place, [] if problems is None else problems
        self._rest: dict[str, Any] = dict(table) if isinstance(table, Mapping) else {}
        self._below: list[Reader] = []
        if not isinstance(table, Mapping):
            self._problems.append(Problem(place, "must be a table"))

    def part(self, key: str) -> Reader:
        """A table in this one; an empty one where it is missing."""
        below = Reader(self._at(key), self._rest.pop(key, {}), self._problems)
        self._below.append(below)
        return below

    def parts(self, key: str) -> list[Reader]:
        """The tables of a list in this one."""
        tables = self._rest.pop(key, [])
        if not isinstance(tables, list):
            self.note(key, f"must be a list: write [[{key}]]")
            tables = []
        found = [Reader(f"{self._at(key)}.{number}", each, self._problems) for number, each in enumerate(tables)]
        self._below += found
        return found

    def tables(self) -> list[tuple[str, Reader]]:
        """Every table in this one, with its name."""
        names = [key for key, value in self._rest.items() if isinstance(value, Mapping)]
        return [(name, self.part(name)) for name in names]

    def has(self, key: str) -> bool:
        """Whether it says anything of this key."""
        return key in self._rest

    def texts(self, longest: int = 200) -> tuple[tuple[str, str], ...]:
        """Everything else that it says, all of it texts, in their order."""
        return tuple((key, self.words(key, longest=longest)) for key in list(self._rest))

    def whole(self, key: str, default: int, *, least: int = 0, most: int = _MOST) -> int:
        """A whole number within bounds."""
        value = self._rest.pop(key, default)
        if type(value) is not int or not least <= value <= most:
            self.note(key, f"must be a whole number from {least} to {most}")
            return default
        return value

    def clock(self, key: str, default: time) -> time:
        """A time of day, as text or as TOML's own."""
        value = self._rest.pop(key, default)
        if isinstance(value, str) and _CLOCK.fullmatch(value):
            value = time.fromisoformat(value.rjust(5, "0"))
        if not isinstance(value, time):
            self.note(key, "must be a time of day such as 09:30")
            return default
        return value.replace(second=0, microsecond=0)

    def optional(self, key: str, most: int = _MOST) -> int | None:
        """A whole number above 0, or nothing."""
        return self.whole(key, 1, least=1, most=most) if key in self._rest else None

    def words(self, key: str, default: str | None = None, longest: int = 200) -> str:
        """A text for people."""
        value = self._rest.pop(key, default)
        if not isinstance(value, str) or not (value.strip() or default == "") or len(value) > longest:
            self.note(key, f"must be a text of 1 to {longest} characters")
            return ""
        return value.strip()

    def code(self, key: str) -> str:
        """A short name for programs."""
        value = self._rest.pop(key, "")
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            self.note(key, "must be a short name of a-z, 0-9, - and _")
            return ""
        return value

    def among(self, key: str, values: tuple[str, ...], default: str) -> str:
        """One of these words."""
        value = self._rest.pop(key, default)
        if value not in values:
            self.note(key, f"must be one of {', '.join(values)}")
            return default
        return str(value)

    def choice(self, key: str, kind: Callable[[str], T], default: T) -> T:
        """One of the words that `kind` knows."""
        value = self._rest.pop(key, default)
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(str(each) for each in kind)  # type: ignore[attr-defined]
            self.note(key, f"must be one of {known}")
            return default

    def matching(self, key: str, pattern: re.Pattern[str], default: str, words: str) -> str:
        """A text that fits this pattern; `words` say what it must be."""
        value = self._rest.pop(key, default)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.note(key, f"must be {words}")
            return default
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self._rest.pop(key, False)
        if not isinstance(value, bool):
            self.note(key, "must be true or false")
        return value is True

    def names(self, key: str) -> frozenset[str]:
        """A list of texts, compared without case."""
        value = self._rest.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.note(key, "must be a list of texts")
            return frozenset()
        return frozenset(each.strip().casefold() for each in value)

    def weekdays(self) -> frozenset[int]:
        """Days of the week, 1 for Monday to 7 for Sunday."""
        value = self._rest.pop("weekdays", [])
        if not isinstance(value, list) or not all(type(each) is int and 1 <= each <= 7 for each in value):
            self.note("weekdays", "must be a list of 1 (Monday) to 7 (Sunday)")
            return frozenset()
        return frozenset(value)

    def day(self, key: str) -> date | None:
        """A day without a time."""
        value = self._rest.pop(key, None)
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.note(key, "must be a day such as 2026-12-01")
            return None
        return value

    def moment(self, key: str) -> datetime | None:
        """A time with its offset."""
        value = self._rest.pop(key, None)
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            self.note(key, "must be a time such as 2026-12-01T00:00:00+07:00")
            return None
        return value

    def note(self, key: str, words: str, *, is_warning: bool = False) -> None:
        """Something is wrong with the value of this key."""
        self._problems.append(Problem(self._at(key), words, is_warning))

    def finish(self) -> list[Problem]:
        """All problems, with those of keys that mean nothing."""
        for below in self._below:
            below.finish()
        self._problems += [Problem(self._at(key), "is not known here") for key in self._rest]
        self._rest = {}
        return self._problems

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key
