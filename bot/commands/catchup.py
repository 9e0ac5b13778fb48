"""`khachquen catchup`: lets a running service read from the platforms what was said, and tells how far that is."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.catchup import MARGIN
from bot.commands.arguments import CHANNELS
from bot.commands.report import Refused, Report, shown, stamp, table
from bot.settings import Settings
from storage import accounts, catchup
from storage.accounts import AccountView
from storage.catchup import Span
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Ask for one account, or for all that are connected. Raises Refused where there is none."""
    channel, account_id = arguments.channel, arguments.account_id
    if channel and not account_id:
        raise Refused("name the account, too: khachquen catchup CHANNEL ACCOUNT_ID; khachquen account list shows them")
    found = await database.read(accounts.everyone)
    known = [each for each in found if each.held != accounts.REMOVED and each.channel in CHANNELS]
    wanted = [each for each in known if not channel or (each.channel, each.account_id) == (channel, account_id)]
    if not wanted:
        name = f"account {account_id} is connected on {channel}" if channel else "account is connected"
        raise Refused(f"no {name}: khachquen account list shows them, khachquen account add connects one")

    def ask(session: Session) -> list[Span]:
        for each in wanted:
            catchup.ask(session, each.channel, each.account_id, now - arguments.since - MARGIN, now, now)
        return catchup.under_way(session)

    spans = await database.write(ask, name="catchup.ask")
    return _report(spans, wanted, settings.timezone)


def _report(spans: list[Span], wanted: list[AccountView], zone: ZoneInfo) -> Report:
    asked = {(each.channel, each.account_id) for each in wanted}
    mine = [span for span in spans if (span.channel, span.account_id) in asked]
    data: list[dict[str, Any]] = [
        {
            "channel": span.channel, "account_id": span.account_id, "since": stamp(span.since, zone),
            "until": stamp(span.until, zone),
        }
        for span in mine
    ]  # fmt: skip
    rows = [
        (span.channel, span.account_id, f"from {shown(span.since, zone)}", f"to {shown(span.until, zone)}")
        for span in mine
    ]
    more = "The running service reads it now, or the next one that starts; khachquen doctor tells how far it is."
    return Report(data, [*table(rows, ""), more])
