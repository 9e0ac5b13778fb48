"""The file of a programme (TOML): read into data, with everything that is wrong or inconsistent named by its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from crm.programme import (
    Downgrade,
    End,
    Event,
    EventRule,
    Often,
    Points,
    Programme,
    Rule,
    Tier,
    Tiers,
    Window,
)
from storage.loyalty import QUALIFY

STATUSES = ("pending", "confirmed", "shipping", "delivered")
_MOST = 10**12
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CURRENCY = re.compile(r"spend|stamp(:[a-z0-9_-]{1,24})?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of the file. A warning can be loaded all the same."""

    place: str
    words: str
    is_warning: bool = False


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
    )
    found = [*top.finish(), *_inconsistent(programme, today)]
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


def _inconsistent(programme: Programme, today: date) -> Iterator[Problem]:
    codes = {tier.code for tier in programme.tiers.levels}
    yield from _repeated(programme)
    for number, rule in enumerate(programme.rules):
        yield from _rule_problems(rule, f"rule.{number}", codes, today)
    yield from _tier_problems(programme.tiers)
    for number, event in enumerate(programme.events):
        if event.event is Event.FIRST_ORDER and event.often is not Often.EVER:
            yield Problem(f"event.{number}.often", "a first order comes once: leave this out")
    yield from _referral_problems(programme)
    points = programme.points
    if not programme.rules and not programme.events:
        yield Problem("rule", "nothing earns points: add a [[rule]]")
    if points.expire_months and points.give_back_days > points.expire_months * 28:
        yield Problem(
            "points.give_back_days", "points given back would live longer than fresh ones", is_warning=True
        )  # fmt: skip
    if points.expire_months and points.warn_days > points.expire_months * 28:
        yield Problem("points.warn_days", "fresh points would be announced as expiring", is_warning=True)
    if points.approve_above is None:
        yield Problem("points.approve_above", "staff may give any number of points alone", is_warning=True)


def _referral_problems(programme: Programme) -> Iterator[Problem]:
    for number, event in enumerate(programme.events):
        if event.event is Event.REFERRED and event.often is not Often.EVER:
            yield Problem(f"event.{number}.often", "a friend is brought once: leave this out")
        if event.event is Event.REFERRAL and event.often is Often.EVER:
            yield Problem(f"event.{number}.often", "only the first friend counts: write always", is_warning=True)
        if event.event is Event.REFERRAL and programme.points.most_referrals_per_year is None:
            yield Problem("points.most_referrals_per_year", "any number of friends counts", is_warning=True)


def _repeated(programme: Programme) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, code in (
        *((f"rule.{number}.id", rule.id) for number, rule in enumerate(programme.rules)),
        *((f"event.{number}.id", event.id) for number, event in enumerate(programme.events)),
        *((f"tier.{number}.code", f"tier {tier.code}") for number, tier in enumerate(programme.tiers.levels)),
    ):
        if code and code in seen:
            yield Problem(place, f"{code!r} stands here a second time")
        seen.add(code)


def _rule_problems(rule: Rule, place: str, codes: set[str], today: date) -> Iterator[Problem]:
    if (rule.per > 0) + (rule.each > 0) + (rule.percent > 0) != 1:
        yield Problem(place, "say one of these: per (with points), each, percent")
    elif (rule.per > 0) != (rule.points > 0):
        yield Problem(f"{place}.points", "per and points belong together: so many points for so many đồng")
    for tier in sorted(rule.tiers - codes):
        yield Problem(f"{place}.tiers", f"there is no tier {tier!r}")
    if rule.since and rule.until and rule.since > rule.until:
        yield Problem(f"{place}.until", "it ends before it begins")
    elif rule.until and rule.until < today:
        yield Problem(f"{place}.until", "it is over already", is_warning=True)
    if rule.percent and (rule.products or rule.categories):
        yield Problem(f"{place}.percent", "a percentage is on the whole order: products and categories do not apply")


def _tier_problems(tiers: Tiers) -> Iterator[Problem]:
    levels = tiers.levels
    if levels and levels[0].at:
        yield Problem("tier.0.at", "the first tier is everybody's: its at is 0")
    for number, (lower, higher) in enumerate(pairwise(levels), 1):
        if higher.at <= lower.at:
            yield Problem(f"tier.{number}.at", f"must be above {lower.at}, that of the tier before")
    if len(levels) == 1:
        yield Problem("tier", "one tier alone is none", is_warning=True)
    if tiers.window is not Window.ROLLING and tiers.months != 12:
        yield Problem("tiers.months", "is for the window 'rolling' only", is_warning=True)


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

    def optional(self, key: str) -> int | None:
        """A whole number above 0, or nothing."""
        return self.whole(key, 1, least=1) if key in self._rest else None

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

    def currency(self) -> str:
        """Points to spend, or stamps of a card."""
        value = self._rest.pop("currency", "spend")
        if not isinstance(value, str) or value == QUALIFY or not _CURRENCY.fullmatch(value):
            self._problems.append(Problem(self._at("currency"), "must be spend, stamp or stamp:<card>"))
            return "spend"
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
