"""What an answer of Zalo's holds beside its data: a body or none, a wait, how much of the rate is used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.channels import wire
from bot.channels.base import Usage

Json = dict[str, Any]

_LONGEST_WAIT = 3600
_MINUTE = timedelta(minutes=1)


def body(raw: bytes) -> Json | None:
    """The JSON object, whatever its content type; None for anything else."""
    try:
        found = wire.read(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def wait(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds, at most an hour; the form with a date is not heeded."""
    value = headers.get("Retry-After", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return timedelta(seconds=min(int(value[:9]), _LONGEST_WAIT))


def usage(headers: Mapping[str, str]) -> Usage | None:
    """How much of this minute's calls is used (https://docs.zaloplatforms.com: "gioi-han-toc-do-api")."""
    limit, left = (headers.get(name, "") for name in ("X-RateLimit-Limit", "X-RateLimit-Remain"))
    if not (limit.isdecimal() and left.isdecimal() and len(limit) < 10 and len(left) < 10 and int(limit)):
        return None
    return Usage(max(0, 100 - 100 * int(left) // int(limit)), _MINUTE)
