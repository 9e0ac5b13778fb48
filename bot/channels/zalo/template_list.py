"""Reads all templates of an OA: page by page, and each by itself, at a pace that leaves Zalo's calls for sending."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.channels.base import Account, SendError
from bot.channels.zalo.client import TEMPLATES_A_PAGE, Client
from bot.channels.zalo.envelope import identifier

Json = dict[str, Any]

_AT_ONCE = 10
_MOST = 10_000
_NO_SUCH_TEMPLATE = "-109"


async def read(client: Client, account: Account, apart: float) -> list[Json]:
    """Everything that Zalo tells of each template. After the first few, `apart` seconds lie between two calls."""
    found: list[Json] = []
    looks = 0
    for offset in range(0, _MOST, TEMPLATES_A_PAGE):
        page = await client.templates(account, offset)
        for template_id in filter(None, (identifier(each.get("templateId")) for each in page)):
            looks += 1
            if looks > _AT_ONCE:
                await asyncio.sleep(apart)
            found += await _look(client, account, template_id)
        if len(page) < TEMPLATES_A_PAGE:
            break
    return found


async def _look(client: Client, account: Account, template_id: str) -> list[Json]:
    """One template; none where it went between the list and the look."""
    try:
        return [await client.template(account, template_id)]
    except SendError as error:
        if error.code == _NO_SUCH_TEMPLATE:
            return []
        raise
