"""Who may write to the brand, and what each channel remembers of them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.chat import Button, Line
from simulator.config import PersonSpec

ZALO = "zalo"
MESSENGER = "messenger"
ZALO_BOT = "zalobot"
PUBLIC = (ZALO, MESSENGER)
CHANNELS = (*PUBLIC, ZALO_BOT)
LINES_KEPT = 200
COLOURS = ("#5b6ee1", "#0f9d8a", "#d9624b", "#9a5bd0", "#c98a1b", "#3b82c4", "#c2477f", "#4f8a3c")

SAMPLE_PEOPLE = (
    PersonSpec(id="lan", name="Nguyễn Thị Lan", phone="0901234501", colour="#5b6ee1"),
    PersonSpec(id="minh", name="Trần Quang Minh", phone="0901234502", colour="#0f9d8a"),
    PersonSpec(id="huong", name="Lê Thu Hương", phone="0901234503", colour="#d9624b"),
    PersonSpec(id="duc", name="Phạm Anh Đức", phone="0901234504", colour="#9a5bd0"),
    PersonSpec(id="mai", name="Võ Ngọc Mai", phone="0901234505", colour="#c98a1b"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A human being, on every channel; `phone` is written as people write it (`0901234501`).

    Bots know them by `bot_chat_id`.
    """

    id: str
    name: str
    phone: str
    colour: str
    zalo_id: str
    psid: str
    bot_chat_id: str

    def user_id(self, channel: str) -> str:
        """The id under which `channel` knows this person."""
        return {ZALO: self.zalo_id, MESSENGER: self.psid, ZALO_BOT: self.bot_chat_id}[channel]

    @property
    def phone_84(self) -> str:
        """The phone as Zalo writes it: `84` and nine digits."""
        digits = "".join(c for c in self.phone if c.isdigit())
        return "84" + digits[1:] if digits.startswith("0") else digits


@dataclass(slots=True)
class Contact:
    """One person on one channel: the windows, the transcript, and what the brand wrote down."""

    channel: str
    user_id: str
    person: Person
    following: bool = False
    blocked: bool = False
    followed_at: datetime | None = None
    last_message: datetime | None = None
    last_interaction: datetime | None = None
    inbox_owns: bool = False
    alias: str = ""
    external_id: str = ""
    shared: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    unanswered: list[Line] = field(default_factory=list)

    def line(self, message_id: str) -> Line | None:
        """The line with this message id, newest first, if it is still kept."""
        return next((line for line in reversed(self.lines) if line.message_id == message_id), None)

    def knows(self, message_id: str) -> bool:
        """Whether the message may be part of this chat; an old one that is no longer kept gets the benefit."""
        return self.line(message_id) is not None or len(self.lines) == LINES_KEPT

    def answered(self, sides: tuple[str, ...] = ("bot",)) -> list[Line]:
        """The brand's lines, newest first."""
        return [line for line in reversed(self.lines) if line.side in sides]

    def find_button(self, wanted: str) -> Button | None:
        """The button that a person means by its title or payload, newest message first.

        Quick replies are gone once another message follows, as in Messenger.
        """
        newest = self.lines[-1] if self.lines else None
        for line in self.answered():
            for button in line.buttons:
                passing = button.kind in ("quick_reply", "share_phone")
                if wanted in (button.title, button.payload) and (not passing or line is newest):
                    return button
        return None


def stable_id(prefix: str, text: str, length: int) -> str:
    """Digits derived from a text: the same person has the same id in every run."""
    digest = int(hashlib.sha256(f"{prefix}:{text}".encode()).hexdigest(), 16)
    return prefix + str(digest)[: length - len(prefix)]


def folded(text: str) -> str:
    """Text for comparing names: composed, lower case, without outer spaces."""
    return unicodedata.normalize("NFC", text).strip().casefold()


class People:
    """All persons and their contacts, found by id, name or channel id; `realm` tells apart ids for another brand."""

    def __init__(self, specs: tuple[PersonSpec, ...], start: datetime, realm: str = "") -> None:
        self._realm = realm
        self.persons: dict[str, Person] = {}
        self.contacts: dict[str, dict[str, Contact]] = {channel: {} for channel in CHANNELS}
        self._names: dict[str, Person] = {}
        for spec in specs:
            self._add(spec, start)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.persons.values())

    def contact(self, channel: str, user_id: str) -> Contact | None:
        """Who has this id on this channel."""
        return self.contacts[channel].get(user_id)

    def known(self, channel: str, who: str) -> Contact | None:
        """A person by our id, name or channel id; None if nobody is meant."""
        person = self.persons.get(who) or self._names.get(folded(who))
        if person is not None:
            return self.contacts[channel][person.user_id(channel)]
        return self.contacts[channel].get(who)

    def meet(self, channel: str, who: str, now: datetime, phone: str = "") -> Contact:
        """Like `known`, and makes the person at first sight; digits are taken as the id on that channel."""
        found = self.known(channel, who)
        if found is not None:
            return found
        digits = who.isascii() and who.isdigit()
        name = f"Khách {who[-4:]}" if digits else who.strip()
        colour = COLOURS[len(self.persons) % len(COLOURS)]
        spec = PersonSpec(
            id=who,
            name=name,
            phone=phone,
            colour=colour,
            zalo_id=who if digits and channel == ZALO else "",
            psid=who if digits and channel == MESSENGER else "",
        )
        return self._add(spec, now)[channel]

    def by_phone(self, phone_84: str) -> Contact | None:
        """The Zalo contact of this phone (`84…`)."""
        return next((c for c in self.contacts[ZALO].values() if c.person.phone_84 == phone_84), None)

    def _add(self, spec: PersonSpec, now: datetime) -> dict[str, Contact]:
        person = Person(
            id=spec.id,
            name=spec.name,
            phone=spec.phone or "09" + stable_id("", "phone:" + spec.id, 8),
            colour=spec.colour,
            zalo_id=spec.zalo_id or stable_id("3", f"zalo:{self._realm}{spec.id}", 19),
            psid=spec.psid or stable_id("7", f"psid:{self._realm}{spec.id}", 16),
            bot_chat_id=hashlib.sha256(f"bot:{self._realm}{spec.id}".encode()).hexdigest()[:20],
        )
        self.persons[person.id] = person
        self._names.setdefault(folded(person.name), person)
        made = {}
        for channel in CHANNELS:
            contact = Contact(channel, person.user_id(channel), person)
            if spec.hours_ago is not None and channel != ZALO_BOT:
                contact.following = True
                contact.last_message = contact.last_interaction = now - timedelta(hours=spec.hours_ago)
                contact.followed_at = contact.last_interaction
            self.contacts[channel][contact.user_id] = made[channel] = contact
        return made
