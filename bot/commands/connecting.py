"""`khachquen account add` where no Page's or OA's token is at hand: by consent in a browser, or by a person's token."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from bot.accounts import connect
from bot.channels.abilities import Consenting, Managing
from bot.channels.base import Account, Managed, SendError, SendErrorKind
from bot.commands.report import Outside, Refused, Report, shown, stamp, table
from bot.commands.tokens import read_token
from bot.grants import Asked, Grants
from bot.secrets import Sealer
from bot.service import apps_of
from bot.settings import Settings
from storage import grants
from storage.database import Database

WAIT = timedelta(minutes=10)
BROKEN = timedelta(minutes=2)
"""After this long a callback that does not end was cut off: its calls take a good minute at most."""
POLL_S = 0.5
_NOT_ASKED = (
    "Facebook could not be asked for the Pages, or refused: try again; if it lasts, check the network and that "
    "MESSENGER_APP_ID and MESSENGER_APP_SECRET are those of the app that the token is of."
)
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


async def in_browser(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Hand out the address on which an OA's admin agrees, and wait for it. Raises Refused where nothing came of it."""
    name = arguments.channel
    channel, app = outside.channels[name], app_of(settings, name)
    assert isinstance(channel, Consenting)
    callback = callback_of(settings, name)
    asking = Grants(database, channel, app, Sealer(settings.require_secret()), outside.clock)
    asked = await asking.ask(callback)
    lines = [
        asked.address,
        "Open it in a browser as an admin of the OA, and agree. It works once, until "
        f"{shown(asked.expires_at, settings.timezone)}. The service must be running.",
        f"{callback} must be saved as the app's Official Account Callback Url on developers.zalo.me.",
    ]
    if arguments.no_wait or arguments.json:
        ends = stamp(asked.expires_at, settings.timezone)
        return Report({"channel": name, "address": asked.address, "callback": callback, "expires_at": ends}, lines)
    for line in lines:
        outside.tell(line)
    return await _answered(asked, name, database, settings, outside)


async def _answered(asked: Asked, name: str, database: Database, settings: Settings, outside: Outside) -> Report:
    until, again = outside.clock() + WAIT, f"Begin again: khachquen account add {name}"
    while True:
        view = await database.read(partial(grants.find, request=asked.request))
        now = outside.clock()
        if view is None or (view.used_at and not view.settled_at and now - view.used_at > BROKEN):
            raise Refused(f"the service was stopped while it connected the account; nothing is connected. {again}")
        if view.failure:
            raise Refused(f"{view.failure} {again}")
        if view.settled_at:
            data = {"channel": name, "account_id": view.account_id, "name": view.name}
            return Report(data, [f"{named(name, view.account_id, view.name)} is connected."])
        if now >= until:
            last = shown(asked.expires_at, settings.timezone)
            raise Refused(
                f"nobody agreed within {WAIT // timedelta(minutes=1)} minutes. The address stays good until {last}; "
                "khachquen account list shows whether it was used"
            )
        await asyncio.sleep(POLL_S)


async def by_person(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Connect the named Pages of a person's token, or the only one. Raises Refused; the token is not kept."""
    name, wanted = arguments.channel, list(dict.fromkeys(arguments.account_ids))
    channel, app = outside.channels[name], app_of(settings, name)
    assert isinstance(channel, Managing)
    user = Account(name, "", read_token(arguments.user_token_file, "user"), app.app_id, app.app_secret)
    try:
        pages = await channel.managed(await channel.prolonged(user))
    except SendError as error:
        dead = error.kind is SendErrorKind.AUTH
        raise Refused(f"{error.words.en if dead else _NOT_ASKED} ({error.code}) Nothing was connected.") from None
    if not wanted and len(pages) > 1:
        data = {"connected": [], "pages": [{"account_id": each.account_id, "name": each.name} for each in pages]}
        lines = table([(each.account_id, each.name) for each in pages], "")
        return Report(data, [*lines, "Which of them? Name one or more after the command; nothing is connected."], False)
    chosen = _chosen(pages, wanted)
    sealer, now = Sealer(settings.require_secret()), outside.clock()

    def keep(session: Session) -> None:
        for each in chosen:
            sealed = sealer.seal(each.access_token), ""
            connect(session, name, each.account_id, sealed, now, name=each.name)

    await database.write(keep, name="accounts.connect")
    await outside.accounts.reload()
    done, lines, ok = [], [], True
    for each in chosen:
        trouble = await _trouble(channel, await outside.accounts.get(name, each.account_id))
        done.append(_line_of(name, each, trouble))
        words = f"{named(name, each.account_id, each.name)} is connected."
        lines.append(f"{words} But Facebook does not tell us of it yet: {trouble}" if trouble else words)
        ok = ok and not trouble
    return Report({"connected": done}, lines, ok)


def _chosen(pages: Sequence[Managed], wanted: Sequence[str]) -> list[Managed]:
    known = {page.account_id: page for page in pages}
    if not known:
        raise Refused(
            "this person manages no Page, or did not let the app see it: make the token anew with the permissions "
            "pages_show_list, pages_messaging and pages_manage_metadata, and tick the Page"
        )
    missing = [each for each in wanted if each not in known]
    if missing:
        there = ", ".join(f"{page.account_id} ({page.name})" for page in pages)
        raise Refused(f"this person's token does not open {', '.join(missing)}; it opens {there}. Nothing is connected")
    chosen = [known[each] for each in wanted] or list(pages)
    closed = [each for each in chosen if not each.access_token]
    if closed:
        there = ", ".join(f"{page.account_id} ({page.name})" for page in closed)
        raise Refused(f"this person may not act for {there}: an admin of the Page must give them the right to message")
    return chosen


async def _trouble(channel: Managing, account: Account) -> str:
    """Why the Page could not be subscribed; "" where it is."""
    try:
        await channel.subscribe(account)
    except SendError as error:
        return f"{error.words.en} ({error.code})"
    return ""


def _line_of(channel: str, page: Managed, trouble: str) -> dict[str, Any]:
    return {"channel": channel, "account_id": page.account_id, "name": page.name, "subscribed": not trouble}


def app_of(settings: Settings, channel: str) -> Account:
    """The channel's app, as an account without an id. Raises Refused where it is not set."""
    app = apps_of(settings)[channel]
    names = (f"{channel}_APP_ID".upper(), app.app_id), (f"{channel}_APP_SECRET".upper(), app.app_secret)
    missing = [name for name, value in names if not value]
    if missing:
        console = {"zalo": "developers.zalo.me", "messenger": "developers.facebook.com"}[channel]
        raise Refused(
            f"{' and '.join(missing)} must be set first: the app's owner finds them on {console}; set them in .env "
            "and restart the service"
        )
    return Account(channel, "", "", app.app_id, app.app_secret)


def callback_of(settings: Settings, channel: str) -> str:
    """Where the platform sends the browser back to. Raises Refused where that is no address of ours."""
    given = settings.public_url.rstrip("/")
    try:
        url = urlsplit(given)
        host = "" if url.query or url.fragment else url.hostname or ""
    except ValueError:
        host = ""
    if not given:
        raise Refused(
            "PUBLIC_URL must be set first: the https:// address under which the service is reached, as the admin's "
            "browser is sent back there; set it in .env and restart the service"
        )
    if not host or not (url.scheme == "https" or (url.scheme == "http" and host in _HERE)):
        raise Refused(
            "PUBLIC_URL must be an address such as https://chat.example.vn (http:// only for localhost): the admin's "
            "browser is sent back there"
        )
    return f"{given}/connect/{channel}"


def named(channel: str, account_id: str, name: str) -> str:
    """An account as people read it."""
    return f"{channel} {account_id} ({name})" if name else f"{channel} {account_id}"
