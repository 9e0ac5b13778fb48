"""What the doctor finds: one thing looked at, how bad it is, and who mends it how."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from bot.commands.trouble import words_of

OK = "ok"
NOTE = "note"
MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `state` is ok, note (no harm yet) or mend; `remedy` says who does what."""

    area: str
    state: str
    words: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """For people; what must be mended catches the eye."""
        state = self.state.upper() if self.state == MEND else self.state
        return f"{state:<4}  {self.area:<9}  " + f"{self.words} {self.remedy}".rstrip()


def looked(area: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a look shows; one that fails is a finding itself, so that the others are still told."""
    try:
        return list(look())
    except Exception as error:
        return [_failed(area, error)]


async def awaited(area: str, look: Awaitable[Iterable[Finding]], seconds: float) -> list[Finding]:
    """The same for a look that takes time, and is given up after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return list(await look)
    except TimeoutError:
        words = f"This could not be looked at within {seconds:g} s, so nothing is known of it."
        return [Finding(area, MEND, words, "Whoever runs the server tries again; khachquen doctor --offline is quick.")]
    except Exception as error:
        return [_failed(area, error)]


def _failed(area: str, error: Exception) -> Finding:
    words = words_of(error)
    if words is None:
        return Finding(area, MEND, f"This could not be looked at ({type(error).__name__}).", "Please report this bug.")
    return Finding(area, MEND, f"{words[0].upper()}{words[1:].rstrip('.')}.", "Whoever runs the server mends this.")
