"""JSON as it goes over the platforms' wire; every message pays for it twice, so compiled code writes and reads it."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json, to_json


def written(value: Any) -> bytes:
    """The value as compact UTF-8. ValueError for what JSON does not have."""
    return to_json(value)


def read(raw: bytes) -> Any:
    """The value that the bytes hold. ValueError or RecursionError for what is none.

    What the strict reader refuses, such as half a surrogate pair, is read as Python reads it.
    """
    try:
        return from_json(raw)
    except ValueError:
        return json.loads(raw)
