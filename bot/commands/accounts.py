"""`khachquen account`: OAs, Pages and bots and their tokens, which are sealed before they are kept."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import datetime, timedelta
from functools import partial

from bot.accounts import connect, disconnect
from bot.channels.base import Account, Channel, SendError, SendErrorKind
from bot.channels.zalobot.channel import bot_id
from bot.commands import checkup, connecting, crowd
from bot.commands.report import Outside, Refused, Report, shown, stamp, table
from bot.commands.tokens import SHORTEST, read_pair
from bot.secrets import Sealer
from bot.service import apps_of
from bot.settings import Settings
from storage import accounts
from storage.accounts import AccountView
from storage.database import Database

BOT = "zalobot"
_SHOWN = 4
_LONGEST_ID = 64
_LONGEST_NAME = 200


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Do one thing with accounts. Raises Refused, WrongKey."""
    settings.require_secret()
    match arguments.action:
        case "add":
            return await _add(arguments, database, settings, outside)
        case "check":
            return await checkup.run(arguments, database, outside)
        case "list":
            return await _listed(database, settings)
        case "token":
            return await _token(arguments, database, settings, outside.clock())
        case "followers":
            return await crowd.followers(arguments, database, outside)
        case "labels":
            return await crowd.labels(arguments, database, outside)
    return await _remove(arguments, database, settings, outside.clock())


async def _add(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    for account_id in arguments.account_ids:
        if not account_id.isascii() or not account_id.isalnum() or len(account_id) > _LONGEST_ID:
            raise Refused(f"{account_id!r} is no id of an OA, Page or bot: it is made of digits")
    if arguments.user_token_file:
        return await connecting.by_person(arguments, database, settings, outside)
    if arguments.account_ids or arguments.channel == BOT:
        return await _add_by_hand(arguments, database, settings, outside)
    return await connecting.in_browser(arguments, database, settings, outside)


async def _add_by_hand(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    channel = arguments.channel
    access, refresh = read_pair(arguments)
    account_id = _id_of(arguments, access)
    app, sealer = apps_of(settings)[channel], Sealer(settings.require_secret())
    account = Account(channel, account_id, access, app.app_id, app.app_secret)
    name, doubt = await _looked_at(outside.channels[channel], account, bool(refresh))
    sealed, now = (sealer.seal(access), sealer.seal(refresh)), outside.clock()
    more: dict[str, object] = {"name": name} if name else {}
    await database.write(
        lambda session: connect(session, channel, account_id, sealed, now, **more), name="accounts.connect"
    )
    words = f"{connecting.named(channel, account_id, name)} is connected. {doubt}".strip()
    if channel == "zalo" and not refresh:
        words += " Without a refresh token it stops after about a day: add it with --refresh-token-file."
    data = {
        "channel": channel, "account_id": account_id, "name": name, "can_refresh": bool(refresh), "checked": not doubt,
    }  # fmt: skip
    return Report(data, [words])


def _id_of(arguments: Namespace, token: str) -> str:
    """Whose token this is said to be; a bot's names its bot. Raises Refused."""
    said = "".join(arguments.account_ids)
    if arguments.channel != BOT:
        return said
    found = bot_id(token)
    if not found:
        raise Refused("this is no token of a Zalo bot: it has the form 123456:letters; Zalo Bot Creator sends it")
    if said not in ("", found):
        raise Refused(f"this token is foreign or swapped: it belongs to {found}, not to {said}; nothing was stored")
    return found


async def _looked_at(channel: Channel, account: Account, can_refresh: bool) -> tuple[str, str]:
    """The account's name, and why its token could not be looked at. Raises Refused where it is not this account's."""
    try:
        owner = await channel.whose(account)
    except SendError as error:
        if error.kind in (SendErrorKind.RETRY, SendErrorKind.UNKNOWN):
            return "", f"It could not be checked whose token this is ({error.code}); the first message will show it."
        if error.kind is SendErrorKind.PERMANENT:
            app = account.channel.upper()
            raise Refused(
                f"{account.channel} refused to say whose token this is ({error.code}): {app}_APP_ID and "
                f"{app}_APP_SECRET must be those of the app that the token is of; nothing was stored"
            ) from None
        if error.kind is not SendErrorKind.AUTH:
            raise Refused(f"{error.words.en} ({error.code}) Nothing was stored.") from None
        if can_refresh:
            return "", f"Its access token is dead ({error.code}); the service renews it with the first message."
        raise Refused(
            f"{account.channel} does not accept this access token ({error.code}); nothing was stored. Copy it anew: it "
            "may have expired, be cut off, or be replaced by a newer one"
        ) from None
    if owner.account_id != account.account_id:
        theirs = connecting.named(account.channel, owner.account_id, owner.name)
        raise Refused(
            f"this token is foreign or swapped: it belongs to {theirs}, not to {account.account_id}; nothing was stored"
        )
    return owner.name[:_LONGEST_NAME], ""


async def _listed(database: Database, settings: Settings) -> Report:
    zone = settings.timezone
    found = await database.read(accounts.everyone)
    data = [
        {
            "channel": each.channel, "account_id": each.account_id, "name": each.name,
            "refreshed_at": stamp(each.refreshed_at, zone), "connected": bool(each.access_token), "held": each.held,
            "checked_at": stamp(each.checked_at, zone), "facts": json.loads(each.facts or "{}"),
            "shares_labels": each.shares_labels,
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


async def _token(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    view = await _found(arguments, database)
    sealer = Sealer(settings.require_secret())
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
    if view.account_id in (settings.zalo_oa_id, settings.messenger_page_id, bot_id(settings.zalo_bot_token)):
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
    return "…" + (token[-_SHOWN:] if len(token) >= SHORTEST * 2 else "")


def _in_words(age: timedelta | None) -> str:
    if age is None:
        return "unknown"
    hours = int(age / timedelta(hours=1))
    return f"{hours // 24} days {hours % 24} h" if hours >= 48 else f"{hours} h"
