"""Pictures and files kept in memory, served at `/media/{id}`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SAMPLE_PHOTO = Path(__file__).with_name("static") / "sample.jpg"
KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))
MAX_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Media:
    """Something that was uploaded; `expires` is None for what a person sent."""

    id: str
    content: bytes
    content_type: str
    name: str = ""
    expires: datetime | None = None

    @property
    def checksum(self) -> str:
        """The MD5 that Zalo puts into file events."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


def image_type(content: bytes) -> str:
    """The type of a picture by its first bytes; empty if it is none."""
    return next((name for magic, name in KINDS if content.startswith(magic)), "")


def from_data_url(url: str) -> tuple[bytes, str]:
    """Content and type of a `data:` URL; raises ValueError."""
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ValueError("image: a data URL in base64")
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("image: broken base64") from error
    return content, head[len("data:") : -len(";base64")]


class MediaShelf:
    """All media of this run, found by id."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._shelf: dict[str, Media] = {}

    def url(self, media: Media) -> str:
        """The address under which a medium is served."""
        return f"{self.base_url}/media/{media.id}"

    def static_url(self, name: str) -> str:
        """The address of a file of the chat page."""
        return f"{self.base_url}/static/{name}"

    def get(self, media_id: str) -> Media | None:
        """The medium with this id."""
        return self._shelf.get(media_id)

    def keep(self, content: bytes, content_type: str, name: str = "", expires: datetime | None = None) -> Media:
        """Keeps a medium under a new id."""
        media = Media(secrets.token_urlsafe(18), content, content_type, name, expires)
        self._shelf[media.id] = media
        return media

    def sample(self) -> Media:
        """The sample photo, kept once."""
        if "sample" not in self._shelf:
            self._shelf["sample"] = Media("sample", SAMPLE_PHOTO.read_bytes(), "image/jpeg", "sample.jpg")
        return self._shelf["sample"]
