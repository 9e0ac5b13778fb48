"""The transcript that a person sees: lines and the buttons on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message.

    `kind` is `query` (Zalo: the payload is sent as text), `hidden_query` (and the chat does not show it), `postback`,
    `quick_reply`, `share_phone`, `share_info`, `url` or `call`; `payload` holds what comes back, or the address or
    number it opens.
    """

    title: str
    kind: str
    payload: str = ""


@dataclass(slots=True)
class Line:
    """One message of a chat; `side` is `person`, `bot` or `staff`, `tick` is `sent`, `delivered` or `seen`.

    `speaker` is the name under which the brand wrote it, beside its own.
    """

    side: str
    at: datetime
    message_id: str
    kind: str
    text: str = ""
    media: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[dict[str, Any], ...] = ()
    tick: str = "sent"
    edits: int = 0
    reaction: str = ""
    reply_to: str = ""
    speaker: str = ""

    def as_json(self) -> dict[str, Any]:
        """The line as the chat page reads it."""
        return {
            "side": self.side,
            "at": self.at.isoformat(),
            "message_id": self.message_id,
            "kind": self.kind,
            "text": self.text,
            "media": self.media,
            "buttons": [asdict(button) for button in self.buttons],
            "cards": list(self.cards),
            "tick": self.tick,
            "reaction": self.reaction,
            "speaker": self.speaker,
        }
