"""What we say: a message on no channel in particular, and why it is sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from storage.media import NAMED


class Purpose(StrEnum):
    """Why a message goes out. Decides priority, consent, quiet hours, lane and whether it may be sent again."""

    REPLY = "reply"
    STAFF = "staff"
    TRANSACTION = "transaction"
    CARE = "care"
    BROADCAST = "broadcast"

    __hash__ = str.__hash__
    """By its word, as strings are: an enum's own is worked out in Python each time."""

    @property
    def priority(self) -> int:
        """Smaller goes first."""
        return _PRIORITIES[self]

    @property
    def is_marketing(self) -> bool:
        """Whether it needs the customer's consent to marketing."""
        return self in (Purpose.CARE, Purpose.BROADCAST)


_PRIORITIES = {
    Purpose.REPLY: 0,
    Purpose.STAFF: 1,
    Purpose.TRANSACTION: 2,
    Purpose.CARE: 5,
    Purpose.BROADCAST: 9,
}


_MARK = '"template"'
"""Stands in the JSON of every message with a template, and hardly in any other: quotes within words are escaped."""


class ButtonKind(StrEnum):
    """What a press does: come back to us as a payload, open a link, dial, or ask to share the phone number."""

    REPLY = "reply"
    URL = "url"
    PHONE = "phone"
    SHARE_PHONE = "share_phone"


@dataclass(frozen=True, slots=True)
class Button:
    """`value` is the payload, the address or the number, by kind; empty for SHARE_PHONE."""

    title: str
    value: str = ""
    kind: ButtonKind = ButtonKind.REPLY


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a list: title, a line under it, a picture, its own buttons, an address that a tap on it opens."""

    title: str
    subtitle: str = ""
    image_url: str = ""
    buttons: tuple[Button, ...] = ()
    url: str = ""


KEPT = NAMED
"""How a picture or file begins that we keep ourselves: `media:<id>`. The channel gets a copy before it is sent."""
BORROWED = "from:"
"""How the id of a picture begins that is not ours yet: `from:<channel>:<address>`, where somebody sent it."""


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A template that the platform approved, with the values for its gaps, by name. `language` where it has several."""

    template_id: str
    language: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bought:
    """One line of a receipt; `price` is that of one piece, in đồng."""

    title: str
    detail: str = ""
    quantity: int = 1
    price: int = 0
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An order that is paid or to be paid, all sums in đồng; `discounts` are their names with what each takes off.

    `total` is what the customer pays; `url` is a page about the order.
    """

    order_code: str
    recipient: str
    payment: str
    total: int
    items: tuple[Bought, ...] = ()
    shipping: int = 0
    discounts: tuple[tuple[str, int], ...] = ()
    url: str = ""


class Message(NamedTuple):
    """What is said; at least one of all but `reply_to` and `speaker` is there. A channel degrades what it cannot show.

    `picture` and `file` are web addresses, or `media:<id>` of what we keep. `sticker` is an id of the channel's own.
    With a `template` the platform shows that, and `text` is only what our own transcript keeps of it. A `receipt`
    stands for `text` where the channel has such a thing. A `reaction` is an emoji on the message `reply_to`, and says
    nothing else. `speaker` is the name of the person who typed this, for channels that can show it.
    """

    text: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()
    picture: str = ""
    file: str = ""
    sticker: str = ""
    reply_to: str = ""
    template: TemplateUse | None = None
    receipt: Receipt | None = None
    reaction: str = ""
    speaker: str = ""

    @property
    def kept(self) -> str:
        """The id of what we keep and this message shows; "" for none. A part of one call shows one at most."""
        shown = self.picture or self.file
        return shown.removeprefix(KEPT) if shown.startswith(KEPT) else ""

    @lru_cache(maxsize=1024)  # noqa: B019 - messages are frozen and few of them differ
    def dumps(self) -> str:
        """JSON for the outbox; fields at their defaults are left out."""
        filled = {key: value for key, value in self._asdict().items() if value}
        return json.dumps(filled, ensure_ascii=False, default=asdict)

    @staticmethod
    @lru_cache(maxsize=1024)
    def loads(body: str) -> Message:
        """The message that `dumps` wrote."""
        data = json.loads(body)
        return Message(
            text=data.get("text", ""),
            buttons=tuple(_button(item) for item in data.get("buttons", ())),
            cards=tuple(
                Card(
                    title=item["title"],
                    subtitle=item.get("subtitle", ""),
                    image_url=item.get("image_url", ""),
                    buttons=tuple(_button(button) for button in item.get("buttons", ())),
                    url=item.get("url", ""),
                )
                for item in data.get("cards", ())
            ),
            picture=data.get("picture", ""),
            file=data.get("file", ""),
            sticker=data.get("sticker", ""),
            reply_to=data.get("reply_to", ""),
            template=_template(data["template"]) if "template" in data else None,
            receipt=_receipt(data["receipt"]) if "receipt" in data else None,
            reaction=data.get("reaction", ""),
            speaker=data.get("speaker", ""),
        )


def template_in(body: str) -> TemplateUse | None:
    """The template that a message's JSON names; costs no parsing where there is none."""
    return Message.loads(body).template if _MARK in body else None


def _template(item: dict[str, Any]) -> TemplateUse:
    values = tuple((name, value) for name, value in item.get("values", ()))
    return TemplateUse(item["template_id"], item.get("language", ""), values)


def _receipt(item: dict[str, Any]) -> Receipt:
    items = tuple(Bought(**each) for each in item["items"])
    discounts = tuple((name, amount) for name, amount in item["discounts"])
    return Receipt(**{**item, "items": items, "discounts": discounts})


def _button(item: dict[str, str]) -> Button:
    return Button(title=item["title"], value=item.get("value", ""), kind=ButtonKind(item.get("kind", "reply")))
