"""The file of a programme (TOML): read into data, with everything that is wrong or inconsistent named by its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from crm import programme_check
from crm.programme import (
    Downgrade,
    End,
    Event,
    EventRule,
    Often,
    Points,
    Programme,
    Reward,
    Rule,
    StampCard,
    Tier,
    Tiers,
    Window,
)
from crm.programme_check import Problem as Problem
from storage.loyalty import QUALIFY, SPEND, STAMP

STATUSES = ("pending", "confirmed", "shipping", "delivered")
MOST_POINTS = 1_000_000_000
_MOST = 10**12
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CURRENCY = re.compile(r"spend|stamp(:[a-z0-9_-]{1,24})?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as read. It can be loaded where no problem is more than a warning."""

    programme: Programme
    effective_from: datetime | None
    problems: tuple[Problem, ...]

    @property
    def fits(self) -> bool:
        """Whether it can be loaded."""
        return all(problem.is_warning for problem in self.problems)


def read(text: str, zone: ZoneInfo, today: date) -> Draft:
    """Read a file; never raises. What cannot be read has its default in the draft and its problem beside."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Draft(Programme(zone=zone), None, (Problem("", f"this is no TOML: {error}"),))
    top = _Reader("", table)
    effective_from = top.moment("from")
    programme = Programme(
        name=top.words("name", ""),
        zone=zone,
        points=_points(top.part("points")),
        rules=tuple(_rule(part) for part in top.parts("rule")),
        events=tuple(_event(part) for part in top.parts("event")),
        tiers=replace(_tiers(top.part("tiers")), levels=tuple(_tier(part) for part in top.parts("tier"))),
        rewards=tuple(_reward(part) for part in top.parts("reward")),
        stamp_cards=tuple(_stamp_card(part) for part in top.parts("stamp_card")),
    )
    found = [*top.finish(), *programme_check.inconsistent(programme, today)]
    return Draft(programme, effective_from, tuple(sorted(found, key=lambda each: each.is_warning)))


def _points(part: _Reader) -> Points:
    plain = Points()
    return Points(
        wait_days=part.whole("wait_days", 0, most=365),
        shown_from=part.among("shown_from", STATUSES, plain.shown_from),
        expire_months=part.whole("expire_months", 0, most=120),
        expire_at_end_of=part.choice("expire_at_end_of", End, End.DAY),
        give_back_days=part.whole("give_back_days", plain.give_back_days, most=365),
        most_per_order=part.optional("most_per_order"),
        approve_above=part.optional("approve_above"),
        reserve_minutes=part.whole("reserve_minutes", plain.reserve_minutes, least=1, most=24 * 60),
        warn_days=part.whole("warn_days", plain.warn_days, most=365),
        most_referrals_per_year=part.optional("most_referrals_per_year"),
    )


def _rule(part: _Reader) -> Rule:
    return Rule(
        id=part.code("id"),
        vi=part.words("vi"),
        en=part.words("en"),
        currency=part.currency(),
        per=part.whole("per", 0),
        points=part.whole("points", 0),
        each=part.whole("each", 0),
        percent=part.whole("percent", 0, most=10_000),
        products=part.names("products"),
        categories=part.names("categories"),
        sources=part.names("sources"),
        tiers=part.names("tiers"),
        weekdays=part.weekdays(),
        since=part.day("since"),
        until=part.day("until"),
        birthday_month=part.flag("birthday_month"),
        least=part.whole("least", 0),
        most=part.optional("most"),
    )


def _event(part: _Reader) -> EventRule:
    return EventRule(
        id=part.code("id"),
        vi=part.words("vi"),
        en=part.words("en"),
        event=part.choice("event", Event, Event.SIGN_UP),
        points=part.whole("points", 0, least=1),
        currency=part.currency(),
        often=part.choice("often", Often, Often.EVER),
    )


def _tiers(part: _Reader) -> Tiers:
    return Tiers(
        window=part.choice("window", Window, Window.CALENDAR_YEAR),
        months=part.whole("months", 12, least=1, most=60),
        downgrade=part.choice("downgrade", Downgrade, Downgrade.TO_EARNED),
        grace_days=part.whole("grace_days", 0, most=365),
    )


def _tier(part: _Reader) -> Tier:
    return Tier(part.code("code"), part.words("vi"), part.words("en"), part.whole("at", 0))


def _reward(part: _Reader) -> Reward:
    return Reward(
        code=part.code("code"),
        vi=part.words("vi"),
        en=part.words("en"),
        points=part.optional("points", most=MOST_POINTS),
        stock=part.optional("stock"),
        per_person=part.optional("per_person"),
        tiers=part.names("tiers"),
        since=part.day("since"),
        until=part.day("until"),
        valid_days=part.whole("valid_days", 30, least=1, most=3650),
        uses=part.whole("uses", 1, least=1, most=1000),
        amount=part.whole("amount", 0),
        percent=part.whole("percent", 0, most=100),
    )


def _stamp_card(part: _Reader) -> StampCard:
    return StampCard(
        currency=part.currency(STAMP),
        vi=part.words("vi"),
        en=part.words("en"),
        stamps=part.whole("stamps", 9, least=1, most=100),
        reward=part.code("reward"),
    )


class _Reader:
    """One table of the file: gives its values, notes what is wrong, and at last what nobody asked for."""

    def __init__(self, place: str, table: object, problems: list[Problem] | None = None) -> None:
        self._place, self._problems = place, [] if problems is None else problems
        self._rest: dict[str, Any] = dict(table) if isinstance(table, Mapping) else {}
        self._below: list[_Reader] = []
        if not isinstance(table, Mapping):
            self._problems.append(Problem(place, "must be a table"))

    def part(self, key: str) -> _Reader:
        """A table in this one; an empty one where it is missing."""
        below = _Reader(self._at(key), self._rest.pop(key, {}), self._problems)
        self._below.append(below)
        return below

    def parts(self, key: str) -> list[_Reader]:
        """The tables of a list in this one."""
        tables = self._rest.pop(key, [])
        if not isinstance(tables, list):
            self._problems.append(Problem(self._at(key), f"must be a list: write [[{key}]]"))
            tables = []
        found = [_Reader(f"{self._at(key)}.{number}", each, self._problems) for number, each in enumerate(tables)]
        self._below += found
        return found

    def whole(self, key: str, default: int, *, least: int = 0, most: int = _MOST) -> int:
        """A whole number within bounds."""
        value = self._rest.pop(key, default)
        if type(value) is not int or not least <= value <= most:
            self._problems.append(Problem(self._at(key), f"must be a whole number from {least} to {most}"))
            return default
        return value

    def optional(self, key: str, most: int = _MOST) -> int | None:
        """A whole number above 0, or nothing."""
        return self.whole(key, 1, least=1, most=most) if key in self._rest else None

    def words(self, key: str, default: str | None = None) -> str:
        """A text for people."""
        value = self._rest.pop(key, default)
        if not isinstance(value, str) or not (value.strip() or default == "") or len(value) > 200:
            self._problems.append(Problem(self._at(key), "must be a text of 1 to 200 characters"))
            return ""
        return value.strip()

    def code(self, key: str) -> str:
        """A short name for programs."""
        value = self._rest.pop(key, "")
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            self._problems.append(Problem(self._at(key), "must be a short name of a-z, 0-9, - and _"))
            return ""
        return value

    def among(self, key: str, values: tuple[str, ...], default: str) -> str:
        """One of these words."""
        value = self._rest.pop(key, default)
        if value not in values:
            self._problems.append(Problem(self._at(key), f"must be one of {', '.join(values)}"))
            return default
        return str(value)

    def choice(self, key: str, kind: Callable[[str], T], default: T) -> T:
        """One of the words that `kind` knows."""
        value = self._rest.pop(key, default)
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(str(each) for each in kind)  # type: ignore[attr-defined]
            self._problems.append(Problem(self._at(key), f"must be one of {known}"))
            return default

    def currency(self, default: str = SPEND) -> str:
        """Points to spend, or stamps of a card."""
        value = self._rest.pop("currency", default)
        if not isinstance(value, str) or value == QUALIFY or not _CURRENCY.fullmatch(value):
            self._problems.append(Problem(self._at("currency"), "must be spend, stamp or stamp:<card>"))
            return default
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self._rest.pop(key, False)
        if not isinstance(value, bool):
            self._problems.append(Problem(self._at(key), "must be true or false"))
        return value is True

    def names(self, key: str) -> frozenset[str]:
        """A list of texts, compared without case."""
        value = self._rest.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self._problems.append(Problem(self._at(key), "must be a list of texts"))
            return frozenset()
        return frozenset(each.strip().casefold() for each in value)

    def weekdays(self) -> frozenset[int]:
        """Days of the week, 1 for Monday to 7 for Sunday."""
        value = self._rest.pop("weekdays", [])
        if not isinstance(value, list) or not all(type(each) is int and 1 <= each <= 7 for each in value):
            self._problems.append(Problem(self._at("weekdays"), "must be a list of 1 (Monday) to 7 (Sunday)"))
            return frozenset()
        return frozenset(value)

    def day(self, key: str) -> date | None:
        """A day without a time."""
        value = self._rest.pop(key, None)
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self._problems.append(Problem(self._at(key), "must be a day such as 2026-12-01"))
            return None
        return value

    def moment(self, key: str) -> datetime | None:
        """A time with its offset."""
        value = self._rest.pop(key, None)
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            self._problems.append(Problem(self._at(key), "must be a time such as 2026-12-01T00:00:00+07:00"))
            return None
        return value

    def finish(self) -> list[Problem]:
        """All problems, with those of keys that mean nothing."""
        for below in self._below:
            below.finish()
        self._problems += [Problem(self._at(key), "is not known here") for key in self._rest]
        self._rest = {}
        return self._problems

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key
