"""A Page's webhook body taken apart: the updates in it, whom each concerns, what it is called, when it happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bot.channels import parsed
from bot.channels.text import clean

PLACES = ("messaging", "standby", "changes")
NAMES = (
    "message",
    "postback",
    "delivery",
    "read",
    "reaction",
    "message_edit",
    "referral",
    "optin",
    "account_linking",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    "policy_enforcement",
    "policy-enforcement",
    "messaging_feedback",
    "response_feedback",
    "game_play",
    "order",
    "template",
    "messaging_customer_information",
    "form",
)
"""The keys that name an update; the body itself has no event name. Where two stand side by side, the first counts."""

_WITHOUT_PERSON = frozenset({"app_roles", "policy_enforcement", "policy-enforcement"})
_FRAME = frozenset({"sender", "recipient", "timestamp", "hop_context", "lead"})
_IDENT = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
_MID = re.compile(r"[!-~]{1,500}")
_SECONDS_BELOW = 10**11
_EARLIEST, _LATEST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Slot(NamedTuple):
    """One place in a body: the entry, the list in it, and what stands there; an entry without lists has no place."""

    entry: Any
    place: str = ""
    value: Any = None


class Update(NamedTuple):
    """One understood update. `person` is empty where it concerns nobody; `stamp` is the time as the platform wrote it.

    `outgoing`: the Page did it, not the person. `standby`: another app holds the conversation.
    """

    page_id: str
    person: str
    name: str
    content: dict[str, Any]
    at: datetime | None
    stamp: str
    outgoing: bool = False
    standby: bool = False
    known: bool = True


def slots(data: Any) -> list[Slot]:
    """Every update of a body, in order; ValueError where it is no Page's body or holds none."""
    if not isinstance(data, dict):
        raise ValueError("not an object")
    if "entry" not in data:
        return [_bare(data)]
    if data.get("object") != "page" or not isinstance(data["entry"], list) or not data["entry"]:
        raise ValueError("not a Page's body")
    return [slot for entry in data["entry"] for slot in _slots_of(entry)]


@parsed.remembered
def updates(body: bytes) -> tuple[Update, ...]:
    """What a body of `wrap`, or of a single update, holds; ValueError where that cannot be told."""
    return tuple(read(slot) for slot in slots(parsed.load(body)))


def wrap(slot: Slot) -> bytes:
    """A body that holds this one update and no other. RecursionError where it is nested too deeply."""
    entry = slot.entry
    if isinstance(entry, dict) and slot.place:
        entry = {"id": entry.get("id"), "time": entry.get("time"), slot.place: [slot.value]}
    return json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()


def page_of(slot: Slot) -> str:
    """The Page that an update is for; "" where the body does not say. An entry without an id has it as recipient."""
    entry = record(slot.entry)
    return ident(entry["id"]) if "id" in entry else _party(record(slot.value).get("recipient"))


def read(slot: Slot) -> Update:
    """What an update is and whom it concerns; ValueError where that cannot be told."""
    page_id, value = page_of(slot), slot.value
    if not page_id or not isinstance(value, dict):
        raise ValueError("no Page or no update")
    time = slot.entry.get("time")
    if slot.place != "changes":
        return _messaging(page_id, value, time, slot.place == "standby")
    inner = value.get("value")
    if isinstance(inner, dict) and ("sender" in inner or "recipient" in inner):
        return _messaging(page_id, inner, time, value.get("field") == "standby")
    return _change(page_id, value, time)


def ident(value: Any) -> str:
    """An id as text; "" for everything that is none (negative, fractional, empty, a list…), so that no two collapse."""
    text = str(value) if type(value) is int else value
    return text if isinstance(text, str) and _IDENT.fullmatch(text) else ""


def record(value: Any) -> dict[str, Any]:
    """The value where it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, in order; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mid_of(content: dict[str, Any]) -> str:
    """The message id of a message, an edit or a reaction; ValueError without one."""
    mid = content.get("mid")
    if not isinstance(mid, str) or not _MID.fullmatch(mid):
        raise ValueError("no message id")
    return mid


def moment(value: Any) -> datetime | None:
    """A time in epoch milliseconds, or seconds where it is small, number or digits; None where it is no sane time."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if type(value) is not int or not 0 < value < 10**14:
        return None
    at = datetime.fromtimestamp(value if value < _SECONDS_BELOW else value / 1000, UTC)
    return at if _EARLIEST <= at < _LATEST else None


def _slots_of(entry: Any) -> Iterator[Slot]:
    empty = True
    for place in PLACES if isinstance(entry, dict) else ():
        values = entry.get(place)
        for value in values if isinstance(values, list) else ():
            empty = False
            yield Slot(entry, place, value)
    if empty:
        yield Slot(entry)


def _bare(data: dict[str, Any]) -> Slot:
    """The shape without `entry`, which the documentation prints for some fields: a change by itself."""
    value = data.get("value", data)
    field = data.get("field")
    if field is None and "messenger_subscription_token" in data:
        field = "marketing_message_delivery_failed"
    if not isinstance(field, str) or not isinstance(value, dict):
        raise ValueError("neither entries nor a field")
    page_id = value.get("page_id") or _party(value.get("recipient"))
    return Slot({"id": page_id}, "changes", {"field": field, "value": value})


def _party(value: Any) -> str:
    return ident(record(value).get("id"))


def _messaging(page_id: str, value: dict[str, Any], time: Any, standby: bool) -> Update:
    name = next((name for name in NAMES if name in value), "")
    known = bool(name)
    name = name or next((key for key in value if key not in _FRAME), "")
    content = value.get(name)
    if not isinstance(content, dict):
        if known or not name:
            raise ValueError("an update without content")
        content = {}
    sender = _party(value.get("sender"))
    outgoing = sender == page_id or content.get("is_echo") is True
    person = _party(value.get("recipient")) if outgoing else sender
    person = "" if person == page_id else person
    if not person and name not in _WITHOUT_PERSON and not _by_reference(value, content):
        raise ValueError("nobody did it")
    stamp = value.get("timestamp", time)
    return Update(page_id, person, clean(name)[:60], content, moment(stamp), _stamp(stamp), outgoing, standby, known)


def _by_reference(value: dict[str, Any], content: dict[str, Any]) -> bool:
    """Whether a person without an id did it (a plugin on a web page knows them only by its own `user_ref`)."""
    sender = value.get("sender")
    if sender is None:
        return isinstance(content.get("user_ref"), str)
    return isinstance(sender, dict) and "id" not in sender and isinstance(sender.get("user_ref"), str)


def _change(page_id: str, change: dict[str, Any], time: Any) -> Update:
    field, value = change.get("field"), change.get("value")
    if not isinstance(field, str) or not field:
        raise ValueError("a change without a field")
    content = record(value)
    stamp = next((content[key] for key in ("created_time", "timestamp") if key in content), time)
    return Update(page_id, _changed_person(content), clean(field)[:60], content, moment(stamp), _stamp(stamp))


def _changed_person(content: dict[str, Any]) -> str:
    """Whom a change concerns. The author of a comment is left out: that id is not promised to be a messaging id."""
    return ident(content.get("recipient_id")) or _party(content.get("user"))


def _stamp(value: Any) -> str:
    return clean(str(value))[:20] if isinstance(value, int | str) else ""
