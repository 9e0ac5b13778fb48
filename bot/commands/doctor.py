"""`khachquen doctor`: looks at everything that may keep the service from working, and says who can mend it and how."""

from __future__ import annotations

import asyncio
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.caller import Caller
from bot.channels.base import Channel
from bot.channels.zalobot.channel import bot_id
from bot.commands import doctor_data, reachable, setup
from bot.commands.finding import MEND, NOTE, OK, Finding, awaited, looked
from bot.commands.report import Report
from bot.service import keys_of
from bot.settings import Settings
from crm import hours
from storage import engines

_MEGABYTE = 1024 * 1024
_LITTLE_SPACE = 1024 * _MEGABYTE
_NO_SPACE = 200 * _MEGABYTE
_SHORT_KEY = 24
_PATIENCE_S = 30.0
"""So long may one part of the look take; the parts go on beside each other."""


async def run(
    arguments: Namespace,
    settings: Settings,
    channels: dict[str, Channel],
    caller: Caller,
    clock: Callable[[], datetime],
) -> Report:
    """Look at everything, beside a running service; not ok where something must be mended.

    Nothing raises: a look that fails is a finding. With `--offline` nothing is called.
    """
    found = [
        *looked("settings", partial(_settings, settings)),
        *looked("channels", partial(_channels, settings)),
        *looked("disk", lambda: [_disk(settings)]),
    ]
    data = doctor_data.look(settings, channels, clock, live=not arguments.offline)
    looks = [awaited("database", data, _PATIENCE_S)]
    if not arguments.offline:
        address = reachable.address(settings, caller, channels, keys_of(settings), clock())
        places = reachable.platforms(_places(settings), caller, clock)
        looks += [awaited("address", address, _PATIENCE_S), awaited("outside", places, _PATIENCE_S)]
    found += [finding for told in await asyncio.gather(*looks) for finding in told]
    found.sort(key=lambda finding: (MEND, NOTE, OK).index(finding.state))
    ok = all(finding.state != MEND for finding in found)
    data_of = {"ok": ok, "findings": [asdict(finding) for finding in found]}
    return Report(data_of, [finding.line for finding in found], ok)


def _places(settings: Settings) -> dict[str, str]:
    """Where the platforms are of which something is set."""
    places = {"zalo": settings.zalo_api_url, "messenger": settings.messenger_graph_url}
    begun = {name: url for name, url in places.items() if setup.is_begun(settings, name)}
    return begun | ({"zalobot": settings.zalo_bot_api_url} if settings.zalo_bot_token else {})


def _settings(settings: Settings) -> Iterator[Finding]:
    if len(settings.secret_key) < 16:
        yield Finding(
            "settings", MEND, "SECRET_KEY is missing or shorter than 16 characters; without it nothing starts.",
            "Whoever installs this makes one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )  # fmt: skip
    else:
        yield Finding("settings", OK, "SECRET_KEY is set.")
    if settings.api_key and len(settings.api_key) < _SHORT_KEY:
        words = f"API_KEY is shorter than {_SHORT_KEY} characters and might be guessed."
        remedy = "Whoever runs the server makes another: khachquen key create NAME"
        yield Finding("settings", MEND, words, remedy)
    if settings.zalo_bot_token and not bot_id(settings.zalo_bot_token):
        words = "ZALO_BOT_TOKEN is no token of a bot: it has the form 123456:letters."
        yield Finding("settings", MEND, words, "The bot's owner copies it anew from Zalo Bot Creator.")
    if not settings.public_url:
        yield Finding("settings", NOTE, "PUBLIC_URL is not set.", "Set it to the address that the platforms call.")
    if not settings.brand_name:
        yield Finding("settings", NOTE, "BRAND_NAME is not set; the bot calls itself the shop's assistant.")
    yield _hours(settings)


def _hours(settings: Settings) -> Finding:
    """How the opening hours were understood."""
    if not settings.opening_hours:
        words = "OPENING_HOURS is not set: the shop counts as always open, and customers are told no time of an answer."
        return Finding("settings", NOTE, words, "Set it, for example: OPENING_HOURS=T2-T7 8:00-21:00; CN 9:00-18:00")
    week = hours.opening_hours(settings.opening_hours)
    if week is None:
        words = "OPENING_HOURS is shown to customers, but not understood: the shop counts as always open."
        return Finding("settings", NOTE, words, "Write it like: T2-T7 8:00-12:00 13:30-21:00; CN 9:00-18:00")
    open_for = sum(end - start for shifts in week for start, end in shifts)
    return Finding("settings", OK, f"OPENING_HOURS is understood: {open_for // 60} hours a week.")


def _channels(settings: Settings) -> Iterator[Finding]:
    steps = {name: setup.next_step(settings, name) for name in setup.CHANNELS}
    used = [name for name in setup.CHANNELS if setup.is_begun(settings, name)]
    for name, step in steps.items():
        if step is None:
            yield Finding("channels", OK, f"{name} has all its keys.")
        else:
            state = MEND if name in used or not used else NOTE
            yield Finding("channels", state, f"{name} is pending: {step.missing} is not set.", step.remedy)


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir
    if engines.is_sqlite(settings.database_url):
        place = engines.sqlite_path(settings.database_url).parent
    free = shutil.disk_usage(_there(place)).free
    words = f"{free // _MEGABYTE} MB are free on the disk of the data."
    if free >= _LITTLE_SPACE:
        return Finding("disk", OK, words)
    remedy = "Whoever runs the server makes room: without any, no message can be kept."
    return Finding("disk", MEND if free < _NO_SPACE else NOTE, words, remedy)


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    whole = path.resolve()
    return next(folder for folder in (whole, *whole.parents) if folder.exists())
