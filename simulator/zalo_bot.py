"""What a Zalo bot is told: updates that wait until it asks, each handed over once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.people import Contact

JSON = dict[str, Any]

EVENTS = {
    "text": "message.text.received",
    "image": "message.image.received",
    "sticker": "message.sticker.received",
    "audio": "message.voice.received",
}
"""How an update is called; anything else is `message.unsupported.received`, without what was said."""


class Bot:
    """One bot: its token, its webhook, and what was written to it and not told yet."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.updates: deque[JSON] = deque()
        self.webhook: tuple[str, datetime] | None = None
        self.asking = 0
        self.closed = False
        self._changed = asyncio.Event()

    @property
    def id(self) -> str:
        """What stands before the token's colon."""
        return self.token.partition(":")[0]

    def tell(self, update: JSON) -> None:
        """Let the bot know, as soon as it asks."""
        self.updates.append(update)
        self._stir()

    async def next(self, seconds: float, gone: Callable[[], bool]) -> JSON | None:
        """The next update for whoever asks, who may be `gone` meanwhile; None where nothing came in time."""
        self.asking += 1
        self._stir()
        try:
            async with asyncio.timeout(seconds):
                while not self.closed and (gone() or not self.updates):
                    await self._change()
        except TimeoutError:
            return None
        finally:
            self.asking -= 1
        return self.updates.popleft() if self.updates and not self.closed else None

    async def heard(self) -> None:
        """Returns when everything was told and the bot asks for more: it has kept what it was told."""
        while self.updates or not self.asking:
            await self._change()

    def close(self) -> None:
        """Whoever asks gets an answer now."""
        self.closed = True
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self) -> None:
        changed = self._changed
        await changed.wait()


def update(contact: Contact, kind: str, message_id: str, at: datetime, **content: str) -> JSON:
    """What the platform tells of one message, with `content` by the platform's names."""
    person = contact.person
    message: JSON = {
        "from": {"id": contact.user_id, "display_name": person.name, "is_bot": False},
        "chat": {"id": contact.user_id, "chat_type": "PRIVATE"},
        "message_id": message_id,
        "date": int(at.timestamp() * 1000),
        **(content if kind in EVENTS else {}),
    }
    return {"message": message, "event_name": EVENTS.get(kind, "message.unsupported.received")}
