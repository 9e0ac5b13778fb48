"""That a message was read, or that an answer is being written (Messenger, "Sender Actions")."""

from __future__ import annotations

import json

from bot.channels.abilities import Sign
from bot.channels.base import Account
from bot.channels.messenger.client import Graph, edge

_ACTIONS = {Sign.SEEN: "mark_seen", Sign.TYPING: "typing_on"}


async def show(graph: Graph, account: Account, user_id: str, sign: Sign) -> None:
    """Show one to a person; typing ends by itself after 20 seconds, or with the next message."""
    body = {"recipient": {"id": user_id}, "sender_action": _ACTIONS[sign]}
    await graph.repeat("POST", account, edge(account, "messages"), {}, json.dumps(body).encode())
