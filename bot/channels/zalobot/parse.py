"""What Zalo tells of a bot's chats, kept as it came and read in our words. Pure.

https://docs.zaloplatforms.com/docs/BOT/webhook: an update is `event_name` with `message`. People are answered by the
id of the chat, not of the sender. Nothing says which update is told again, so the id of a message is its key. Groups
are in trial there, and staff give no orders in them. That a quoted message is told is not documented; the field is one
that an SDK linked from those pages knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.channels.base import Raw
from bot.channels.parsed import load
from bot.channels.text import clean, short_id
from bot.channels.zalo.envelope import NO_PERSON, identifier, mapping, moment
from crm.events import Address, Event, Inbound, Media, MediaKind, MediaReceived, TextReceived, UnknownEvent

CHANNEL = "zalobot"
_PRIVATE = "PRIVATE"

Json = dict[str, Any]


def keep(account_id: str, update: Json, now: datetime) -> Raw:
    """One update as it is kept, with the bot that it was told to."""
    message = mapping(update.get("message"))
    body = json.dumps({"bot": account_id, "update": update}, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    told = short_id(message.get("message_id")) or hashlib.sha256(body).hexdigest()
    chat = identifier(mapping(message.get("chat")).get("id"))
    return Raw(account_id, chat or NO_PERSON, f"update:{told}", moment(message.get("date"), now), body)


def parse(body: bytes, now: datetime) -> list[Event]:
    """What an update tells. ValueError for what is none."""
    kept = mapping(load(body))
    account_id, update = identifier(kept.get("bot")), mapping(kept.get("update"))
    name, message = clean(update.get("event_name")), mapping(update.get("message"))
    if not account_id or not name:
        raise ValueError("no update")
    chat = mapping(message.get("chat"))
    chat_id = identifier(chat.get("id"))
    read = _EVENTS.get(name)
    if read is None:
        return [UnknownEvent(Address(CHANNEL, account_id, ""), now, name=name)]
    is_bot = mapping(message.get("from")).get("is_bot") is True
    if not chat_id or chat.get("chat_type") != _PRIVATE or is_bot:
        return [UnknownEvent(Address(CHANNEL, account_id, ""), now, name=name, known=True)]
    facts = {
        "address": Address(CHANNEL, account_id, chat_id),
        "at": moment(message.get("date"), now) or now,
        "message_id": short_id(message.get("message_id")),
        "reply_to": short_id(mapping(message.get("reply_to_message")).get("message_id")),
    }
    return [read(facts, message)]


def _text(facts: Json, message: Json) -> Inbound:
    return TextReceived(**facts, text=clean(message.get("text")))


def _media(kind: MediaKind, *fields: str) -> Callable[[Json, Json], Inbound]:
    """The documents call a picture's address `photo`; what bots hear is `photo_url`."""

    def read(facts: Json, message: Json) -> Inbound:
        url = next((address for field in fields if (address := clean(message.get(field)))), "")
        return MediaReceived(**facts, media=(Media(kind, url),), text=clean(message.get("caption")))

    return read


_EVENTS: dict[str, Callable[[Json, Json], Inbound]] = {
    "message.text.received": _text,
    "message.image.received": _media(MediaKind.IMAGE, "photo", "photo_url"),
    "message.sticker.received": _media(MediaKind.STICKER, "url"),
    "message.voice.received": _media(MediaKind.AUDIO, "voice_url"),
    "message.unsupported.received": _media(MediaKind.OTHER),
}
"""The last stands for files, and for all that people say whom Vietnamese law protects."""
