"""`khachquen key`: keys that let other programs use the API."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial

from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import keys
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Make, list or end keys. Raises CrmError."""
    match arguments.action:
        case "create":
            key = await database.write(partial(keys.create, name=arguments.name, now=now))
            line = "Keep it now, it is not shown again. Callers send it as: Authorization: Bearer <key>"
            return Report({"key": key, "prefix": key.split("_")[1], "name": arguments.name.strip()}, [key, line])
        case "revoke":
            await database.write(partial(keys.revoke, prefix=arguments.prefix, now=now))
            return Report({"prefix": arguments.prefix, "revoked": True}, [f"The key {arguments.prefix} is revoked."])
    return await _listed(database, settings)


async def _listed(database: Database, settings: Settings) -> Report:
    zone = settings.timezone
    found = await database.read(keys.everyone)
    data = [
        {
            "prefix": key.prefix, "name": key.name, "created_at": stamp(key.created_at, zone),
            "revoked_at": stamp(key.revoked_at, zone),
        }
        for key in found
    ]  # fmt: skip
    rows = [
        (
            key.prefix,
            key.name,
            f"made {shown(key.created_at, zone)}",
            f"revoked {shown(key.revoked_at, zone)}" if key.revoked_at else "in use",
        )
        for key in found
    ]
    return Report(data, table(rows, "There are no keys yet: khachquen key create NAME"))
