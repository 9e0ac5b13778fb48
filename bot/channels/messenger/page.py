"""What a Page must be subscribed to, so that its updates come to us."""

from __future__ import annotations

from collections.abc import Collection

from bot.channels.base import Account
from bot.channels.messenger.client import Graph, edge

SUBSCRIBED_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "standby",
)
"""Every field whose updates we understand (Messenger, "Webhooks", Subscribe to Webhooks fields)."""


async def subscribe(graph: Graph, account: Account, also: Collection[str] = ()) -> bool:
    """Subscribe the Page to all that we understand and to `also`; whether Facebook says that it was done.

    May be called twice. The new list replaces the one before (Pages API, "subscribed_apps"), so it goes out whole.
    """
    fields = {"subscribed_fields": ",".join((*SUBSCRIBED_FIELDS, *sorted({*also} - {*SUBSCRIBED_FIELDS})))}
    done = await graph.repeat("POST", account, edge(account, "subscribed_apps"), fields)
    return done.get("success") in (True, "true")
