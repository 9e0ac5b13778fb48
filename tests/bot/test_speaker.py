"""The worker that speaks: how it shares its slots, and what was sent, with batches of events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from bot.accounts import Accounts
from bot.channels.messenger.channel import Messenger
from bot.drawing.artist import Artist
from bot.drawing.shelf import Shelf
from bot.outbox import AT_ONCE, SLOTS, OutboxWorker
from bot.secrets import Sealer
from crm.budget import Budget
from crm.caps import Caps
from crm.lawful import LawfulHours
from crm.verdicts import Policy
from storage.database import Database
from tests.conftest import Clock


@pytest.fixture
async def speaker(database: Database, clock: Clock) -> AsyncIterator[OutboxWorker]:
    """One that calls nobody."""
    artist, zone = Artist(), ZoneInfo("Asia/Ho_Chi_Minh")
    async with aiohttp.ClientSession() as http:
        channels = {"messenger": Messenger(http)}
        living = Accounts(database, channels, {}, Sealer("a secret key for tests only"), clock, "me")
        shelf = Shelf(database, channels, artist, "An Nhiên", clock)
        policy = Policy(Caps(), LawfulHours(zone))
        yield OutboxWorker(database, channels, living, {}, Budget(None, zone), shelf, clock, "me", policy)
    await artist.close()


async def test_a_batch_and_a_turn_share_the_slots_where_both_claim(speaker: OutboxWorker, database: Database) -> None:
    with speaker.claiming_beside() as batch, speaker.claiming() as turn, speaker.claiming() as third:
        shares = [each.free for each in (batch, turn, third)]
    assert shares == ([AT_ONCE, SLOTS - AT_ONCE, 0] if database.is_sqlite else [0, AT_ONCE, SLOTS - AT_ONCE])
