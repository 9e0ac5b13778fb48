"""Tiers: where a member stands, what is missing to the next tier and to keep this one, and what a review decides.

One function says what is missing to keep a tier, so that what a customer is told and what a review does cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.programme import Downgrade, Tier, Tiers, Window, midnight, midnight_after, months_later
from storage.lots import FOREVER

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Position:
    """A member's tier: since when, and the span whose purchases decide at `review_at` whether it is kept."""

    joined_at: datetime
    tier: str
    since: datetime
    window_from: datetime
    review_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands. `total` is what counts now towards the next tier, `kept` what counts to keep this one.

    `keep_by` is the moment by which what is `missing_to_keep` must have come; None in the tier that is everybody's.
    """

    tier: Tier | None
    next: Tier | None
    total: int
    missing_to_next: int
    next_by: datetime | None
    kept: int
    missing_to_keep: int
    keep_by: datetime | None

    @property
    def next_last(self) -> datetime | None:
        """A moment of the last day that counts towards the next tier."""
        return self.next_by - _MOMENT if self.next_by else None

    @property
    def keep_last(self) -> datetime | None:
        """A moment of the last day that counts to keep this tier."""
        return self.keep_by - _MOMENT if self.keep_by else None


def level_of(tiers: Tiers, code: str) -> int:
    """The place of a tier, 0 for the lowest; one that the programme knows no more is the lowest."""
    return next((number for number, tier in enumerate(tiers.levels) if tier.code == code), 0)


def earned_level(tiers: Tiers, total: int) -> int:
    """The highest level that so much reaches."""
    return max((number for number, tier in enumerate(tiers.levels) if tier.at <= total), default=0)


def window(tiers: Tiers, zone: ZoneInfo, joined_at: datetime, at: datetime) -> tuple[datetime, datetime]:
    """The span whose purchases count at a moment towards the next tier; a rolling one has no end."""
    today = at.astimezone(zone).date()
    if tiers.window is Window.ROLLING:
        return midnight_after(months_later(today, -tiers.months), zone), FOREVER
    if tiers.window is Window.CALENDAR_YEAR:
        year = today.replace(month=1, day=1)
        return midnight(year, zone), midnight(year.replace(year=year.year + 1), zone)
    joined = joined_at.astimezone(zone).date()
    years = today.year - joined.year
    start = months_later(joined, 12 * years)
    if start > today:
        years -= 1
        start = months_later(joined, 12 * years)
    return midnight(start, zone), midnight(months_later(joined, 12 * (years + 1)), zone)


def term(tiers: Tiers, zone: ZoneInfo, joined_at: datetime, at: datetime) -> tuple[datetime, datetime]:
    """For a tier reached or kept at a moment: from when purchases count to keep it, and when that is reviewed.

    In a rolling window they count from the next day on: what reached a tier does not keep it, too.
    """
    grace = timedelta(days=tiers.grace_days)
    if tiers.window is Window.ROLLING:
        day = at.astimezone(zone).date()
        return midnight_after(day, zone), midnight_after(months_later(day, tiers.months), zone) + grace
    start, end = window(tiers, zone, joined_at, at)
    return start, end + grace


def standing(tiers: Tiers, zone: ZoneInfo, position: Position, total: int, kept: int, now: datetime) -> Standing:
    """Where a member stands now: `total` counts in the window of now, `kept` in the one that their review looks at."""
    if not tiers.levels:
        return Standing(None, None, total, 0, None, kept, 0, None)
    level = level_of(tiers, position.tier)
    above = next((tier for tier in tiers.levels[level + 1 :] if tier.at > total), None)
    end = window(tiers, zone, position.joined_at, now)[1]
    due = position.review_at - timedelta(days=tiers.grace_days) if position.review_at < FOREVER else None
    if due is not None and due <= now:
        due = position.review_at
    return Standing(
        tier=tiers.levels[level],
        next=above,
        total=total,
        missing_to_next=above.at - total if above else 0,
        next_by=end if above and end < FOREVER else None,
        kept=kept,
        missing_to_keep=_missing_to_keep(tiers, level, kept) if due else 0,
        keep_by=due if level else None,
    )


def reviewed(tiers: Tiers, zone: ZoneInfo, position: Position, kept: int) -> Position:
    """What the review at `review_at` makes of a member who had so much by then."""
    level = level_of(tiers, position.tier)
    if _missing_to_keep(tiers, level, kept):
        earned = earned_level(tiers, kept)
        level = max(earned, level - 1) if tiers.downgrade is Downgrade.ONE_DOWN else earned
    return placed(tiers, zone, position, level, position.review_at - timedelta(days=tiers.grace_days))


def _missing_to_keep(tiers: Tiers, level: int, kept: int) -> int:
    return max(0, tiers.levels[level].at - kept) if level else 0


def placed(tiers: Tiers, zone: ZoneInfo, position: Position, level: int, at: datetime) -> Position:
    """A member in this tier from a moment on; in the one they are in already, its next term begins."""
    code = tiers.levels[level].code if tiers.levels else ""
    since = position.since if code == position.tier else at
    if level == 0:
        return Position(position.joined_at, code, since, at, FOREVER)
    return Position(position.joined_at, code, since, *term(tiers, zone, position.joined_at, at))
