"""`khachquen report`: the figures of a day or a week, shown or as a workbook."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot import sheets
from bot.commands import files
from bot.commands.report import Report, shown, stamp, table
from bot.service import policy_of
from bot.settings import Settings
from crm import reports
from crm.reports import Line, Span, Waits
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """The figures of this day or week, or of the one so many before it. Raises Refused where no file can be written."""
    zone = settings.timezone
    given: dict[str, Any] = {"now": now, "zone": zone, "calendar": policy_of(settings).calendar}
    found = await database.read(partial(reports.of, span=Span(arguments.span), back=arguments.back, **given))
    if arguments.xlsx is not None:
        days = await database.read(partial(reports.days_of, report=found, **given))
        await files.workbook(arguments.xlsx, sheets.of(found, days, settings.locale))
    average = found.ratings.total / found.ratings.given if found.ratings.given else None
    data = {
        "span": found.span, "start": stamp(found.start, zone), "end": stamp(found.end, zone),
        "new_customers": found.new_customers, "answers": found.answers, "conversations": found.conversations,
        "first_response": _waits(found.waits), "waiting": found.waiting, "tickets": found.tickets._asdict(),
        "breaches": found.breaches,
        "ratings": {"given": found.ratings.given, "average": average, "low": found.ratings.low},
        "staff": [_line(line) for line in found.staff],
    }  # fmt: skip
    rows = [
        ("from", f"{shown(found.start, zone)} to {shown(found.end, zone)}"),
        ("new customers", f"{found.new_customers}"),
        ("answers", f"{found.answers} in {found.conversations} conversations; {found.waiting} customers wait now"),
        ("first response", _told(found.waits)),
        ("tickets", "{} opened, {} closed, {} open now".format(*found.tickets)),
        ("promises broken", ", ".join(f"{kind} {count}" for kind, count in sorted(found.breaches.items())) or "none"),
        ("ratings", f"{found.ratings.given}, {average:.1f} of 5, {found.ratings.low} low" if average else "none"),
    ]
    rows += [
        (line.name, f"{line.answers} answers in {line.conversations} conversations; {_told(line.waits)}")
        for line in found.staff
    ]
    lines = table(rows, "")
    if arguments.xlsx is not None:
        data["file"] = str(arguments.xlsx)
        lines.append(f"Written: {arguments.xlsx}")
    return Report(data, lines)


def _waits(waits: Waits) -> dict[str, Any]:
    return {"count": waits.count, "median_s": _seconds(waits.middle), "longest_s": _seconds(waits.longest)}


def _line(line: Line) -> dict[str, Any]:
    figures = {"answers": line.answers, "conversations": line.conversations, "first_response": _waits(line.waits)}
    return {"name": line.name, **figures}


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _told(waits: Waits) -> str:
    if not waits.count:
        return "nobody waited"
    middle, longest = (_seconds(span) // 60 for span in (waits.middle, waits.longest))
    return f"{middle} min in the middle, {longest} min at most ({waits.count} waited)"
