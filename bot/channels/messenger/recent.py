"""What was said to a Page while nobody listened: messages of conversations, as the webhooks that they would have been.

Meta, "Conversations API": newest first, and of each conversation only the last 20 messages can be read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.channels.base import Account, Page, Raw
from bot.channels.messenger.client import Graph, edge
from bot.channels.messenger.envelope import ident, record, records
from bot.channels.messenger.parse import READ_BACK
from bot.channels.messenger.webhook import raw_of
from bot.channels.text import clean

_FIELDS = (
    "participants,updated_time,"
    "messages.limit(20){id,created_time,from,to,message,attachments,reply_to}"
)  # fmt: skip
_CONVERSATIONS = 10
_FILES = (("image_data", "image"), ("video_data", "video"))


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far the reading is: after which page, down to which second.

    Pages shift while people write, so a list of several pages is read once more, down to its first top.
    """

    floor: float
    after: str = ""
    top: float = 0.0
    again: bool = False


async def page(graph: Graph, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
    """The next part of what was said in this span. Facebook tells times in whole seconds."""
    since = since.replace(microsecond=0)
    mark = _Mark(**json.loads(cursor)) if cursor else _Mark(since.timestamp())
    query = {"platform": "messenger", "fields": _FIELDS, "limit": str(_CONVERSATIONS)}
    data = await graph.get(
        account, edge(account, "conversations"), query | ({"after": mark.after} if mark.after else {})
    )
    threads = records(data.get("data"))
    raws = [raw for thread in threads for raw in _raws(thread, account.account_id, since, until)]
    following = _following(mark, threads, record(data.get("paging")))
    return Page(tuple(raws), json.dumps(asdict(following)) if following else "")


def time_of(value: Any) -> datetime | None:
    """A time as Graph writes it; None for anything else."""
    try:
        at = datetime.fromisoformat(clean(value))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _following(mark: _Mark, threads: list[dict[str, Any]], paging: dict[str, Any]) -> _Mark | None:
    after = clean(record(paging.get("cursors")).get("after")) if paging.get("next") else ""
    times = [at.timestamp() for thread in threads if (at := time_of(thread.get("updated_time")))]
    top = mark.top or max(times, default=0.0)
    if after and min(times, default=0.0) >= mark.floor:
        return replace(mark, after=after, top=top)
    return _Mark(top, again=True) if mark.after and not mark.again else None


def _raws(thread: dict[str, Any], page_id: str, since: datetime, until: datetime) -> list[Raw]:
    """A conversation's messages of this span, oldest first."""
    parties = [ident(party.get("id")) for party in records(record(thread.get("participants")).get("data"))]
    person = next((party for party in parties if party and party != page_id), "")
    raws = []
    for message in reversed(records(record(thread.get("messages")).get("data"))):
        at = time_of(message.get("created_time"))
        if at is not None and since <= at <= until and (raw := _raw(message, page_id, person, at)):
            raws.append(raw)
    return raws


def _raw(message: dict[str, Any], page_id: str, person: str, at: datetime) -> Raw | None:
    """A message as its webhook; None where it does not say which, or whose."""
    author = ident(record(message.get("from")).get("id"))
    by_page = author == page_id
    stamp = int(at.astimezone(UTC).timestamp() * 1000)
    content = _content(message) | ({"is_echo": True, READ_BACK: True} if by_page else {})
    sides = [{"id": person if by_page else author}, {"id": page_id}]
    update = {"sender": sides[by_page], "recipient": sides[not by_page], "timestamp": stamp, "message": content}
    entry = {"id": page_id, "time": stamp, "messaging": [update]}
    try:
        raw = raw_of(json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode())
    except ValueError:
        return None
    is_words = not by_page and "attachments" not in content
    return replace(raw, also=(f"postback:{content['mid']}",) if is_words else ())


def _content(message: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"mid": message.get("id")}
    text = clean(message.get("message"))
    if text:
        content["text"] = text
    attached = [_attachment(item) for item in records(record(message.get("attachments")).get("data"))]
    if attached:
        content["attachments"] = attached
    reply_to = clean(record(message.get("reply_to")).get("mid"))
    if reply_to:
        content["reply_to"] = {"mid": reply_to}
    return content


def _attachment(item: dict[str, Any]) -> dict[str, Any]:
    """An attachment in the webhook's shape: what it is tell its data, else its MIME type."""
    for key, kind in _FILES:
        url = clean(record(item.get(key)).get("url"))
        if url:
            return {"type": kind, "payload": {"url": url}}
    family = clean(item.get("mime_type")).partition("/")[0]
    kind = family if family in ("image", "video", "audio") else "file"
    return {"type": kind, "payload": {"url": clean(item.get("file_url")), "title": clean(item.get("name"))}}
