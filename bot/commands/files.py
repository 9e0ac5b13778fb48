"""Files that commands read."""

from __future__ import annotations

from pathlib import Path

from bot.commands.report import Refused

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
