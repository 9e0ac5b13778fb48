"""Web addresses that customers are sent: only those that every phone opens without a warning."""

from __future__ import annotations

import re

_HOST = r"[^\s/?#@:.]+(?:\.[^\s/?#@:.]+)+"
_LINK = re.compile(rf"https://{_HOST}(?::\d{{1,5}})?(?:[/?#]\S*)?", re.IGNORECASE)


def is_link(address: str) -> bool:
    """Whether this is https and names a host with a dot: no `http://x`, no name of somebody before the host."""
    return _LINK.fullmatch(address) is not None
