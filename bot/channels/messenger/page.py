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
"""Every field whose updates every Page needs (Messenger, "Webhooks", Subscribe to Webhooks fields)."""


COMMENTS = "feed"
"""The field that tells of comments, and of every like and post besides: asked for only where comments are answered."""


def needed(account: Account) -> tuple[str, ...]:
    """The fields that this Page must be subscribed to."""
    return (*SUBSCRIBED_FIELDS, COMMENTS) if account.answers_comments else SUBSCRIBED_FIELDS


async def subscribe(graph: Graph, account: Account, also: Collection[str] = ()) -> bool:
    """Subscribe the Page to all that it needs and to `also`; whether Facebook says that it was done.

    May be called twice. The new list replaces the one before (Pages API, "subscribed_apps"), so it goes out whole.
    """
    wanted = needed(account)
    fields = {"subscribed_fields": ",".join((*wanted, *sorted({*also} - {*wanted})))}
    done = await graph.repeat("POST", account, edge(account, "subscribed_apps"), fields)
    return done.get("success") in (True, "true")
