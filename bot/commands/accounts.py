"""`khachquen account`: OAs and Pages and their tokens, which are sealed before they are kept."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.accounts import connect, disconnect
from bot.commands.report import Refused, Report, shown, stamp, table
from bot.secrets import Sealer
from bot.settings import Settings
from storage import accounts
from storage.accounts import AccountView
from storage.database import Database

_SHOWN = 4
_LONGEST_ID = 64
_SHORTEST_TOKEN = 8


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Add, list, look at or remove accounts. Raises Refused, WrongKey."""
    sealer = Sealer(settings.require_secret())
    match arguments.action:
        case "add":
            return await _add(arguments, database, sealer, now)
        case "list":
            return await _listed(database, settings)
        case "token":
            return await _token(arguments, database, settings, sealer, now)
    return await _remove(arguments, database, settings, now)


async def _add(arguments: Namespace, database: Database, sealer: Sealer, now: datetime) -> Report:
    channel, account_id = arguments.channel, arguments.account_id.strip()
    if not account_id.isascii() or not account_id.isalnum() or len(account_id) > _LONGEST_ID:
        raise Refused(f"{arguments.account_id!r} is no id of an OA or Page: it is made of digits")
    access, refresh = _tokens(arguments)
    sealed = sealer.seal(access), sealer.seal(refresh)
    await database.write(partial(connect, channel=channel, account_id=account_id, sealed=sealed, now=now))
    words = f"{channel} {account_id} is connected."
    if channel == "zalo" and not refresh:
        words += " Without a refresh token it stops after about a day: add it with --refresh-token-file."
    data = {"channel": channel, "account_id": account_id, "can_refresh": bool(refresh)}
    return Report(data, [words])


def _tokens(arguments: Namespace) -> tuple[str, str]:
    """The access and the refresh token, from files or standard input; never from the command line itself."""
    if arguments.from_stdin:
        lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
        access, refresh = (*lines, "", "")[:2]
    else:
        access, refresh = _read(arguments.access_token_file), ""
    if arguments.refresh_token_file:
        refresh = _read(arguments.refresh_token_file)
    for name, token in (("access", access), ("refresh", refresh)):
        if (token or name == "access") and (len(token) < _SHORTEST_TOKEN or not token.isascii() or " " in token):
            form = f"one line of at least {_SHORTEST_TOKEN} letters and digits, without spaces"
            raise Refused(f"this is no {name} token: it must be {form}")
    return access, refresh


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise Refused(f"{path}: not a text file") from None


async def _listed(database: Database, settings: Settings) -> Report:
    zone = settings.timezone
    found = await database.read(accounts.everyone)
    data = [
        {
            "channel": each.channel, "account_id": each.account_id, "name": each.name,
            "refreshed_at": stamp(each.refreshed_at, zone), "connected": bool(each.access_token), "held": each.held,
            "checked_at": stamp(each.checked_at, zone), "facts": json.loads(each.facts or "{}"),
        }
        for each in found
    ]  # fmt: skip
    rows = [
        (
            each.channel,
            each.account_id,
            each.name,
            f"token of {shown(each.refreshed_at, zone)}" if each.access_token and each.refreshed_at else "no token",
            f"held: {each.held}" if each.held else (f"seen {shown(each.checked_at, zone)}" if each.checked_at else ""),
        )
        for each in found
    ]
    return Report(data, table(rows, "No account is known yet."))


async def _token(arguments: Namespace, database: Database, settings: Settings, sealer: Sealer, now: datetime) -> Report:
    view = await _found(arguments, database)
    access, refresh = sealer.open(view.access_token), sealer.open(view.refresh_token)
    age = now - view.refreshed_at if view.refreshed_at else None
    expires_at = view.access_expires_at if access else None
    data = {
        "channel": view.channel,
        "account_id": view.account_id,
        "access_token": _last(access),
        "refresh_token": _last(refresh),
        "age_days": round(age / timedelta(days=1), 2) if age is not None else None,
        "refreshed_at": stamp(view.refreshed_at, settings.timezone),
        "expires_at": stamp(expires_at, settings.timezone),
        "held": view.held,
    }
    lines = [
        f"access token   {_last(access) or 'none'}",
        f"refresh token  {_last(refresh) or 'none'}",
        f"age            {_in_words(age)}",
    ]
    if expires_at:
        lines.append(f"expires        {shown(expires_at, settings.timezone)}")
    if view.held:
        lines.append(f"held           {view.held}")
    return Report(data, lines)


async def _remove(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    view = await _found(arguments, database)
    await database.write(partial(disconnect, view=view, now=now))
    lines = [
        f"{view.channel} {view.account_id}: its tokens are forgotten; what was said with it stays, what waits to be "
        "sent is given up."
    ]
    if view.account_id in (settings.zalo_oa_id, settings.messenger_page_id):
        lines.append("The settings still name it: it stays removed until its tokens there are replaced by new ones.")
    return Report({"channel": view.channel, "account_id": view.account_id, "removed": True}, lines)


async def _found(arguments: Namespace, database: Database) -> AccountView:
    channel, account_id = arguments.channel, arguments.account_id
    view = await database.read(lambda session: accounts.find(session, channel, account_id))
    if view is None:
        raise Refused(f"no account {account_id} is known on {channel}: khachquen account list shows them")
    return view


def _last(token: str) -> str:
    """The end of a token that is long enough to stay a secret; "" for none."""
    if not token:
        return ""
    return "…" + (token[-_SHOWN:] if len(token) >= _SHORTEST_TOKEN * 2 else "")


def _in_words(age: timedelta | None) -> str:
    if age is None:
        return "unknown"
    hours = int(age / timedelta(hours=1))
    return f"{hours // 24} days {hours % 24} h" if hours >= 48 else f"{hours} h"
