"""`khachquen understand`: what texts mean, line by line as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from bot.understanding import understand


def answers(texts: Iterable[str], *, as_json: bool) -> Iterator[str]:
    """One line for each text: a JSON object with `text, intent, confidence, slots`, or words for people."""
    for text in texts:
        found = understand(text.rstrip("\r\n"))
        if as_json:
            yield json.dumps(
                {
                    "text": found.text,
                    "intent": found.intent,
                    "confidence": found.confidence,
                    "slots": dict(found.slots),
                },
                ensure_ascii=False,
            )
        else:
            slots = "".join(f" {name}={value}" for name, value in found.slots.items())
            yield f"{found.confidence:4.2f} {found.intent or '?'}{slots}"
