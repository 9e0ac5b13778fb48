"""What was said on Zalo while nobody listened: lines of conversations, as the webhooks that they would have been.

`listrecentchat` and `conversation` (v2.0, ten lines a call): https://developers.zalo.me/docs/official-account
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from bot.channels.base import Account, Page, Raw, SendError, SendErrorKind, Subject
from bot.channels.text import clean
from bot.channels.zalo.answers import line_moment
from bot.channels.zalo.client import LINES, Client
from bot.channels.zalo.envelope import Json, NotUnderstood, identifier, mapping
from bot.channels.zalo.parse import READ_BACK, UNTOLD
from bot.channels.zalo.webhook import raw_of

_PARTS = 5
"""How many tens of lines of one person are read at most."""
_KINDS = {
    "text": "text",
    "photo": "image",
    "image": "image",
    "gif": "gif",
    "link": "link",
    "links": "link",
    "voice": "audio",
    "audio": "audio",
    "video": "video",
    "sticker": "sticker",
    "location": "location",
    "file": "file",
}
"""A line's type, in lower case, and what its webhook's name ends in. Only `text` is attested."""
_OF_USERS = ("text", "image", "gif", "link", "audio", "video", "sticker", "location", "file", "business_card")
_OF_OA = ("text", "image", "gif", "list", "file", "sticker", "template")


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far the reading is: listing from `offset` down to `floor`, or, once listed, reading who is in `people`.

    Pages shift while people write, so a list of several pages is looked at once more, down to its first top.
    """

    floor: int
    offset: int = 0
    top: int = 0
    again: bool = False
    listed: bool = False
    people: tuple[str, ...] = ()

    def dumps(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


async def page(client: Client, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
    """The next part of what was said in this span."""
    mark = _Mark(**json.loads(cursor)) if cursor else _Mark(_millis(since))
    mark = replace(mark, people=tuple(mark.people))
    if not mark.listed:
        mark = _listed(mark, await client.recent_chats(account, mark.offset), account.account_id)
        return Page((), mark.dumps() if mark.people or not mark.listed else "")
    person, *rest = mark.people
    lines, calls = await _lines(client, account, person, since)
    found = [_raw(line, account, person) for line in lines if since <= _at(line) <= until]
    raws = sorted((raw for raw in found if raw is not None), key=lambda raw: raw.occurred_at or since)
    return Page(tuple(raws), replace(mark, people=tuple(rest)).dumps() if rest else "", calls)


def _listed(mark: _Mark, lines: list[Json], oa_id: str) -> _Mark:
    times = [_millis(_at(line)) for line in lines]
    new = [_person(line, oa_id) for line, time in zip(lines, times, strict=True) if time >= mark.floor]
    people = tuple(dict.fromkeys((*mark.people, *filter(None, new))))
    top = mark.top or max(times, default=0)
    if len(lines) == LINES and min(times) >= mark.floor:
        return replace(mark, offset=mark.offset + LINES, top=top, people=people)
    if mark.offset and not mark.again:
        return _Mark(top, again=True, people=people)
    return replace(mark, listed=True, people=people)


async def _lines(client: Client, account: Account, person: str, since: datetime) -> tuple[list[Json], int]:
    """A person's lines since then, oldest first, and how many calls that took; nothing of one whom Zalo refuses."""
    found: list[Json] = []
    for part in range(_PARTS):
        try:
            lines = await client.conversation(account, person, part * LINES)
        except SendError as error:
            if error.subject is Subject.ACCOUNT or error.kind not in (
                SendErrorKind.PERMANENT,
                SendErrorKind.UNREACHABLE,
            ):
                raise
            return [], part + 1
        found += lines
        if len(lines) < LINES or min(map(_at, lines)) < since:
            break
    return found[::-1], part + 1


def _raw(line: Json, account: Account, person: str) -> Raw | None:
    """A line as its webhook; None for one without an id, which nothing could be told apart by."""
    message_id = identifier(line.get("message_id"))
    if not message_id:
        return None
    by_brand = _is_brand(line, account.account_id)
    kind = _KINDS.get(clean(line.get("type")).casefold(), "text" if clean(line.get("message")) else "")
    sides = [{"id": person}, {"id": account.account_id}]
    event: Json = {
        "event_name": _name(kind, by_brand),
        "app_id": account.app_id,
        "sender": sides[by_brand],
        "recipient": sides[not by_brand],
        "message": _message(message_id, kind, line),
        "timestamp": str(_millis(_at(line))),
        READ_BACK: True,
    }
    try:
        raw = raw_of(event, json.dumps(event, separators=(",", ":")).encode(), _at(line))
    except NotUnderstood:
        return None
    return replace(raw, also=_also(event["event_name"], message_id, clean(line.get("message")), by_brand))


def _name(kind: str, by_brand: bool) -> str:
    if by_brand:
        return f"oa_send_{kind if kind in _OF_OA else 'text'}"
    return f"user_send_{kind}" if kind else UNTOLD


def _also(name: str, message_id: str, text: str, by_brand: bool) -> tuple[str, ...]:
    """The other keys that a webhook of this line may have: of a text none, unless Zalo might call it a link."""
    if name == "user_send_text":
        return (f"user_send_link:{message_id}",) if "://" in text else ()
    family = [f"oa_send_{kind}" for kind in _OF_OA] if by_brand else [f"user_send_{kind}" for kind in _OF_USERS]
    return tuple(f"{each}:{message_id}" for each in family if each != name)


def _message(message_id: str, kind: str, line: Json) -> Json:
    message: Json = {"msg_id": message_id, "text": clean(line.get("message"))}
    url = next((clean(line.get(key)) for key in ("url", "thumb") if clean(line.get(key))), "")
    if kind not in ("text", "") and url:
        message["attachments"] = [{"type": kind, "payload": {"url": url}}]
    if kind == "location" and (place := _place(line)):
        message["attachments"] = [{"type": "location", "payload": {"coordinates": place}}]
    return message


def _place(line: Json) -> Json:
    """Latitude and longitude, where a line holds them, as an object or as JSON in a text."""
    value = line.get("location")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return {key: mapping(value)[key] for key in ("latitude", "longitude") if key in mapping(value)}


def _is_brand(line: Json, oa_id: str) -> bool:
    return line.get("src") == 0 or identifier(line.get("from_id")) == oa_id


def _person(line: Json, oa_id: str) -> str:
    return identifier(line.get("to_id" if _is_brand(line, oa_id) else "from_id"))


def _at(line: Json) -> datetime:
    """When a line was written; one that does not tell is taken for very old."""
    return line_moment(line.get("time")) or datetime(1970, 1, 1, tzinfo=UTC)


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)
