"""What the views find in the application: the data, the clock, the state of health, and the shop's own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.broadcasting import Sender
from storage.database import Database
from storage.media import Kept
from web.callers import Networks
from web.health import Health


@dataclass(frozen=True, slots=True)
class Site:
    """What `GET /` shows; `verification` is the code that Zalo looks for, empty where there is none."""

    brand: str
    verification: str = ""


DATABASE: web.AppKey[Database] = web.AppKey("DATABASE", Database)
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("CLOCK")
HEALTH: web.AppKey[Callable[[], Awaitable[Health]]] = web.AppKey("HEALTH")
KNOCK: web.AppKey[Callable[[str], str]] = web.AppKey("KNOCK")
"""`bot.knock.heard` with this service's secret key."""
PICTURES: web.AppKey[Callable[[str], Awaitable[Kept]]] = web.AppKey("PICTURES")
"""`bot.drawing.shelf.Shelf.picture`."""
SENDER: web.AppKey[Sender] = web.AppKey("SENDER", Sender)
"""The shop as one that writes to many."""
SITE: web.AppKey[Site] = web.AppKey("SITE", Site)
TRUSTED: web.AppKey[Networks] = web.AppKey("TRUSTED")
"""The proxies whose `X-Forwarded-For` is believed."""
CALLER: web.RequestKey[str] = web.RequestKey("CALLER", str)
"""What stands for the key that a request brought: it tells callers apart and opens nothing."""
FIRST_KEY: web.AppKey[str] = web.AppKey("FIRST_KEY", str)
"""`crm.keys.digest` of the key from the settings; empty where there is none."""
SECRET: web.AppKey[str] = web.AppKey("SECRET", str)
"""`SECRET_KEY`: what erased people are known by again is hashed with it."""
