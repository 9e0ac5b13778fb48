"""Who may answer a person on a Page: asked, taken back, passed on (Messenger, "Conversation Routing")."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bot.channels.base import Account, SendError, SendErrorKind, Subject, raised
from bot.channels.messenger import faults
from bot.channels.messenger.client import Graph, edge
from bot.channels.messenger.envelope import ident, record, records
from bot.channels.messenger.parse import INBOX_APP_IDS

INBOX = "263902037430900"
"""The Page's own inbox, as "Conversation Routing" prints its app id."""
OURS, PAGE_INBOX, OTHER_APP, NOBODY = "ours", "inbox", "other_app", "nobody"


class Holder(NamedTuple):
    """Who holds a conversation: ours, inbox, other_app or nobody; which app that is, and until when."""

    who: str
    app_id: str = ""
    until: datetime | None = None


async def holder(graph: Graph, account: Account, user_id: str) -> Holder:
    """Who may answer this person now; nobody holds what was quiet for a day."""
    told = await graph.get(account, edge(account, "thread_owner"), {"recipient": user_id})
    owner = record(next(iter(records(told.get("data"))), {}).get("thread_owner"))
    app_id = ident(owner.get("app_id"))
    if not app_id:
        return Holder(NOBODY)
    who = OURS if app_id == account.app_id else PAGE_INBOX if app_id in INBOX_APP_IDS else OTHER_APP
    return Holder(who, app_id, _moment(owner.get("expiration")))


async def take(graph: Graph, account: Account, user_id: str) -> None:
    """Take it back from whoever holds it; only the Page's default app may. ELSEWHERE: it stays where it is."""
    try:
        await _done(graph, account, "take_thread_control", {"recipient": {"id": user_id}})
    except SendError as error:
        if (error.kind, error.subject) == (SendErrorKind.PERMANENT, Subject.MESSAGE):
            raise raised(faults.NOT_OWNER, error.code, detail=error.detail) from None
        raise


async def give(graph: Graph, account: Account, user_id: str) -> None:
    """Pass it to the Page's inbox. ELSEWHERE: it is not ours to pass."""
    await _done(graph, account, "pass_thread_control", {"recipient": {"id": user_id}, "target_app_id": int(INBOX)})


async def _done(graph: Graph, account: Account, name: str, told: dict[str, Any]) -> None:
    answer = await graph.repeat("POST", account, edge(account, name), {}, json.dumps(told).encode())
    if answer.get("success") not in (True, "true"):
        raise raised(faults.NOT_OWNER, "no_success")


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if type(seconds) is int and 0 < seconds < 10**11 else None
