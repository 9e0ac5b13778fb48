"""What Zalo tells of its quotas, in our words. Pure.

https://docs.zaloplatforms.com/docs/OA: "quota/message", and the `quota` of every answer to a message
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import MAXYEAR, UTC, datetime, timedelta, timezone

from bot.channels.text import clean
from bot.channels.zalo.envelope import Json, identifier
from crm.allowances import Allowance

SUB, REWARD, PURCHASE = "sub_quota", "reward_quota", "purchase_quota"
BEYOND_FREE = (SUB, REWARD, PURCHASE)
"""What an OA may have for consultation messages that are no free replies: of its package, of codes, bought."""
TEMPLATE_DAILY, TEMPLATE_PROMOTION = "template_daily", "template_promotion_monthly"
VIETNAM = timezone(timedelta(hours=7))
_LONGEST = 9


def of_answer(quota: Json) -> Allowance | None:
    """What an answer to a message says is left of what it was charged to; None where it counts nothing."""
    templates = of_templates(quota)
    if templates:
        return templates[0]
    name, remain = clean(quota.get("quota_type")), number(quota.get("remain"))
    if name not in BEYOND_FREE or remain is None:
        return None
    return Allowance(name, remain, number(quota.get("total")) or 0, end_of(quota.get("expired_date")))


def of_assets(assets: Iterable[Json]) -> tuple[Allowance, ...]:
    """The OA's quotas, those of one kind together; together they end when the first of them does."""
    found: dict[str, Allowance] = {}
    for each in assets:
        name, remain = clean(each.get("quota_type")), number(each.get("remain"))
        if name not in BEYOND_FREE or remain is None:
            continue
        told = Allowance(name, remain, number(each.get("total")) or 0, end_of(each.get("valid_through")))
        found[name] = _together(found[name], told) if name in found else told
    return tuple(found.values())


def of_templates(data: Json) -> tuple[Allowance, ...]:
    """How many templates the OA may still send today, and how many for promotion in this month."""
    named = (
        (TEMPLATE_DAILY, "remainingQuota", "dailyQuota"),
        (TEMPLATE_PROMOTION, "remainingMonthlyPromotionQuota", "monthlyPromotionQuota"),
    )
    told = ((name, number(data.get(remain)), number(data.get(total))) for name, remain, total in named)
    return tuple(Allowance(name, remain, total or 0) for name, remain, total in told if remain is not None)


def number(value: object) -> int | None:
    """A count, which some answers hold as text; None for what is none."""
    digits = identifier(value)
    return int(digits) if digits.isdecimal() and len(digits) <= _LONGEST else None


def end_of(value: object) -> datetime | None:
    """The first moment after a day in Vietnam, written dd/mm/yyyy; None for what is no day."""
    first = day(value)
    return (first + timedelta(days=1)).astimezone(UTC) if first else None


def day(value: object) -> datetime | None:
    """The first minute of a day in Vietnam, written dd/mm/yyyy; None also for the year 9999, which means never."""
    try:
        first = datetime.strptime(clean(value), "%d/%m/%Y").replace(tzinfo=VIETNAM)
    except ValueError:
        return None
    return first if first.year < MAXYEAR else None


def _together(one: Allowance, other: Allowance) -> Allowance:
    ends = [each.ends_at for each in (one, other) if each.ends_at]
    return Allowance(one.name, one.remain + other.remain, one.total + other.total, min(ends, default=None))
