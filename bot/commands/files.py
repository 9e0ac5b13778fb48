"""Files that commands read, and workbooks that they write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.commands.report import Refused
from bot.drawing.artist import Artist, Sheet, Undrawn

_LONGEST = 256 * 1024


def text(path: Path) -> str:
    """What stands in a file of at most 256 KiB. Raises Refused."""
    try:
        raw = path.read_bytes()
        if len(raw) > _LONGEST:
            raise Refused(f"{path} is longer than {_LONGEST} bytes")
        return raw.decode("utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8") from None


async def workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write these sheets as an XLSX file. Raises Refused."""
    artist = Artist()
    try:
        made = await artist.workbook(sheets)
        await asyncio.to_thread(path.write_bytes, made)
    except Undrawn as error:
        raise Refused(f"the workbook could not be made ({error}); a .csv file takes more") from error
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error
    finally:
        await artist.close()
