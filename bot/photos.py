"""The job that copies photos of support requests before the platform's addresses of them expire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlmodel import Session

from bot.channels.abilities import Keeping
from bot.channels.base import Channel, SendError, SendErrorKind
from bot.jobs import Payload, Work
from storage import media, tickets
from storage.database import Database
from storage.media import Kept

JOB = "photo.copy"

_JPEG, _PNG, _GIF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8"
_NO_PICTURE = "It is no JPEG, PNG, GIF or WebP picture."


class Photos:
    """Keeps copies in our own store, under the hash of their bytes."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], clock: Callable[[], datetime]) -> None:
        self._database, self._channels, self._clock = database, channels, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.copy}

    async def copy(self, payload: Payload) -> None:
        """Copy one photo; one that cannot be had is noted with the reason. Raises SendError where it may come later."""
        channel, photo = self._channels[payload["channel"]], int(payload["photo"])
        if not isinstance(channel, Keeping):
            return
        try:
            content = await channel.fetch(payload["url"])
        except SendError as error:
            if error.kind is not SendErrorKind.PERMANENT:
                raise
            await self._note(photo, error.words.en)
            return
        suffix, content_type = picture_type(content)
        if not content_type:
            await self._note(photo, _NO_PICTURE)
            return
        now = self._clock()

        def keep(session: Session) -> None:
            kept = Kept(f"photo-{photo}.{suffix}", content_type, content)
            tickets.set_photo(session, photo, {"media_id": media.keep(session, kept, now), "trouble": ""})

        await self._database.write(keep, name="photo.keep")

    async def _note(self, photo: int, trouble: str) -> None:
        await self._database.write(
            lambda session: tickets.set_photo(session, photo, {"trouble": trouble}), name="photo.trouble"
        )


def picture_type(content: bytes) -> tuple[str, str]:
    """The suffix and type of a picture by its first bytes, whatever anybody called it; empty for none."""
    if content.startswith(_JPEG):
        return "jpg", "image/jpeg"
    if content.startswith(_PNG):
        return "png", "image/png"
    if content.startswith(_GIF):
        return "gif", "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp", "image/webp"
    return "", ""
