"""The product between its platforms, on a database of each test's own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.people import MESSENGER, ZALO
from tests.conftest import Clock
from tests.pipeline.stage import Stage, playing


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite file with the schema and nothing in it."""
    path = tmp_path / "pipeline.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def stage(sqlite_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product between its platforms."""
    async with playing(sqlite_url, clock) as running:
        yield running


@pytest.fixture(params=[ZALO, MESSENGER])
def channel(request: pytest.FixtureRequest) -> str:
    """Each channel in turn."""
    name: str = request.param
    return name
