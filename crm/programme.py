"""The programme of points as data: what earns how much, when points can be spent and expire, which tiers there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from storage.lots import FOREVER
from storage.loyalty import SPEND

HOME = ZoneInfo("Asia/Ho_Chi_Minh")


class Event(StrEnum):
    """What brings points besides an order's amount and lines. FIRST_ORDER comes with that order.

    REFERRAL is for who brought a friend, REFERRED for the friend.
    """

    FIRST_ORDER = "first_order"
    SIGN_UP = "sign_up"
    BIRTHDAY = "birthday"
    REVIEW = "review"
    REFERRAL = "referral"
    REFERRED = "referred"


class Often(StrEnum):
    """How often an event counts for one customer; ALWAYS each time it is told with another key."""

    EVER = "ever"
    YEAR = "year"
    MONTH = "month"
    ALWAYS = "always"


class End(StrEnum):
    """At the end of what points expire."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Window(StrEnum):
    """Over which time what qualifies for a tier is added up."""

    CALENDAR_YEAR = "calendar_year"
    ROLLING = "rolling"
    ANNIVERSARY = "anniversary"


class Downgrade(StrEnum):
    """Where a member goes who did not keep their tier."""

    ONE_DOWN = "one_down"
    TO_EARNED = "to_earned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """When points can be spent, how long they live, and what needs a second person.

    `shown_from` is the order's status from which its points are promised; they wait until `wait_days` after delivery.
    The days and months of caps are those in which orders are placed.
    """

    wait_days: int = 0
    shown_from: str = "delivered"
    expire_months: int = 0
    expire_at_end_of: End = End.DAY
    give_back_days: int = 30
    most_per_order: int | None = None
    most_per_day: int | None = None
    most_per_month: int | None = None
    approve_above: int | None = None
    reserve_minutes: int = 15
    warn_days: int = 30
    most_referrals_per_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an order earns: `points` for every `per` đồng, or `each` for every matching item, or `percent` on top.

    Empty filters match everything. `until` is the last day that counts. `most` is for one order, the others for all
    orders that a customer places in a day and in a month.
    """

    id: str
    vi: str
    en: str
    currency: str = SPEND
    per: int = 0
    points: int = 0
    each: int = 0
    percent: int = 0
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    since: date | None = None
    until: date | None = None
    birthday_month: bool = False
    least: int = 0
    most: int | None = None
    most_per_day: int | None = None
    most_per_month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """What an event brings."""

    id: str
    vi: str
    en: str
    event: Event
    points: int
    currency: str = SPEND
    often: Often = Often.EVER


@dataclass(frozen=True, slots=True)
class Tier:
    """A level: `at` is what must qualify to reach and to keep it, in đồng."""

    code: str
    vi: str
    en: str
    at: int

    def name(self, locale: str) -> str:
        """What it is called."""
        return self.vi if locale == "vi" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The levels, the lowest first; the first one is everybody's."""

    levels: tuple[Tier, ...] = ()
    window: Window = Window.CALENDAR_YEAR
    months: int = 12
    downgrade: Downgrade = Downgrade.TO_EARNED
    grace_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What members may take: a voucher that counts `uses` times within `valid_days`.

    `points` None: never for points, only as a full stamp card's. `stock` and `per_person` bound how many are taken for
    points, ever. `amount` đồng or `percent` is what the till takes off, where it is no thing. Empty `tiers`: everybody.
    """

    code: str
    vi: str
    en: str
    points: int | None = None
    stock: int | None = None
    per_person: int | None = None
    tiers: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    valid_days: int = 30
    uses: int = 1
    amount: int = 0
    percent: int = 0

    def name(self, locale: str) -> str:
        """What it is called."""
        return self.vi if locale == "vi" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class StampCard:
    """A card that is full with so many stamps of a currency, and becomes a voucher of a reward then."""

    currency: str
    vi: str
    en: str
    stamps: int
    reward: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One version of the programme. Version None is what stands before the first was loaded: a point for 10.000đ."""

    version: int | None = None
    name: str = ""
    zone: ZoneInfo = HOME
    points: Points = field(default_factory=Points)
    rules: tuple[Rule, ...] = ()
    events: tuple[EventRule, ...] = ()
    tiers: Tiers = field(default_factory=Tiers)
    rewards: tuple[Reward, ...] = ()
    stamp_cards: tuple[StampCard, ...] = ()

    def reward(self, code: str) -> Reward | None:
        """The reward of this code."""
        return next((reward for reward in self.rewards if reward.code == code), None)

    @property
    def caps_days(self) -> bool:
        """Whether what an order earns depends on others of its day."""
        return self.points.most_per_day is not None or any(rule.most_per_day is not None for rule in self.rules)

    @property
    def caps_months(self) -> bool:
        """Whether what an order earns depends on others of its month."""
        return self.points.most_per_month is not None or any(rule.most_per_month is not None for rule in self.rules)

    @property
    def asks_tiers(self) -> bool:
        """Whether what an order earns depends on its customer's tier."""
        return any(rule.tiers for rule in self.rules)

    def expires_at(self, available_at: datetime) -> datetime:
        """When points expire that can be spent from this moment: the end of a day in the brand's time zone."""
        if not self.points.expire_months or available_at >= FOREVER:
            return FOREVER
        last = months_later(available_at.astimezone(self.zone).date(), self.points.expire_months)
        return midnight_after(_last_of(last, self.points.expire_at_end_of), self.zone)


DEFAULT = Programme(
    rules=(Rule(id="base", vi="1 điểm cho mỗi 10.000đ", en="1 point for every 10.000đ", per=10_000, points=1),)
)


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, days_in(year, month)))


def month_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the month of a moment begins there, and when it is over."""
    first = at.astimezone(zone).date().replace(day=1)
    return midnight(first, zone), midnight(months_later(first, 1), zone)


def days_in(year: int, month: int) -> int:
    """How many days a month has."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days


@lru_cache(maxsize=4096)
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins there."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(FOREVER.tzinfo)


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day is over there."""
    return midnight(day + timedelta(days=1), zone)


def _last_of(day: date, end: End) -> date:
    if end is End.YEAR:
        return date(day.year, 12, 31)
    if end is End.MONTH:
        return date(day.year, day.month, days_in(day.year, day.month))
    return day
