"""How every worker works: whatever is due, then asleep until it is woken or a moment has passed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from storage.work import Closed

log = logging.getLogger(__name__)


async def work(
    once: Callable[[], Awaitable[bool]],
    topic: asyncio.Event,
    stopping: asyncio.Event,
    poll_s: float,
    rest_s: float = 0,
) -> None:
    """Call `once` as long as there is more to do, then wait for the topic; ends after `stopping` is set.

    A rest before that lets more come together for the next time, where nobody waits for what is done here.
    """
    while not stopping.is_set():
        topic.clear()
        try:
            while not stopping.is_set() and await once():
                pass
        except Closed:
            return
        except Exception:
            log.exception("a worker could not go on; it tries again")
            await asyncio.sleep(1)
        if rest_s and not stopping.is_set():
            await wait(stopping, rest_s)
        if not stopping.is_set():
            await wait(topic, poll_s)


async def landed(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    """Let these go on for so long, and break off those that do not end."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
