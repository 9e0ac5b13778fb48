"""What hangs on a Zalo message: pictures, files, places, cards, each under `attachments[].payload`."""

from __future__ import annotations

import json
import math

from bot.channels.text import clean
from bot.channels.zalo.envelope import Json, identifier, items, mapping
from crm.events import Media, MediaKind

_KINDS = {
    "image": MediaKind.IMAGE,
    "gif": MediaKind.IMAGE,
    "link": MediaKind.LINK,
    "audio": MediaKind.AUDIO,
    "video": MediaKind.VIDEO,
    "sticker": MediaKind.STICKER,
    "file": MediaKind.FILE,
}


def media(message: Json) -> tuple[Media, ...]:
    """All attachments of a message, in order."""
    return tuple(_one(item) for item in items(message.get("attachments")) if isinstance(item, dict))


def missing(event_name: str) -> Media:
    """What the event's own name says has come, where the message holds no attachment."""
    return Media(_KINDS.get(event_name.removeprefix("user_send_"), MediaKind.OTHER))


def contact_card(message: Json) -> Media:
    """A business card: the name is the message's text, and the description is JSON in a string."""
    payload = _first_payload(message)
    details = _json_object(clean(payload.get("description")))
    phone = clean(details.get("phone")) or identifier(details.get("phone"))
    return Media(MediaKind.CONTACT_CARD, _url(payload.get("url")), clean(message.get("text")), phone)


def place(message: Json) -> tuple[float, float] | None:
    """Latitude and longitude in degrees (they come as strings); None where they name no place on Earth."""
    coordinates = mapping(_first_payload(message).get("coordinates"))
    latitude = _degrees(coordinates.get("latitude"), 90)
    longitude = _degrees(coordinates.get("longitude"), 180)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _one(item: Json) -> Media:
    kind = item.get("type")
    payload = mapping(item.get("payload"))
    return Media(
        kind=_KINDS.get(kind, MediaKind.OTHER) if isinstance(kind, str) else MediaKind.OTHER,
        url=_url(payload.get("url")) or _url(payload.get("thumbnail")),
        name=clean(payload.get("name")) or (identifier(payload.get("id")) if kind == "sticker" else ""),
        description=clean(payload.get("description")) or clean(payload.get("text")),
    )


def _first_payload(message: Json) -> Json:
    return next((mapping(mapping(item).get("payload")) for item in items(message.get("attachments"))), {})


def _url(value: object) -> str:
    """A web address; "" for anything else, such as a script."""
    text = clean(value).strip()
    return text if text.lower().startswith(("https://", "http://")) else ""


def _degrees(value: object, limit: int) -> float | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= limit else None


def _json_object(text: str) -> Json:
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}
