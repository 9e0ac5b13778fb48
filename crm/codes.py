"""Codes that people read out and type: letters and digits that nobody confuses, the last one a check on the rest."""

from __future__ import annotations

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 letters and digits that nobody confuses; being prime, one weighted sum finds every slip and every swap."""


def new(length: int) -> str:
    """A random code of so many characters, the last one its check."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(length - 1))
    return body + check(body)


def tidy(text: str) -> str:
    """What was typed, in capitals and without what people put between."""
    return re.sub(r"[\s\-.#]", "", text).upper()


def is_code(tidied: str, length: int) -> bool:
    """Whether a tidied text is a code of this length with the right check."""
    return len(tidied) == length and set(tidied) <= set(ALPHABET) and check(tidied[:-1]) == tidied[-1]


def check(body: str) -> str:
    """The character that goes behind."""
    total = sum(place * ALPHABET.index(letter) for place, letter in enumerate(body, start=2))
    return ALPHABET[-total % len(ALPHABET)]
