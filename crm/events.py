"""What happened on a channel, in our words: frozen, inert, on no channel in particular."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm.templates import Status


class Address(NamedTuple):
    """Who, on which channel, with which OA or Page. `user_id` is empty where an event concerns no person."""

    channel: str
    account_id: str
    user_id: str


class MediaKind(StrEnum):
    """What a customer sent beside words. OTHER is content that the channel names but we do not know."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    STICKER = "sticker"
    LINK = "link"
    CONTACT_CARD = "contact_card"
    SHARE = "share"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Media:
    """One attachment. `url` is empty where the channel gave none; urls expire, so they are fetched soon or never."""

    kind: MediaKind
    url: str = ""
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What brought a person here: a link with words of its own (`ref`), an advertisement, a product of the shop.

    `source` is the platform's own word for the kind of place, in small letters.
    """

    ref: str = ""
    source: str = ""
    is_ad: bool = False
    ad_id: str = ""
    ad_title: str = ""
    product_id: str = ""

    @property
    def label(self) -> str:
        """The link's words, else the advertisement, else the product; "" where nothing is known."""
        ad = f"ad:{self.ad_id}" if self.ad_id else ""
        return self.ref or ad or (f"product:{self.product_id}" if self.product_id else "")


@dataclass(frozen=True, slots=True)
class Event:
    """One normalised thing that happened, `at` by the channel's own clock (aware UTC), else when it arrived."""

    address: Address
    at: datetime


@dataclass(frozen=True, slots=True)
class Inbound(Event):
    """Something a person did that the customer sees as addressed to the brand; it moves the reply window.

    `elsewhere`: another app or the platform's own inbox holds the conversation, so we only listen.
    """

    message_id: str = ""
    reply_to: str = ""
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class TextReceived(Inbound):
    """A person wrote text. On Zalo a pressed query button arrives like this, with its payload as the text."""

    text: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ButtonPressed(Inbound):
    """A person pressed a button, a quick reply or a menu item; `payload` may be forged and is never trusted."""

    payload: str = ""
    title: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class MediaReceived(Inbound):
    """A person sent one or more attachments, perhaps with a caption."""

    media: tuple[Media, ...] = ()
    text: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LocationShared(Inbound):
    """A person shared a place, in degrees."""

    latitude: float = 0.0
    longitude: float = 0.0


@dataclass(frozen=True, slots=True)
class ContactShared(Inbound):
    """A person let the platform hand over their own details; `phone` is as given, not yet normalised.

    `typed` says that the person wrote the details into a form: then the platform does not vouch for the number.
    """

    phone: str = ""
    name: str = ""
    address_text: str = ""
    birthday: str = ""
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Followed(Event):
    """A person followed the OA, or opened the chat for the first time (it opens the right to write first)."""

    source: str = ""


@dataclass(frozen=True, slots=True)
class Unfollowed(Event):
    """A person left; no marketing may follow."""


@dataclass(frozen=True, slots=True)
class Reacted(Event):
    """A person put a reaction on a message (`added`), or took it away."""

    message_id: str = ""
    reaction: str = ""
    added: bool = True


@dataclass(frozen=True, slots=True)
class Commented(Event):
    """Somebody wrote a public comment under a post of the brand. `author_id` is no id that messages can go to."""

    comment_id: str = ""
    post_id: str = ""
    author_id: str = ""


@dataclass(frozen=True, slots=True)
class Referred(Event):
    """A person came (back) through a link or an advertisement, and has said nothing yet."""

    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class MessageEdited(Event):
    """A person changed a message; `revision` grows with every edit."""

    message_id: str = ""
    text: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class MessageUnsent(Event):
    """A person took a message back: its words are no longer ours to show."""

    message_id: str = ""


@dataclass(frozen=True, slots=True)
class MessageDelivered(Event):
    """Messages reached the phone: those named, or all sent up to `watermark`."""

    message_ids: tuple[str, ...] = ()
    watermark: datetime | None = None
    tracking_id: str = ""


@dataclass(frozen=True, slots=True)
class MessageSeen(Event):
    """Messages were read: those named, or all sent up to `watermark`."""

    message_ids: tuple[str, ...] = ()
    watermark: datetime | None = None


@dataclass(frozen=True, slots=True)
class StaffEcho(Event):
    """A person of the brand answered in the platform's own inbox (not through us)."""

    message_id: str = ""
    text: str = ""
    media: tuple[Media, ...] = ()
    staff_id: str = ""


@dataclass(frozen=True, slots=True)
class OwnEcho(Event):
    """A program's send came back: ours, if `metadata` or `message_id` or its content says so; else another app's."""

    message_id: str = ""
    text: str = ""
    media: tuple[Media, ...] = ()
    metadata: str = ""
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class ThreadPassed(Event):
    """The right to answer a person went over to us, or to another app or the platform's own inbox."""

    to_us: bool = False


@dataclass(frozen=True, slots=True)
class BrandSpoke(Event):
    """A line of the brand that was read from the conversation later: whether we, a person or another program wrote
    it is not told."""

    message_id: str = ""
    text: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """The platform passed on a person's wish to be forgotten, or to get no more marketing (`scope`)."""

    scope: str = "all"


@dataclass(frozen=True, slots=True)
class TemplateChanged(Event):
    """A message template changed at the platform; what the event does not tell is None or empty."""

    template_id: str = ""
    language: str = ""
    status: Status | None = None
    quality: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Labelled(Event):
    """Staff put a label on people (user ids) in the platform's own tool, or took it off them: off everyone, where no
    people are named."""

    label: str = ""
    people: tuple[str, ...] = ()
    on: bool = True


@dataclass(frozen=True, slots=True)
class AllowanceChanged(Event):
    """The platform lets the account send more or less than before: `total` is the new whole of its allowance `name`."""

    name: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class GroupSpoke(Event):
    """A line in a group chat of the brand's, which we only overhear: `author` is the sender's id, "" for the brand.

    Nobody in a group becomes a customer by it, and nothing said there is answered or is a command.
    """

    group_id: str = ""
    author: str = ""
    message_id: str = ""
    reply_to: str = ""
    text: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupChanged(Event):
    """A group chat was made, renamed or dissolved, or people came, asked, left or got rights (`what`)."""

    group_id: str = ""
    what: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrantLost(Event):
    """The account took away our right, or the platform restricted it: someone must connect it again."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """A genuine event that carries nothing for us to do, or that we do not know (`known` says which)."""

    name: str = ""
    known: bool = False
    details: dict[str, str] = field(default_factory=dict)
