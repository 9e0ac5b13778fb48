"""What a broadcast says, poured for many: what is alike for everybody is worked out once, only the words differ."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from crm.messages import Message

_words = json.JSONEncoder(ensure_ascii=False).encode


class Said(NamedTuple):
    """A message, and its JSON as the outbox keeps it."""

    message: Message
    body: str


@dataclass(frozen=True, slots=True)
class Mould:
    """A message in one part, as its channel shows it; whoever's words are no longer fit into it as well."""

    part: Message
    longest: int
    tail: str

    def pour(self, text: str) -> Said | None:
        """The same message with other words; None where they are too long for it."""
        text = unicodedata.normalize("NFC", text)
        if _units(text) > self.longest:
            return None
        part = self.part
        message = Message(text, part.buttons, part.cards, part.picture, part.file)
        return Said(message, f'{{"text": {_words(text)}{self.tail}')


def mould(part: Message) -> Mould | None:
    """The mould of a message that has words; None where it has anything that a mould does not carry."""
    head = f'{{"text": {_words(part.text)}'
    body = part.dumps()
    plain = Message(part.text, part.buttons, part.cards, part.picture, part.file)
    return Mould(part, _units(part.text), body[len(head) :]) if part.text and part == plain else None


def _units(text: str) -> int:
    """The length in UTF-16, as the strictest channel counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
