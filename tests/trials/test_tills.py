"""The short form of the tills: what many processes want at once is had once."""

from __future__ import annotations

import pytest

from tests.trials import tills

pytestmark = pytest.mark.timeout(170)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_ten_tills_want_a_hundred_times_at_once_is_had_once(database_url: str) -> None:
    assert await tills.all_had(database_url) == ([1, 1, 1], True)
