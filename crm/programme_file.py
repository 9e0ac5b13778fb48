"""The file of a programme (TOML): read into data, with everything that is wrong or inconsistent named by its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
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
from crm.toml_reader import Problem as Problem
from crm.toml_reader import Reader, opened
from storage.loyalty import SPEND, STAMP

STATUSES = ("pending", "confirmed", "shipping", "delivered")
MOST_POINTS = 1_000_000_000
_CURRENCY = re.compile(r"spend|stamp(:[a-z0-9_-]{1,24})?")


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
    top = opened(text)
    if isinstance(top, Problem):
        return Draft(Programme(zone=zone), None, (top,))
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


def _points(part: Reader) -> Points:
    plain = Points()
    return Points(
        wait_days=part.whole("wait_days", 0, most=365),
        shown_from=part.among("shown_from", STATUSES, plain.shown_from),
        expire_months=part.whole("expire_months", 0, most=120),
        expire_at_end_of=part.choice("expire_at_end_of", End, End.DAY),
        give_back_days=part.whole("give_back_days", plain.give_back_days, most=365),
        most_per_order=part.optional("most_per_order"),
        most_per_day=part.optional("most_per_day"),
        most_per_month=part.optional("most_per_month"),
        approve_above=part.optional("approve_above"),
        reserve_minutes=part.whole("reserve_minutes", plain.reserve_minutes, least=1, most=24 * 60),
        warn_days=part.whole("warn_days", plain.warn_days, most=365),
        most_referrals_per_year=part.optional("most_referrals_per_year"),
    )


def _rule(part: Reader) -> Rule:
    return Rule(
        id=part.code("id"),
        vi=part.words("vi"),
        en=part.words("en"),
        currency=_currency(part),
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
        most_per_day=part.optional("most_per_day"),
        most_per_month=part.optional("most_per_month"),
    )


def _event(part: Reader) -> EventRule:
    return EventRule(
        id=part.code("id"),
        vi=part.words("vi"),
        en=part.words("en"),
        event=part.choice("event", Event, Event.SIGN_UP),
        points=part.whole("points", 0, least=1),
        currency=_currency(part),
        often=part.choice("often", Often, Often.EVER),
    )


def _tiers(part: Reader) -> Tiers:
    return Tiers(
        window=part.choice("window", Window, Window.CALENDAR_YEAR),
        months=part.whole("months", 12, least=1, most=60),
        downgrade=part.choice("downgrade", Downgrade, Downgrade.TO_EARNED),
        grace_days=part.whole("grace_days", 0, most=365),
    )


def _tier(part: Reader) -> Tier:
    return Tier(part.code("code"), part.words("vi"), part.words("en"), part.whole("at", 0))


def _reward(part: Reader) -> Reward:
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


def _stamp_card(part: Reader) -> StampCard:
    return StampCard(
        currency=_currency(part, STAMP),
        vi=part.words("vi"),
        en=part.words("en"),
        stamps=part.whole("stamps", 9, least=1, most=100),
        reward=part.code("reward"),
    )


def _currency(part: Reader, default: str = SPEND) -> str:
    """Points to spend, or stamps of a card."""
    return part.matching("currency", _CURRENCY, default, "spend, stamp or stamp:<card>")
