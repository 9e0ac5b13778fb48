"""`khachquen cost`: what the messages of a month cost, and what the budget leaves."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from bot.commands.report import Refused, Report, table
from bot.settings import Settings
from crm import budget
from storage import spending
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Messages and đồng by account, lane and purpose. Raises Refused where no month is meant."""
    ceiling = settings.monthly_send_budget
    try:
        month = (
            budget.named(arguments.month, settings.timezone)
            if arguments.month
            else budget.Budget(ceiling, settings.timezone).month(now)
        )
    except ValueError:
        raise Refused(f"{arguments.month!r} is no month: write it as 2026-11") from None
    found = await database.read(partial(spending.spending, since=month.start, until=month.end))
    accounts: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = []
    for (channel, account_id), group in groupby(found, key=lambda each: (each.channel, each.account_id)):
        lines = list(group)
        cost = sum(each.cost for each in lines)
        left = None if ceiling is None else ceiling - cost
        accounts.append(
            {
                "channel": channel, "account_id": account_id, "messages": sum(each.messages for each in lines),
                "cost": cost, "left": left,
                "lanes": [
                    {"lane": each.lane, "purpose": each.purpose, "messages": each.messages, "cost": each.cost}
                    for each in lines
                ],
            }
        )  # fmt: skip
        rows += [
            (channel, account_id, each.lane, each.purpose, f"{each.messages} messages", f"{each.cost}đ")
            for each in lines
        ]
        rows.append((channel, account_id, "together", "", "", f"{cost}đ{_left(left)}"))
    data = {"month": month.name, "ceiling": ceiling, "accounts": accounts}
    return Report(data, [month.name, *table(rows, "Nothing went out.")])


def _left(left: int | None) -> str:
    if left is None:
        return ", no ceiling is set"
    return f", {left}đ left" if left >= 0 else f", {-left}đ over the ceiling"
