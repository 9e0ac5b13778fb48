"""A chat with a shop that says when it is open, and one for each channel."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chat import BOT_TOKEN, CHANNELS, Chat, chatting
from tests.conftest import Clock

HOURS = "8h–21h mỗi ngày"


@pytest.fixture
def chat_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A database of this test's own; what differs between engines is tested in storage and crm."""
    path = tmp_path / "chat.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def chat(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """Lan on Zalo, with a shop that told everything about itself."""
    shop = {
        "brand_name": "Tiệm Mây",
        "opening_hours": HOURS,
        "shop_address": "12 Lê Lợi, Quận 1",
        "shop_phone": "02838220000",
    }
    async with chatting(chat_url, clock, **shop) as running:
        yield running


@pytest.fixture(params=CHANNELS)
def each(request: pytest.FixtureRequest, chat: Chat) -> Chat:
    """Lan on each channel in turn."""
    return chat.of("lan", request.param)


@pytest.fixture
async def with_bot(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """A shop that has a bot for its staff, too."""
    async with chatting(chat_url, clock, zalo_bot_token=BOT_TOKEN) as running:
        yield running
