"""The web on an open database, a clock that tests move, and a client that holds a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import main
from bot import knock
from bot.drawing.artist import Artist
from bot.drawing.shelf import Shelf
from bot.service import sender_of
from bot.settings import Settings
from crm import keys
from storage.database import Database
from tests.conftest import Clock
from web.app import attach
from web.health import Health
from web.keys import CLOCK, DATABASE, FIRST_KEY, HEALTH, KNOCK, PICTURES, SENDER, SITE, TRUSTED, Site
from web.keys import SECRET as SECRET_KEY

KEY = "a-first-key-for-tests"
SECRET = "a secret key for tests only"

Client = TestClient[web.Request, web.Application]


@dataclass(slots=True)
class Patient:
    """Whose health is shown: tests change it, or make the look at it fail."""

    health: Health = field(default_factory=lambda: Health(ready=True))
    failure: Exception | None = None

    async def __call__(self) -> Health:
        if self.failure:
            raise self.failure
        return self.health


@pytest.fixture
def patient() -> Patient:
    """Whose health is shown."""
    return Patient()


@pytest.fixture
async def app(database: Database, clock: Clock, patient: Patient) -> AsyncIterator[web.Application]:
    """The web as `main` puts it together."""
    app = web.Application()
    app[DATABASE], app[CLOCK], app[HEALTH] = database, clock, patient
    app[SECRET_KEY] = SECRET
    app[SITE], app[FIRST_KEY] = Site("Trà <Sen>", "proof-1"), keys.digest(KEY)
    app[TRUSTED] = ()
    artist = Artist()
    app[PICTURES] = Shelf(database, {}, artist, "Trà Sen", clock).picture
    app[KNOCK] = partial(knock.heard, SECRET)
    attach(app)
    given = Settings(secret_key=SECRET, broadcast_alone=2)
    async with main.reaching(given) as channels:
        app[SENDER] = sender_of(given, channels)
        yield app
    await artist.close()


@pytest.fixture
async def stranger(app: web.Application) -> AsyncIterator[Client]:
    """Somebody without a key."""
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def pos(app: web.Application) -> AsyncIterator[Client]:
    """A POS with a key."""
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client
