"""How Messenger holds a picture or file of a Page, and how a message names it: `<type>:<attachment id>`.

Messenger, "Saving Assets": a copy is the Page's own and lives for 90 days.
"""

from __future__ import annotations

from datetime import timedelta

from bot.channels.base import Attachment, raised
from bot.channels.messenger import faults

HOSTS = ("fbcdn.net", "fbsbx.com")
"""Where Facebook keeps what people sent, for about a day or two."""
LIFE = timedelta(days=80)
IMAGE_BYTES = 8 * 1024 * 1024
FILE_BYTES = 25 * 1024 * 1024

_TYPES = ("image", "video", "audio")


def type_of(attachment: Attachment) -> str:
    """What Messenger takes it for; SendError where it is too large."""
    kind = attachment.content_type.partition("/")[0]
    kind = kind if kind in _TYPES else "file"
    size = len(attachment.content)
    if size > (IMAGE_BYTES if kind == "image" else FILE_BYTES):
        raise raised(faults.FILE, "file", detail=f"{attachment.content_type}, {size} bytes")
    return kind


def shown(place: str, kind: str) -> dict[str, object]:
    """The attachment that stands at this place, a web address or what `type_of` and the platform's id name."""
    if place.startswith(("http://", "https://")):
        return {"type": kind, "payload": {"url": place}}
    taken_for, _, attachment_id = place.rpartition(":")
    return {"type": taken_for or kind, "payload": {"attachment_id": attachment_id}}


def held(place: str) -> dict[str, object]:
    """The same picture as the element of a media template, which shows only what Messenger holds."""
    return {"media_type": "image", "attachment_id": place.rpartition(":")[2]}
