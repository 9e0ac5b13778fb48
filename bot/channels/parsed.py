"""Webhook bodies, read once for the door and again, a moment later, for the worker: small ones are remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

_SMALL = 4096


def remembered(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """The same reading; all who ask share its results, nobody may change them. ValueError also for what is too deep."""
    kept = lru_cache(maxsize=512)(read)

    def reading(body: bytes) -> T:
        try:
            return kept(body) if len(body) <= _SMALL else read(body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    return reading


@remembered
def load(body: bytes) -> Any:
    """The JSON of a body. ValueError for what is none."""
    return json.loads(body)
