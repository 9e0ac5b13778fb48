"""How fast each account sends: its least time between two sends, stretched as the platform's limits come near."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from prometheus_client import Gauge

from bot.channels.base import Usage
from storage.columns import NEVER

log = logging.getLogger(__name__)

USAGE = Gauge(
    "khachquen_platform_usage_percent",
    "How much of the platform's limits an account used, as its last answer said",
    ["channel", "account"],
)

SLOW_FROM = 70
"""Percent of the platform's limit from which on sends are spread out."""
MARKETING_WAITS_FROM = 80
STRETCH = 4
"""How much slower an account sends that is at its limit."""
SHORTEST = timedelta(milliseconds=50)
"""What is stretched where an account has no pace of its own."""
BURST = 10
"""How many an account may send one right after the other, when it was silent before."""

Key = tuple[str, str]
"""A channel, and the id of an OA or Page on it."""


class _Heard(NamedTuple):
    percent: int
    until: datetime
    rests_until: datetime = NEVER


class Paces:
    """What this process heard of each account's limits. Nothing is asked or written for it: answers carry it."""

    def __init__(self, intervals: Mapping[str, timedelta]) -> None:
        self._intervals = intervals
        self._heard: dict[Key, _Heard] = {}

    def interval(self, account: Key, now: datetime) -> timedelta:
        """The least time between two sends: from SLOW_FROM percent on it grows, to STRETCH times at the limit."""
        usual = self._intervals.get(account[0], timedelta())
        percent = self._percent(account, now)
        if percent < SLOW_FROM:
            return usual
        full = min(percent, 100) - SLOW_FROM
        return max(usual, SHORTEST) * (1 + (STRETCH - 1) * full / (100 - SLOW_FROM))

    def holds_marketing(self, account: Key, now: datetime) -> bool:
        """Whether what nobody asked for waits, so that replies go on."""
        return self._percent(account, now) >= MARKETING_WAITS_FROM

    def hear(self, account: Key, usage: Usage | None, now: datetime) -> timedelta:
        """Take note of what an answer said; for how long the account must rest, where that is news."""
        if usage is None:
            return timedelta()
        _gauge(*account).set(usage.percent)
        before = self._heard.get(account)
        known = before.rests_until if before else NEVER
        rests = now + usage.regain if usage.regain else NEVER
        if before is not None and _level(before.percent) != _level(usage.percent):
            more = {"channel": account[0], "account": account[1], "percent": usage.percent}
            log.warning("how near an account is to the platform's limit changed", extra=more)
        self._heard[account] = _Heard(usage.percent, now + usage.lasts, max(rests, known))
        return usage.regain if rests > known + timedelta(minutes=1) else timedelta()

    def _percent(self, account: Key, now: datetime) -> int:
        heard = self._heard.get(account)
        return heard.percent if heard is not None and now < heard.until else 0


def _level(percent: int) -> int:
    return (percent >= SLOW_FROM) + (percent >= MARKETING_WAITS_FROM)


@cache
def _gauge(channel: str, account_id: str) -> Gauge:
    return USAGE.labels(channel, account_id)
