"""Who is seen to speak: each name that staff write under becomes a persona at the platform once, and is remembered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.channels.abilities import Impersonating
from bot.channels.base import Account, Channel, SendError, SendErrorKind
from storage import personas
from storage.database import Database

log = logging.getLogger(__name__)

REFUSED_FOR = timedelta(days=1)
"""How long a name stays away that the platform refused for good; it may allow names later."""
DOUBTED_FOR = timedelta(hours=1)
"""How long a name stays away that could not be asked for, or with which a message was refused."""


class Speakers:
    """Finds the persona of a name; where there is none, the message goes out under the account's own name."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], clock: Callable[[], datetime]) -> None:
        self._database, self._channels, self._clock = database, channels, clock
        self._under_way: dict[tuple[str, str, str], asyncio.Task[str]] = {}

    async def persona(self, account: Account, name: str) -> str:
        """The platform's id of a name; "" where it shows no such names, or refused this one lately. Never raises
        SendError, for a name is not worth losing a message."""
        channel, name = self._channels[account.channel], name[: personas.LONGEST_NAME]
        if not isinstance(channel, Impersonating):
            return ""
        key = (account.channel, account.account_id, name)
        known = await self._database.read(lambda session: personas.find(session, *key, self._clock()))
        if known is not None:
            return known
        if key not in self._under_way:
            self._under_way[key] = task = asyncio.create_task(self._ask(channel, account, name))
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    async def refused(self, account: Account, name: str) -> None:
        """A message was refused that bore this name: it is not used for a while, and then asked for anew."""
        await self._note(account, name[: personas.LONGEST_NAME], "", DOUBTED_FOR)

    async def _ask(self, channel: Impersonating, account: Account, name: str) -> str:
        try:
            remote_id = await channel.persona(account, name)
        except SendError as error:
            log.info("a name could not be shown", extra={"channel": account.channel, "code": error.code})
            is_final = error.kind is SendErrorKind.PERMANENT
            await self._note(account, name, "", REFUSED_FOR if is_final else DOUBTED_FOR)
            return ""
        await self._note(account, name, remote_id, None)
        return remote_id

    async def _note(self, account: Account, name: str, remote_id: str, lasts: timedelta | None) -> None:
        until = self._clock() + lasts if lasts else None
        key = (account.channel, account.account_id, name)
        note = partial(personas.note, channel=key[0], account_id=key[1], name=name, remote_id=remote_id, until=until)
        await self._database.write(note, name="personas.note")
