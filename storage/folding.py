"""Words without what people leave out when they type: accents, capitals, spaces too many."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """ "Nguyễn  Văn Á" → "nguyen van a": what two spellings of the same name share."""
    letters = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(bare.replace("đ", "d").split())
