"""The product as a process of its own, on a clock that may run faster."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import main
from bot import logs, outbox
from bot.settings import Settings
from storage import faults
from tests import forked

HOST = "127.0.0.1"


def quick(speed: float, start: float) -> Callable[[], datetime]:
    """A clock that left the true time at `start` (epoch seconds) and runs `speed` times as fast since."""
    begin = datetime.fromtimestamp(start, UTC)
    return lambda: begin + timedelta(seconds=(time.time() - start) * speed)


async def serve(role: str, port: int) -> None:
    """Work until the process is killed: `serve`, `web` or `worker`."""
    settings = Settings.from_env(None)
    faults.arm(settings.fault)
    clock = quick(float(os.environ["SPEED"]), float(os.environ["START"]))
    composed = main.compose(settings, clock, doors=role != "worker", worker=role != "web")
    async with composed as (_, app), main.listening(app, HOST, port):
        await asyncio.Event().wait()


def run(role: str, port: int, given: Mapping[str, str]) -> None:
    """Be the product in this process, with these environment variables; its log goes to the file `TOLD`, if any."""
    os.environ.update(given)
    if slots := int(given.get("SEND_SLOTS", 0)):
        outbox.SLOTS = outbox.AT_ONCE = outbox.BATCH = outbox.SHORT = slots
        outbox.SPARE, outbox.ROOMY = 0, slots // 4
    told = os.open(given.get("TOLD", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(told, sys.stderr.fileno())
    sys.setswitchinterval(main.SWITCH_INTERVAL_S)
    logs.configure(as_json=True)
    asyncio.run(serve(role, port))


class Fork:
    """A process of the product, with what the trials use of `asyncio.subprocess.Process`."""

    def __init__(self, role: str, port: int, given: Mapping[str, str]) -> None:
        self._process = forked.forked(run, role, port, dict(given))

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()

    async def wait(self) -> None:
        """Wait for its end."""
        await forked.ended(self._process)
