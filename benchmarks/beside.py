"""Work that shares the product's process while its answers are timed; each entry starts it and returns."""

from __future__ import annotations

import threading
from collections.abc import Callable


def busy_thread() -> None:
    """One thread that never stops computing, as a parser or a report in the wrong place would."""
    threading.Thread(target=_compute, name="busy", daemon=True).start()


def _compute() -> None:
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


WORK: dict[str, Callable[[], None]] = {"busy-thread": busy_thread}
