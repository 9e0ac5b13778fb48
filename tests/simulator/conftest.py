"""A simulator for every test of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.simulator.stage import Stage, playing


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with playing() as running:
        yield running
