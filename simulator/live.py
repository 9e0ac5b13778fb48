"""The live feed of the chat page: small JSON events to whoever watches."""

from __future__ import annotations

import asyncio
import json
from typing import Any

BACKLOG = 500


class LiveFeed:
    """Hands every event to every watcher; a watcher that falls behind loses its oldest events."""

    def __init__(self) -> None:
        self.watchers: set[asyncio.Queue[str | None]] = set()

    def watch(self) -> asyncio.Queue[str | None]:
        """A queue that receives every event from now on, and None at the end."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(BACKLOG)
        self.watchers.add(queue)
        return queue

    def publish(self, kind: str, event: dict[str, Any]) -> None:
        """Tells all watchers; costs nothing while nobody watches."""
        if not self.watchers:
            return
        self._give(json.dumps({"type": kind, **event}, ensure_ascii=False))

    def close(self) -> None:
        """Tells all watchers that nothing more comes."""
        self._give(None)

    def _give(self, text: str | None) -> None:
        for queue in self.watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(text)
