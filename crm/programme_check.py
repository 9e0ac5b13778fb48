"""What does not fit together in a programme of points, though each line of its file can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from crm.programme import Event, Often, Programme, Rule, Tiers, Window
from crm.toml_reader import Problem
from storage.loyalty import STAMP


def inconsistent(programme: Programme, today: date) -> Iterator[Problem]:
    """What in a programme does not fit together, each at its place."""
    codes = {tier.code for tier in programme.tiers.levels}
    yield from _repeated(programme)
    for number, rule in enumerate(programme.rules):
        yield from _rule_problems(rule, f"rule.{number}", codes, today)
        yield from _cap_problems(f"rule.{number}", rule.most, rule.most_per_day, rule.most_per_month)
    yield from _tier_problems(programme.tiers)
    yield from _reward_problems(programme, codes, today)
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
    yield from _cap_problems("points", points.most_per_order, points.most_per_day, points.most_per_month)
    if points.approve_above is None:
        yield Problem("points.approve_above", "staff may give any number of points alone", is_warning=True)


def _cap_problems(place: str, *caps: int | None) -> Iterator[Problem]:
    """Of an order, a day and a month."""
    given = [each for each in caps if each is not None]
    if given != sorted(given):
        yield Problem(
            place, "a cap for longer is lower than one for shorter: the shorter never matters", is_warning=True
        )  # fmt: skip


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
        *((f"reward.{number}.code", f"reward {each.code}") for number, each in enumerate(programme.rewards)),
        *((f"stamp_card.{number}.currency", each.currency) for number, each in enumerate(programme.stamp_cards)),
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


def _reward_problems(programme: Programme, codes: set[str], today: date) -> Iterator[Problem]:
    given = {card.reward for card in programme.stamp_cards}
    for number, reward in enumerate(programme.rewards):
        place = f"reward.{number}"
        if reward.points is None and reward.code not in given:
            yield Problem(f"{place}.points", "nobody can get it: say its points, or let a [[stamp_card]] give it")
        if reward.amount and reward.percent:
            yield Problem(f"{place}.percent", "say one of these: amount, percent")
        for tier in sorted(reward.tiers - codes):
            yield Problem(f"{place}.tiers", f"there is no tier {tier!r}")
        if reward.since and reward.until and reward.since > reward.until:
            yield Problem(f"{place}.until", "it ends before it begins")
        elif reward.until and reward.until < today:
            yield Problem(f"{place}.until", "it is over already", is_warning=True)
    for number, card in enumerate(programme.stamp_cards):
        if not card.currency.startswith(STAMP):
            yield Problem(f"stamp_card.{number}.currency", "must be stamp or stamp:<card>")
        if programme.reward(card.reward) is None:
            yield Problem(f"stamp_card.{number}.reward", f"there is no reward {card.reward!r}")


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
