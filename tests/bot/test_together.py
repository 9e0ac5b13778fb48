"""Several things at once: each comes to its end, and a failure is not lost."""

from __future__ import annotations

import asyncio

import pytest

from bot.together import all_ended


async def test_all_come_to_their_ends_before_the_first_failure_is_raised() -> None:
    ended: list[str] = []

    async def fails(name: str) -> str:
        raise LookupError(name)

    async def ends(name: str) -> str:
        await asyncio.sleep(0)
        ended.append(name)
        return name

    with pytest.raises(LookupError, match="second"):
        await all_ended([ends("first"), fails("second"), ends("third"), fails("fourth")])
    assert ended == ["first", "third"]
    assert await all_ended([ends("fifth"), ends("sixth")]) == ["fifth", "sixth"]
