"""What hangs on a Messenger message: pictures, voices, links, places and shared things, in our words."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from bot.channels.messenger.envelope import record, records
from bot.channels.text import clean
from crm.events import Media, MediaKind

_KINDS = {
    "image": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
    "file": MediaKind.FILE,
    "sticker": MediaKind.STICKER,
    "fallback": MediaKind.LINK,
    "template": MediaKind.SHARE,
    "reel": MediaKind.SHARE,
    "ig_reel": MediaKind.SHARE,
    "post": MediaKind.SHARE,
    "ig_post": MediaKind.SHARE,
}


def media_of(content: dict[str, Any]) -> tuple[Media, ...]:
    """The attachments of a message; an unknown type is OTHER, named as the platform names it.

    A picture that repeats a sticker is left out: in summer 2026 each sticker came as both.
    """
    found = [_media(item) for item in _attachments(content)]
    stickers = {media.url for media in found if media.kind is MediaKind.STICKER and media.url}
    kept = [media for media in found if media.kind is not MediaKind.IMAGE or media.url not in stickers]
    return tuple(dict.fromkeys(kept))


def place_of(content: dict[str, Any]) -> tuple[float, float] | None:
    """Latitude and longitude, where a place was shared; None where there is none on Earth."""
    for item in _attachments(content):
        if item.get("type") == "location":
            coordinates = record(record(item.get("payload")).get("coordinates"))
            latitude, longitude = _degrees(coordinates.get("lat"), 90), _degrees(coordinates.get("long"), 180)
            if latitude is not None and longitude is not None:
                return latitude, longitude
    return None


def spoken(content: dict[str, Any]) -> str:
    """The words of a template that a program sent, as its echo shows them; "" where there are none."""
    for item in _attachments(content):
        payload = record(item.get("payload"))
        if item.get("type") == "template" and clean(payload.get("text")):
            return clean(payload.get("text"))
    return ""


def _attachments(content: dict[str, Any]) -> list[dict[str, Any]]:
    return records(content.get("attachments"))


def _media(item: dict[str, Any]) -> Media:
    payload = record(item.get("payload"))
    name = clean(item.get("type"))
    kind = _KINDS.get(name, MediaKind.OTHER)
    url = _url(payload.get("url")) or _url(item.get("url")) or _url(item.get("URL"))
    title = clean(payload.get("title")) or clean(item.get("title"))
    sticker = payload.get("sticker_id")
    if sticker:
        return Media(MediaKind.STICKER, url, name=clean(str(sticker)) if isinstance(sticker, int | str) else "")
    if kind is MediaKind.FILE:
        return Media(kind, url, name=title or _file_name(url))
    if kind is MediaKind.LINK and not url:
        return Media(MediaKind.OTHER, name=title or name)
    if kind is MediaKind.SHARE:
        return _share(payload, url, title)
    if kind is MediaKind.OTHER:
        return Media(kind, url, name=title or name, description=clean(payload.get("status")))
    return Media(kind, url, name=title)


def _share(payload: dict[str, Any], url: str, title: str) -> Media:
    """A post, a reel, or a product of the shop (its own name, price line and picture)."""
    product = record(payload.get("product"))
    first = next(iter(records(product.get("elements")) + records(payload.get("elements"))), {})
    return Media(
        MediaKind.SHARE,
        _url(first.get("image_url")) or url,
        name=clean(first.get("title")) or title,
        description=clean(first.get("subtitle")),
    )


def _file_name(url: str) -> str:
    try:
        return clean(unquote(urlsplit(url).path.rsplit("/", 1)[-1]))
    except ValueError:
        return ""


def _url(value: Any) -> str:
    url = clean(value).strip()
    return url if url.startswith(("https://", "http://")) else ""


def _degrees(value: Any, most: int) -> float | None:
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None
