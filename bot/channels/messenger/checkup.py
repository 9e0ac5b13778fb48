"""A look at a Page: whether its updates come to us, and how long its token lasts and what it may do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.channels.base import Account, Checkup, SendError, SendErrorKind, Trouble, raised
from bot.channels.messenger import faults, page
from bot.channels.messenger.client import Graph, edge
from bot.channels.messenger.envelope import ident, record, records
from bot.channels.text import clean

NOT_SUBSCRIBED = "page_not_subscribed"
TOKEN_ENDS = "token_ends"
PERMISSION_MISSING = "permission_missing"
NEEDED = ("pages_messaging", "pages_manage_metadata")
ENDS_SOON = timedelta(days=7)


@dataclass(slots=True)
class _Seen:
    facts: dict[str, Any] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)
    mended: str = ""


async def check_up(graph: Graph, account: Account, now: datetime) -> Checkup:
    """The Page's name, its subscription (mended where fields are missing) and its token, as far as Facebook tells.

    What Facebook refuses to tell is neither good nor bad. AUTH: the token is no longer valid.
    """
    seen = _Seen()
    name = await _told(graph, account, _page(account), {"fields": "name"})
    await _look_at_subscription(graph, account, seen)
    if account.app_id and account.app_secret:
        await _look_at_token(graph, account, now, seen)
    return Checkup(
        clean(record(name).get("name")).strip(), seen.facts, frozenset(seen.judged), tuple(seen.troubles), seen.mended
    )


def _page(account: Account) -> str:
    return quote(account.account_id, safe="")


async def _told(graph: Graph, account: Account, path: str, query: dict[str, str]) -> dict[str, Any] | str:
    """What a question was answered, or by which code it was refused for good."""
    try:
        return await graph.get(account, path, query)
    except SendError as error:
        if error.kind is not SendErrorKind.PERMANENT:
            raise
        return f"refused ({error.code})"


# --- the subscription (Pages API, "subscribed_apps") ----------------------------------------------------------------


async def _look_at_subscription(graph: Graph, account: Account, seen: _Seen) -> None:
    present = await fields_of(graph, account)
    if isinstance(present, str):
        seen.facts["subscribed"] = present
        return
    missing = _missing(account, present)
    refusal = await _subscribe(graph, account, present) if missing else None
    seen.judged.add(NOT_SUBSCRIBED)
    seen.facts["subscribed"] = refusal is None
    if refusal is not None:
        words = (
            f"The Page's updates do not all come to us (missing: {', '.join(missing)}), and this could not be mended "
            f"from here: {refusal} The Page's admin connects the Page again with the permission "
            "pages_manage_metadata, or subscribes it in the app's dashboard under Messenger, Webhooks."
        )
        seen.troubles.append(Trouble(NOT_SUBSCRIBED, words))
    elif missing and _missing(account, await fields_of(graph, account)):
        seen.facts["subscribed"] = "asked for, but not listed yet for the app of MESSENGER_APP_ID"
    elif missing:
        seen.mended = f"subscribed to {', '.join(missing)}"


async def fields_of(graph: Graph, account: Account) -> set[str] | str:
    """What our app is subscribed to, or by which code Facebook refused to tell."""
    told = await _told(graph, account, edge(account, "subscribed_apps"), {})
    if isinstance(told, str):
        return told
    apps = [app for app in records(told.get("data")) if account.app_id in ("", ident(app.get("id")))]
    return {clean(name) for app in apps for name in _list(app.get("subscribed_fields"))} - {""}


def _missing(account: Account, present: set[str] | str) -> list[str]:
    return [name for name in page.needed(account) if name not in present]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


async def _subscribe(graph: Graph, account: Account, present: set[str]) -> str | None:
    """Subscribe to all that we need beside what is there; None, or why Facebook refused."""
    try:
        done = await page.subscribe(graph, account, present)
    except SendError as error:
        if error.kind is not SendErrorKind.PERMANENT:
            raise
        return str(error)
    return None if done else "Facebook did not say that it was done."


# --- the token (Graph API, "debug_token") ---------------------------------------------------------------------------


async def _look_at_token(graph: Graph, account: Account, now: datetime, seen: _Seen) -> None:
    """Asked in the app's own name: a refusal is about the app's secret and says nothing about the Page's token."""
    app = replace(account, access_token=f"{account.app_id}|{account.app_secret}")
    try:
        told = await _told(graph, app, "debug_token", {"input_token": account.access_token})
    except SendError as error:
        if error.kind is not SendErrorKind.AUTH:
            raise
        told = f"refused ({error.code}): MESSENGER_APP_ID and MESSENGER_APP_SECRET do not belong together"
    if isinstance(told, str):
        seen.facts["token"] = told
        return
    token = record(told.get("data"))
    if token.get("is_valid") is False:
        raise raised(faults.RECONNECT, "debug_token")
    _judge_end(token.get("expires_at"), now, seen)
    _judge_permissions(token.get("scopes"), seen)


def _judge_end(seconds: Any, now: datetime, seen: _Seen) -> None:
    """`expires_at` is in epoch seconds; 0 means never."""
    if type(seconds) is not int or not 0 <= seconds < 10**11:
        return
    seen.judged.add(TOKEN_ENDS)
    if not seconds:
        seen.facts["token_ends"] = "never"
        return
    ends = datetime.fromtimestamp(seconds, UTC)
    seen.facts["token_ends"] = ends.isoformat(timespec="seconds")
    if ends - now <= ENDS_SOON:
        words = (
            f"The Page's access token ends on {ends:%Y-%m-%d} and cannot renew itself: the Page's admin connects the "
            "Page again before then, with a token made from a long-lived one or of a system user."
        )
        seen.troubles.append(Trouble(TOKEN_ENDS, words))


def _judge_permissions(scopes: Any, seen: _Seen) -> None:
    granted = {clean(scope) for scope in _list(scopes)} - {""}
    if not granted:
        return
    seen.judged.add(PERMISSION_MISSING)
    seen.facts["permissions"] = sorted(granted)
    missing = [name for name in NEEDED if name not in granted]
    if missing:
        words = (
            f"The Page's token lacks {' and '.join(missing)}: the Page's admin connects the Page again and allows "
            "everything that is asked for; the app's admin gets what is missing approved by Meta."
        )
        seen.troubles.append(Trouble(PERMISSION_MISSING, words))
