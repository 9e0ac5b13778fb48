"""What a purchase earns under a programme, rule by rule, each with the reason why it fired or did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from crm.programme import Event, EventRule, Programme, Rule
from storage.loyalty import SPEND


class Why(StrEnum):
    """Why a rule fired, or did not."""

    FIRED = "fired"
    TOO_LITTLE = "too_little"
    NO_SUCH_ITEM = "no_such_item"
    OTHER_SOURCE = "other_source"
    OTHER_TIER = "other_tier"
    NOT_THE_DAY = "not_the_day"
    NO_BIRTHDAY = "no_birthday"
    NOTHING_TO_RAISE = "nothing_to_raise"
    NOT_FIRST = "not_first"
    CAPPED = "capped"


@dataclass(frozen=True, slots=True)
class Line:
    """What is left of one line of an order: quantity after refunds, and đồng for one."""

    name: str
    sku: str
    category: str
    quantity: Fraction
    price: int

    @property
    def amount(self) -> Fraction:
        """What it costs."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What an order is now: `total` đồng after refunds, its lines, when it was placed, and by whom."""

    total: int
    source: str
    placed_at: datetime
    lines: Sequence[Line] = ()
    tier: str = ""
    birthday: str = ""
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """Points that earlier orders of the same day and month earn: by the rule's id, and to spend by ALL together.

    What a rule brought counts before the caps for all are taken away.
    """

    day: Mapping[str, int]
    month: Mapping[str, int]


ALL = ""
NOTHING = Earlier({}, {})


@dataclass(frozen=True, slots=True)
class Step:
    """One rule and what came of it. A cap takes away, so its points are below zero."""

    rule: str
    vi: str
    en: str
    currency: str
    points: int
    why: Why

    @property
    def fired(self) -> bool:
        """Whether it brought anything."""
        return self.points != 0

    def name(self, locale: str) -> str:
        """What the rule says."""
        return self.vi if locale == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rules' steps; their points add up to what the purchase earns."""

    steps: tuple[Step, ...]

    @property
    def points(self) -> dict[str, int]:
        """What is earned, by currency."""
        sums: dict[str, int] = {}
        for step in self.steps:
            sums[step.currency] = sums.get(step.currency, 0) + step.points
        return sums


def evaluate(programme: Programme, purchase: Purchase, earlier: Earlier = NOTHING) -> Evaluation:
    """Look at every rule. Each rounds down by itself; percentages are on what the amounts and items brought."""
    steps = [_step(rule, purchase, programme, earlier) for rule in programme.rules if not rule.percent]
    brought = Evaluation(tuple(steps)).points
    steps += [_percentage(rule, purchase, programme, brought, earlier) for rule in programme.rules if rule.percent]
    steps += [_first(event, purchase) for event in programme.events if event.event is Event.FIRST_ORDER]
    return Evaluation((*steps, *_caps(programme, steps, earlier)))


def _step(rule: Rule, purchase: Purchase, programme: Programme, earlier: Earlier) -> Step:
    refusal = _refusal(rule, purchase, programme)
    if refusal:
        return _none(rule, refusal)
    matching = [line for line in purchase.lines if _matches(rule, line)]
    selective = bool(rule.products or rule.categories)
    if (selective or rule.each) and not any(line.quantity > 0 for line in matching):
        return _none(rule, Why.NO_SUCH_ITEM)
    if rule.each:
        points = rule.each * int(sum(line.quantity for line in matching))
    else:
        listed = sum((line.amount for line in matching), Fraction())
        amount = min(Fraction(purchase.total), listed) if selective else Fraction(purchase.total)
        points = int(amount // rule.per) * rule.points
    return _earned(rule, points, Why.TOO_LITTLE, earlier)


def _percentage(
    rule: Rule, purchase: Purchase, programme: Programme, brought: Mapping[str, int], earlier: Earlier
) -> Step:
    refusal = _refusal(rule, purchase, programme)
    if refusal:
        return _none(rule, refusal)
    return _earned(rule, brought.get(rule.currency, 0) * rule.percent // 100, Why.NOTHING_TO_RAISE, earlier)


def _earned(rule: Rule, points: int, otherwise: Why, earlier: Earlier) -> Step:
    some = points if rule.most is None else min(points, rule.most)
    why = Why.FIRED if some else otherwise
    for cap, had in ((rule.most_per_day, earlier.day), (rule.most_per_month, earlier.month)):
        if cap is not None and some > (room := max(0, cap - had.get(rule.id, 0))):
            some, why = room, Why.CAPPED
    return Step(rule.id, rule.vi, rule.en, rule.currency, some, why)


def _none(rule: Rule, why: Why) -> Step:
    return Step(rule.id, rule.vi, rule.en, rule.currency, 0, why)


def _first(event: EventRule, purchase: Purchase) -> Step:
    is_first = purchase.is_first and purchase.total > 0
    points, why = (event.points, Why.FIRED) if is_first else (0, Why.NOT_FIRST)
    return Step(event.id, event.vi, event.en, event.currency, points, why)


def _caps(programme: Programme, steps: Sequence[Step], earlier: Earlier) -> Iterator[Step]:
    """What is over the caps, one after the other."""
    points, most = Evaluation(tuple(steps)).points.get(SPEND, 0), programme.points
    for name, cap, had, vi, en in (
        ("most_per_order", most.most_per_order, 0, "mỗi đơn", "an order"),
        ("most_per_day", most.most_per_day, earlier.day.get(ALL, 0), "mỗi ngày", "a day"),
        ("most_per_month", most.most_per_month, earlier.month.get(ALL, 0), "mỗi tháng", "a month"),
    ):
        if cap is not None and points > (room := max(0, cap - had)):
            words = (f"tối đa {cap} điểm {vi}", f"{cap} points {en} at most")
            yield Step(name, *words, SPEND, room - points, Why.CAPPED)
            points = room


def _refusal(rule: Rule, purchase: Purchase, programme: Programme) -> Why | None:
    """Why a rule does not apply to the purchase as a whole."""
    day = purchase.placed_at.astimezone(programme.zone).date()
    if purchase.total <= 0 or purchase.total < rule.least:
        return Why.TOO_LITTLE
    if rule.sources and purchase.source.casefold() not in rule.sources:
        return Why.OTHER_SOURCE
    if rule.tiers and purchase.tier not in rule.tiers:
        return Why.OTHER_TIER
    if (rule.since and day < rule.since) or (rule.until and day > rule.until):
        return Why.NOT_THE_DAY
    if rule.weekdays and day.isoweekday() not in rule.weekdays:
        return Why.NOT_THE_DAY
    if rule.birthday_month and purchase.birthday[5:7] != f"{day.month:02}":
        return Why.NO_BIRTHDAY
    return None


def _matches(rule: Rule, line: Line) -> bool:
    if rule.products and not rule.products & {line.name.casefold(), line.sku.casefold()}:
        return False
    return not rule.categories or line.category.casefold() in rule.categories
