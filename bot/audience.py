"""What segments are asked with: the moment, where the brand is, and the rules by which each channel lets us write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.channels.messenger.rules import RULES as MESSENGER
from bot.channels.zalo.rules import RULES as ZALO
from crm.reach import Rules
from crm.segments import AsOf

RULES: Mapping[str, Rules] = {"messenger": MESSENGER, "zalo": ZALO}
"""Of the channels on which customers write."""


def as_of(now: datetime, zone: ZoneInfo, locale: str = "vi") -> AsOf:
    """This moment, for the brand of this time zone and language."""
    return AsOf(now, zone, RULES, locale)
