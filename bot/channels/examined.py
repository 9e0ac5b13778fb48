"""What a channel lets the doctor try: the requests of its platform's console, and the switches that stand there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from bot.channels.base import Keys


class Switch(NamedTuple):
    """A kind of event that the platform's console turns on and off. An account that sent `after` messages and never
    delivered any of `kinds` (names of classes in `crm.events`) has it off.

    `name` is the event's own, `words` say what is missed and who turns it on where. `must`: a person has to mend it.
    """

    kinds: frozenset[str]
    name: str
    after: int
    must: bool
    words: str


class Probe(NamedTuple):
    """A request to our own door as the platform makes it, to see whether it gets through: it changes nothing.

    A door that is reached answers 200, and with the text `answer` where that is not empty. `headers` must arrive;
    `also` may be lost on the way without harm.
    """

    what: str
    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    answer: str = ""
    also: Mapping[str, str] = {}


@runtime_checkable
class Examined(Protocol):
    """A channel whose platform calls a door of ours and has switches for its events."""

    switches: tuple[Switch, ...]

    def probes(self, keys: Keys, now: datetime, nonce: str) -> tuple[Probe, ...]:
        """What the platform sends to see whether our door is there, signed where there is a key to sign with."""
