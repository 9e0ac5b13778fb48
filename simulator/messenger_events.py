"""Messenger webhook bodies, shaped as Meta documents them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.config import SimulatorConfig
from simulator.people import Contact

JSON = dict[str, Any]
INBOX_APP_ID = 263902037430900
THUMBS_UP = 369239263222822
REACTIONS = {
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
    "smile": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😠",
}


def millis(at: datetime) -> int:
    """Epoch milliseconds as Meta writes them: a number."""
    return int(at.timestamp() * 1000)


def seconds(at: datetime) -> int:
    """Epoch seconds, as Meta writes them about what happens on a Page itself."""
    return int(at.timestamp())


def envelope(config: SimulatorConfig, event: JSON, at: datetime, *, standby: bool = False) -> JSON:
    """One event in the body of a POST; `standby` when another app holds the thread."""
    entry = {"id": config.messenger_page_id, "time": millis(at), "standby" if standby else "messaging": [event]}
    return {"object": "page", "entry": [entry]}


def from_person(config: SimulatorConfig, contact: Contact, key: str, value: JSON, at: datetime) -> JSON:
    """What a person did: `key` is message, postback, read, delivery, reaction, message_edit …"""
    event = {
        "sender": {"id": contact.user_id},
        "recipient": {"id": config.messenger_page_id},
        "timestamp": millis(at),
        key: value,
    }
    standby = contact.inbox_owns and key in ("message", "postback", "read", "delivery")
    if standby and key == "postback":
        event[key] = {"title": value.get("title", "")}
    return envelope(config, event, at, standby=standby)


def echo(config: SimulatorConfig, contact: Contact, message: JSON, app_id: int, at: datetime) -> JSON:
    """A message of the Page, whoever wrote it; `app_id` says which app did."""
    event = {
        "sender": {"id": config.messenger_page_id},
        "recipient": {"id": contact.user_id},
        "timestamp": millis(at),
        "message": {"is_echo": True, "app_id": app_id, **message},
    }
    return envelope(config, event, at, standby=contact.inbox_owns)
