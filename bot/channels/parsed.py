"""The JSON of webhook bodies, read once for the door and again, a moment later, for the worker."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

_SMALL = 4096


def load(body: bytes) -> Any:
    """The JSON of a body, shared by all who ask: nobody may change it. ValueError for what is none, however deep."""
    try:
        return _remembered(body) if len(body) <= _SMALL else json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


@lru_cache(maxsize=512)
def _remembered(body: bytes) -> Any:
    return json.loads(body)
