"""Where each family of Zalo's events keeps the OA, the person, the group and the time.

Families and their keys: https://docs.zaloplatforms.com/docs/OA/webhook/tong-quan
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.=+/@~-]{0,127}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)

NO_PERSON = "account"
"""The thread of events that concern no person."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who and what an event is about. `user_id` is empty where it concerns no person whom we could write to."""

    name: str
    account_id: str
    user_id: str
    thread_key: str


class NotUnderstood(ValueError):
    """A body that is no event, or lacks an id that its family must have."""


def mapping(value: object) -> Json:
    """The JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The JSON array, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def identifier(value: object) -> str:
    """An id as text, never rounded: integers in full, strings as they are; "" for what is no id."""
    if isinstance(value, str):
        return value if _ID.fullmatch(value) else ""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value) if value < 10**128 else ""
    return ""


def moment(value: object, now: datetime) -> datetime | None:
    """Epoch milliseconds (or seconds, by size) as aware UTC; None for what cannot be a time before tomorrow."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 14:
        return None
    number = int(text)
    at = datetime.fromtimestamp(number if number < 10**10 else number / 1000, UTC)
    return at if _EARLIEST <= at <= min(now + _AHEAD, _LATEST) else None


def is_template_receipt(event: Json) -> bool:
    """Whether `user_received_message` speaks of a ZBS template: then its recipient is a phone number or its hash."""
    message = mapping(event.get("message"))
    return bool(message.get("tracking_id") or message.get("delivery_time"))


def read(event: Json) -> Envelope:
    """The envelope of one event; raises `NotUnderstood`."""
    name = event.get("event_name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise NotUnderstood("no event_name")
    account_id, user_id, thread_key = _family(name)(event)
    if not account_id:
        raise NotUnderstood(f"{name}: no OA id")
    if not thread_key:
        raise NotUnderstood(f"{name}: no person")
    return Envelope(name, account_id, user_id, thread_key)


_Parties = tuple[str, str, str]
"""OA id, user id, thread key; an empty thread key says that a person is missing who must be there."""


def _party(event: Json, side: str) -> str:
    return identifier(mapping(event.get(side)).get("id"))


def _oa(event: Json) -> str:
    return identifier(event.get("oa_id")) or identifier(event.get("oaId"))


def _user_to_oa(event: Json) -> _Parties:
    person = _party(event, "sender")
    return _party(event, "recipient"), person, person


def _oa_to_user(event: Json) -> _Parties:
    person = _party(event, "recipient")
    return _party(event, "sender"), person, person


def _receipt(event: Json) -> _Parties:
    return (_party(event, "sender"), "", NO_PERSON) if is_template_receipt(event) else _oa_to_user(event)


def _follower(event: Json) -> _Parties:
    person = _party(event, "follower")
    return _oa(event), person, person


def _of_one_user(event: Json) -> _Parties:
    person = identifier(event.get("user_id"))
    return _oa(event), person, person


def _flat(event: Json) -> _Parties:
    person = identifier(event.get("user_id")) or identifier(mapping(event.get("data")).get("user_id"))
    return _oa(event), person, person or NO_PERSON


def _group(event: Json) -> _Parties:
    group = identifier(event.get("group_id")) or _party(event, "recipient")
    return _oa(event), "", f"group:{group}" if group else NO_PERSON


def _from_visitor(event: Json) -> _Parties:
    return _party(event, "recipient"), "", _party(event, "sender")


def _to_visitor(event: Json) -> _Parties:
    return _party(event, "sender"), "", _party(event, "recipient")


_BY_NAME: dict[str, Callable[[Json], _Parties]] = {
    "user_submit_info": _user_to_oa,
    "user_reacted_message": _user_to_oa,
    "oa_reacted_message": _oa_to_user,
    "user_received_message": _receipt,
    "user_seen_message": _oa_to_user,
    "follow": _follower,
    "unfollow": _follower,
    "user_click_chatnow": _of_one_user,
    "user_withdraw": _of_one_user,
    "oa_send_consent": _flat,
}
_BY_PREFIX: tuple[tuple[str, Callable[[Json], _Parties]], ...] = (
    ("anonymous_send_", _from_visitor),
    ("oa_send_anonymous_", _to_visitor),
    ("user_send_", _user_to_oa),
    ("oa_send_", _oa_to_user),
)


def _family(name: str) -> Callable[[Json], _Parties]:
    found = _BY_NAME.get(name)
    if found:
        return found
    if "group" in name:
        return _group
    return next((family for prefix, family in _BY_PREFIX if name.startswith(prefix)), _flat)
