"""What does not fit together in a care rule, though each line of its file can be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import time

from crm import links, segments, wording
from crm.care_rules import LOCALES, Goal, LeapDay, Moment, Rule
from crm.content import KNOWN as ALWAYS
from crm.errors import CrmError
from crm.lawful import CLOSES, OPENS
from crm.toml_reader import Problem

EARLIEST, LATEST = (time(minutes // 60, minutes % 60) for minutes in (OPENS, CLOSES - 1))
MOST_BUTTONS = 3
LONGEST_TITLE = 20
"""Messenger cuts a longer title off."""

OF_ORDER = ("don.ma", "don.tong", "don.ngay")
OF_PRODUCT = ("san_pham.ten",)
OF_TIER = ("hang.ten",)
OF_POINTS = ("diem.so", "diem.ngay")
OF_MOMENT = ("after", "days", "minutes", "look_back_days", "leap_day", "tiers", "text.vi", "text.en")
"""Where nothing can be said of a rule whose moment cannot be read."""
_NOBODY: wording.Values = {
    "khach": {"ten": "", "diem": 0}, "shop": {"ten": "x", "sdt": "x", "dia_chi": "x"},
    "don": {"ma": "x", "tong": 1, "ngay": "x"}, "san_pham": {"ten": "x"}, "hang": {"ten": "x"},
    "diem": {"so": 1, "ngay": "x"},
}  # fmt: skip
"""Somebody of whom nothing is known but what the moment is about."""
_VALUE = re.compile(r"kq:[a-z0-9_.:-]+|\+?[0-9 ]{8,16}")


def known(rule: Rule) -> tuple[str, ...]:
    """The names that may stand in this rule's texts."""
    own: Mapping[Moment, tuple[str, ...]] = {
        Moment.ORDER_PLACED: OF_ORDER, Moment.ORDER_DELIVERED: OF_ORDER, Moment.TIER_REACHED: OF_TIER,
        Moment.POINTS_EXPIRE: OF_POINTS,
    }  # fmt: skip
    return (*ALWAYS, *own.get(rule.moment, ()), *(OF_PRODUCT if rule.cycles else ()))


def inconsistent(rule: Rule) -> Iterator[Problem]:
    """What in a rule does not fit together, each at its place."""
    yield from _timing(rule)
    yield from _belongs(rule)
    yield from _condition(rule)
    yield from _texts(rule)
    yield from _buttons(rule)


def beside(rule: Rule, others: Iterable[Rule]) -> Iterator[Problem]:
    """What in a rule does not fit the others that are here."""
    before = {other.name: other.after for other in others}
    if not rule.after or rule.after == rule.name:
        return
    if rule.after not in before:
        yield Problem("after", f"there is no rule {rule.after!r}: load it first")
        return
    at, seen = rule.after, {rule.name}
    while at and at not in seen:
        seen.add(at)
        at = before.get(at, "")
    if at:
        yield Problem("after", f"{rule.after!r} comes after this one already: the journey would never end")


def _timing(rule: Rule) -> Iterator[Problem]:
    if not EARLIEST <= rule.at <= LATEST:
        yield Problem("at", f"care messages go out from {EARLIEST:%H:%M} to {LATEST:%H:%M} only")
    if rule.days < 0 and not rule.moment.is_date and not rule.cycles:
        yield Problem("days", f"only before a date there are days: {rule.moment.value} is none")
    if rule.moment is Moment.POINTS_EXPIRE and rule.days > 0:
        yield Problem("days", "points are gone by then: write a number below 0")
    if rule.minutes is not None and (rule.moment.is_date or rule.rhythm or rule.cycles):
        yield Problem("minutes", "is for what happens at a moment: say days and at")
    if rule.look_back_days and rule.moment.is_date:
        yield Problem("look_back_days", "dates that are over do not come again: leave this out")


def _belongs(rule: Rule) -> Iterator[Problem]:
    """What belongs to some moments only."""
    if rule.moment is Moment.SENT and not rule.after:
        yield Problem("after", "say after which rule's message this one comes")
    if rule.after and rule.after == rule.name:
        yield Problem("after", "a rule cannot follow itself")
    if rule.leap_day is not LeapDay.FEB_28 and rule.moment is not Moment.BIRTHDAY:
        yield Problem("leap_day", "is for birthdays only")
    if rule.tiers and rule.moment is not Moment.TIER_REACHED:
        yield Problem("tiers", "is for the moment tier_reached only; use condition")
    if rule.goal is Goal.BOUGHT_AGAIN and not rule.cycles:
        yield Problem("goal", "bought_again is for products with a [[cycle]]: use bought")
    yield from _rhythms(rule)


def _rhythms(rule: Rule) -> Iterator[Problem]:
    if rule.rhythm is not None:
        if not rule.moment.is_order:
            yield Problem("rhythm", "is counted from an order: moment order_placed or order_delivered")
        if rule.goal is not Goal.BOUGHT:
            yield Problem("goal", 'who bought is not missed: write goal = "bought"')
        if rule.rhythm.least_days > rule.rhythm.most_days:
            yield Problem("rhythm.most_days", "must not be below least_days")
        if rule.days <= 0:
            yield Problem("days", "say after how many days somebody is missed whose rhythm is not known yet")
    if rule.cycles and (rule.moment is not Moment.ORDER_DELIVERED or rule.rhythm is not None):
        yield Problem("cycle", "is counted from delivery, without a rhythm: moment order_delivered")
    seen: set[str] = set()
    for number, cycle in enumerate(rule.cycles):
        if cycle.id and cycle.id in seen:
            yield Problem(f"cycle.{number}.id", f"{cycle.id!r} stands here a second time")
        seen.add(cycle.id)
        if not cycle.products and not cycle.categories:
            yield Problem(f"cycle.{number}", "say which: products, categories")
        if rule.cycles and cycle.days and cycle.days + rule.days <= 0:
            yield Problem("days", f"is before the delivery of what lasts {cycle.days} days")


def _condition(rule: Rule) -> Iterator[Problem]:
    try:
        if rule.condition:
            segments.parse(rule.condition)
    except CrmError as error:
        yield Problem("condition", str(error))


def _texts(rule: Rule) -> Iterator[Problem]:
    for locale in LOCALES:
        text = rule.text.of(locale)
        if text:
            yield from _wording(f"text.{locale}", text, rule)
    if not rule.text.en:
        yield Problem("text.en", "who reads English gets the Vietnamese text", is_warning=True)
    for template in rule.templates:
        for name, value in template.values:
            yield from _wording(f"template.{template.channel}.values.{name}", value, rule)


def _wording(place: str, text: str, rule: Rule) -> Iterator[Problem]:
    try:
        read = wording.read(text, known(rule))
    except CrmError as error:
        yield Problem(place, str(error))
        return
    if read.blanks:
        yield Problem(place, f"[{read.blanks[0]}?] is for a person to fill, and nobody is there")
        return
    try:
        wording.write(read, _NOBODY, ())
    except CrmError:
        words = 'some people have no name: write {{ khach.ten or "bạn" }}, so that there is always a word'
        yield Problem(place, words)


def _buttons(rule: Rule) -> Iterator[Problem]:
    if len(rule.buttons) > MOST_BUTTONS:
        yield Problem("button", f"{MOST_BUTTONS} buttons at most")
    for number, button in enumerate(rule.buttons):
        for locale in LOCALES:
            if len(button.title.of(locale)) > LONGEST_TITLE:
                yield Problem(f"button.{number}.{locale}", f"{LONGEST_TITLE} characters at most")
        if button.value and not (links.is_link(button.value) or _VALUE.fullmatch(button.value)):
            yield Problem(f"button.{number}.value", "must be an https:// address, a phone number or kq:<payload>")
