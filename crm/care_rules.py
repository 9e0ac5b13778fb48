"""A care rule as data: the moment, when after it the message goes out, its text, and to whom it goes no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

LOCALES = ("vi", "en")


class Moment(StrEnum):
    """What a rule waits for. JOINED: somebody wrote or followed for the first time. SENT: another rule's message."""

    JOINED = "joined"
    ORDER_PLACED = "order_placed"
    ORDER_DELIVERED = "order_delivered"
    TIER_REACHED = "tier_reached"
    POINTS_EXPIRE = "points_expire"
    BIRTHDAY = "birthday"
    SENT = "sent"

    @property
    def is_date(self) -> bool:
        """Whether it is a day that everybody can see coming, so that a message may go out before it."""
        return self in (Moment.BIRTHDAY, Moment.POINTS_EXPIRE)

    @property
    def is_order(self) -> bool:
        """Whether it is about an order."""
        return self in (Moment.ORDER_PLACED, Moment.ORDER_DELIVERED)


class Late(StrEnum):
    """What becomes of a message whose time passed while nothing could be sent.

    SKIP: it is not sent. SEND_ONCE: at the next lawful moment. RESCHEDULE: at the rule's time of day, the next time.
    """

    SKIP = "skip"
    SEND_ONCE = "send_once"
    RESCHEDULE = "reschedule"


class LeapDay(StrEnum):
    """Where a birthday on 29 February is in a year without one."""

    FEB_28 = "feb_28"
    MAR_1 = "mar_1"


class Goal(StrEnum):
    """What makes the message needless once it happened after the moment.

    BOUGHT_AGAIN is the same product of a cycle. REPLIED: they wrote or pressed something.
    """

    NONE = ""
    BOUGHT = "bought"
    BOUGHT_AGAIN = "bought_again"
    REPLIED = "replied"


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    vi: str = ""
    en: str = ""

    def of(self, locale: str) -> str:
        """The text in a language."""
        return self.vi if locale == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Press:
    """A button: what stands on it, and a web address, a phone number or one of the bot's own payloads."""

    title: Words
    value: str


@dataclass(frozen=True, slots=True)
class Approved:
    """The platform's approved template for a channel, where its window is closed; values may hold gaps."""

    channel: str
    id: str
    language: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """By how a customer usually buys: after `percent` of their usual time between orders, counted from the last one.

    The usual time is known from `orders` orders on; before, the rule's `days` count. Never sooner than `least_days`,
    never later than `most_days`.
    """

    percent: int = 150
    orders: int = 3
    least_days: int = 14
    most_days: int = 180


@dataclass(frozen=True, slots=True)
class Cycle:
    """Products, by their codes, names or categories, that one piece of lasts `days` after delivery."""

    id: str
    days: int
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule.

    The message goes out `days` calendar days after the moment at `at` o'clock, in the brand's time zone, before a date
    where `days` is below 0; or `minutes` after the moment, where that is set. After `late_days` it is never sent.
    `look_back_days`: moments so long before the rule was turned on count, too.
    """

    name: str
    title: Words = field(default_factory=Words)
    moment: Moment = Moment.JOINED
    after: str = ""
    days: int = 0
    at: time = time(9)
    minutes: int | None = None
    condition: str = ""
    goal: Goal = Goal.NONE
    late: Late = Late.SKIP
    late_days: int = 3
    look_back_days: int = 0
    leap_day: LeapDay = LeapDay.FEB_28
    tiers: frozenset[str] = frozenset()
    text: Words = field(default_factory=Words)
    buttons: tuple[Press, ...] = ()
    templates: tuple[Approved, ...] = ()
    rhythm: Rhythm | None = None
    cycles: tuple[Cycle, ...] = ()
