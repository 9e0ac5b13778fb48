"""Pictures that staff send on: taken over from the platform that they sent them to, checked, and made small enough."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channels.abilities import Keeping
from bot.channels.base import Channel, SendError, SendErrorKind, Words
from bot.drawing.artist import Artist, Undrawn
from bot.photos import picture_type
from crm.messages import BORROWED
from storage.media import Kept

MOST_BYTES = 1_000_000
"""Zalo takes a megabyte, the least of all channels."""
_TAKEN = ("image/jpeg", "image/png")
"""What every channel takes."""
_NO_PICTURE = Words(
    "What was sent is no picture that can be passed on; send it as a JPEG or PNG.",
    "Đây không phải ảnh gửi tiếp được; bạn gửi lại ảnh JPEG hoặc PNG nhé.",
)


class Borrower:
    """Takes pictures over."""

    def __init__(self, channels: Mapping[str, Channel], artist: Artist) -> None:
        self._channels, self._artist = channels, artist

    async def taken(self, named: str) -> Kept:
        """The picture of a recipe `from:<channel>:<address>`. Raises SendError; the message does not go out then."""
        name, _, address = named.removeprefix(BORROWED).partition(":")
        channel = self._channels[name]
        if not isinstance(channel, Keeping):
            raise SendError(SendErrorKind.PERMANENT, "picture", _NO_PICTURE)
        try:
            content = await channel.fetch(address)
        except SendError as error:
            raise SendError(error.kind, error.code, error.words, retry_after=error.retry_after) from error
        suffix, content_type = picture_type(content)
        if not content_type:
            raise SendError(SendErrorKind.PERMANENT, "picture", _NO_PICTURE)
        if content_type in _TAKEN and len(content) <= MOST_BYTES:
            return Kept(f"anh.{suffix}", content_type, content)
        try:
            return Kept("anh.jpg", "image/jpeg", await self._artist.shrink(content, MOST_BYTES))
        except Undrawn as error:
            raise SendError(SendErrorKind.PERMANENT, "picture", _NO_PICTURE, detail=str(error)) from error
