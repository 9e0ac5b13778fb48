"""Before a message goes out: the picture or file that we keep becomes a copy that the platform holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from bot.channels.base import Account, Attachment, Channel, SendError, SendErrorKind, Words
from bot.drawing.shelf import NoPicture, Shelf
from crm.messages import Message
from storage import media
from storage.database import Database

_GONE = Words(
    "The picture or file of this message is no longer kept here: whoever wrote the message must attach it again.",
    "Ảnh hoặc tệp của tin này không còn được lưu: người soạn tin cần đính kèm lại.",
)
_Copy = tuple[str, str, str]
"""Of which channel and account, and what is copied."""


class Uploads:
    """Gives each platform one copy for an account, and remembers it as long as the platform holds it."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], shelf: Shelf, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._channels, self._shelf, self._clock = database, channels, shelf, clock
        self._under_way: dict[_Copy, asyncio.Task[str]] = {}

    async def ready(self, account: Account, message: Message) -> Message:
        """The message as it can be sent: what we keep is named by the platform's id. Raises SendError.

        Many messages that need the same copy wait for one. A card that cannot be drawn goes without its picture.
        """
        key = (account.channel, account.account_id, message.kept)
        if key not in self._under_way:
            self._under_way[key] = task = asyncio.create_task(self._copy(account, message.kept))
            task.add_done_callback(lambda _: self._under_way.pop(key))
        try:
            remote_id = await asyncio.shield(self._under_way[key])
        except NoPicture:
            if not message.text:
                raise
            return message._replace(picture="")
        return message._replace(picture=remote_id) if message.picture else message._replace(file=remote_id)

    async def forget(self, account: Account, message: Message) -> None:
        """The platform no longer holds its copy: the next send gives it another."""
        key = (account.channel, account.account_id, await self._shelf.media_id(message.kept))
        await self._database.write(lambda session: media.forget_upload(session, *key), name="media.forget_upload")

    async def _copy(self, account: Account, named: str) -> str:
        media_id = await self._shelf.media_id(named)
        key = (account.channel, account.account_id, media_id)
        now = self._clock()
        known = await self._database.read(lambda session: media.uploaded(session, *key, now))
        if known:
            return known
        kept = await self._database.read(partial(media.find, media_id=media_id))
        if kept is None:
            raise SendError(SendErrorKind.PERMANENT, "media", _GONE)
        copy = await self._channels[account.channel].upload(account, Attachment(*kept))
        await self._database.write(
            lambda session: media.note_upload(session, *key, copy.id, now + copy.lives), name="media.note_upload"
        )
        return copy.id
