"""Every command that works beside a service that may be running, by name."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bot.commands import (
    accounts,
    broadcasts,
    care,
    catchup,
    consent,
    cost,
    dead,
    imports,
    keys,
    loyalty,
    messages,
    page,
    privacy,
    programme,
    reports,
    segments,
    staff,
    templates,
    threads,
    tickets,
    waiting,
)
from bot.commands.report import Outside, Report
from bot.settings import Settings
from storage.database import Database

LOCAL: Mapping[str, Callable[[Namespace, Database, Settings, datetime], Awaitable[Report]]] = {
    "catchup": catchup.run,
    "consent": consent.run,
    "cost": cost.run,
    "dead": dead.run,
    "find": messages.run,
    "import": imports.run,
    "key": keys.run,
    "loyalty": loyalty.run,
    "privacy": privacy.run,
    "programme": programme.run,
    "report": reports.run,
    "segment": segments.run,
    "staff": staff.run,
    "ticket": tickets.run,
    "waiting": waiting.run,
}
"""Those that need the database alone."""

REACHING: Mapping[str, Callable[[Namespace, Database, Settings, Outside], Awaitable[Report]]] = {
    "account": accounts.run,
    "broadcast": broadcasts.run,
    "care": care.run,
    "page": page.run,
    "template": templates.run,
    "thread": threads.run,
}
"""Those that may call the platforms."""
