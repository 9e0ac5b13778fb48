"""The names under which a Page speaks beside its own (Messenger, "Personas")."""

from __future__ import annotations

import json
from urllib.parse import quote

from bot.channels.base import Account, raised
from bot.channels.messenger import faults
from bot.channels.messenger.client import Graph, edge
from bot.channels.messenger.envelope import ident, record
from bot.channels.messenger.fit import cut
from bot.channels.text import clean

LONGEST_NAME = 50


async def make(graph: Graph, account: Account, name: str) -> str:
    """A new persona's id. Facebook demands a picture and fetches it itself: it is the Page's own."""
    shown = await graph.get(account, quote(account.account_id, safe=""), {"fields": "picture{url}"})
    picture = clean(record(record(shown.get("picture")).get("data")).get("url"))
    wanted = {"name": cut(name, LONGEST_NAME), "profile_picture_url": picture}
    made = await graph.repeat("POST", account, edge(account, "personas"), {}, json.dumps(wanted).encode())
    if not ident(made.get("id")):
        raise raised(faults.READ_FAILED, "no_persona_id")
    return ident(made.get("id"))
