"""Has pictures and workbooks made by a process of its own: what that needs of memory and time burdens no webhook."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Any

PATIENCE_S = 30.0
"""How long a picture may take, the start of the process included."""
IDLE_S = 60.0
"""How long the process waits for the next picture before it ends."""
_LENGTH = 4

Sheet = tuple[str, Sequence[Sequence[str | int | float | None]]]
"""A title and rows, the first row as the head."""


class Undrawn(Exception):
    """A picture could not be drawn."""


class Artist:
    """Begins its process with the first picture, draws one at a time, and lets it go when no more are asked for."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def draw(self, lines: Mapping[str, str | int]) -> bytes:
        """A card as a PNG. Raises Undrawn; the next one is drawn by a new process then."""
        return await self._made(lines)

    async def shrink(self, picture: bytes, most: int) -> bytes:
        """A picture as a JPEG of at most so many bytes. Raises Undrawn, also for what is no picture."""
        return await self._made({"shrink": base64.b64encode(picture).decode(), "most": most})

    async def workbook(self, sheets: Sequence[Sheet]) -> bytes:
        """An XLSX file of these sheets. Raises Undrawn."""
        return await self._made({"sheets": sheets})

    async def _made(self, asked: Mapping[str, Any]) -> bytes:
        async with self._turn:
            if self._rest:
                self._rest.cancel()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    picture = await self._ask(asked)
            except (OSError, TimeoutError, EOFError) as error:
                await self._stop()
                raise Undrawn(type(error).__name__) from error
            except BaseException:
                await asyncio.shield(self._stop())
                raise
            self._rest = asyncio.get_running_loop().call_later(IDLE_S, self._let_go)
            return picture

    async def close(self) -> None:
        """End the process."""
        if self._rest:
            self._rest.cancel()
        await self._stop()

    async def _ask(self, wanted: Mapping[str, Any]) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.drawing.child", stdin=PIPE, stdout=PIPE, start_new_session=True
            )
        asked, answer = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answer is not None
        asked.write(json.dumps(wanted).encode() + b"\n")
        await asked.drain()
        return await answer.readexactly(int.from_bytes(await answer.readexactly(_LENGTH), "big"))

    def _let_go(self) -> None:
        """It ends by itself where nobody can ask any more."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.communicate()
