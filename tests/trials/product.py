"""The product as a process of its own, on a clock that may run faster: `python -m tests.trials.product serve 8080`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import main
from bot import logs
from bot.settings import Settings
from storage import faults

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


if __name__ == "__main__":
    sys.setswitchinterval(main.SWITCH_INTERVAL_S)
    logs.configure(as_json=True)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
