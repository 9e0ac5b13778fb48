"""What a Page's updates mean in our words: one small pure function a kind, found by the update's name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.channels.messenger import envelope, templates
from bot.channels.messenger.attachments import media_of, place_of, spoken
from bot.channels.messenger.envelope import Update, record, records
from bot.channels.text import clean, short_id
from crm.events import (
    Address,
    BrandSpoke,
    ButtonPressed,
    Commented,
    ConsentWithdrawn,
    ContactShared,
    Event,
    GrantLost,
    Inbound,
    LocationShared,
    Media,
    MediaKind,
    MediaReceived,
    MessageDelivered,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    Origin,
    OwnEcho,
    Reacted,
    Referred,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    ThreadPassed,
    UnknownEvent,
)

CHANNEL = "messenger"
READ_BACK = "read_back"
"""Our own mark on a line of the Page that we read from a conversation."""
INBOX_APP_IDS = frozenset({"26390203743090", "263902037430900"})
"""The app id of the Page's own inbox, as two pages of Meta's documentation print it."""

_PHONE = re.compile(r"\+?[0-9](?:[0-9 .()-]{6,18})[0-9]")
_DETAIL = 2000
_WORD, _TITLE = 64, 200


def parse(body: bytes, now: datetime, app_id: str = "") -> list[Event]:
    """The updates of one raw body in our words; `app_id` is our app's. ValueError where it cannot be understood."""
    try:
        return [_event(update, now, app_id) for update in envelope.updates(body)]
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _event(update: Update, now: datetime, app_id: str) -> Event:
    address = Address(CHANNEL, update.page_id, update.person)
    at = update.at or now
    if not update.known:
        return UnknownEvent(address, at, name=update.name)
    if update.name in _RECEIPTS:
        return _RECEIPTS[update.name](update, address, at)
    if update.outgoing:
        return _outgoing(update, address, at)
    if update.name in _CONTROL and update.person:
        return _passed(update, address, at, app_id)
    if update.standby and update.name not in _OVERHEARD:
        return _noted(update, address, at, f"standby.{update.name}")
    if update.name in _BY_PERSON and not update.person:
        return _noted(update, address, at, f"{update.name}.without_person")
    if update.standby:
        heard = _OVERHEARD[update.name](update, address, at)
        return replace(heard, elsewhere=True) if isinstance(heard, Inbound) else heard
    kind = _KINDS.get(update.name)
    if kind:
        return kind(update, address, at)
    return UnknownEvent(address, at, name=update.name, known=update.name in KNOWN, details=_details(update.content))


def _noted(update: Update, address: Address, at: datetime, name: str) -> UnknownEvent:
    return UnknownEvent(address, at, name=name, known=True, details=_details(update.content))


def _details(content: dict[str, Any]) -> dict[str, str]:
    return {key: _text(content[key])[:_DETAIL] for key in _TOLD if key in content and _text(content[key])}


def _text(value: Any) -> str:
    """Words or a number as clean text; "" for everything else."""
    return clean(str(value) if type(value) is int else value)


# --- what the Page did -------------------------------------------------------------------------------------------


def _outgoing(update: Update, address: Address, at: datetime) -> Event:
    """An echo tells whether a person of the brand wrote (the inbox's app id, or none) or a program."""
    content = update.content
    if update.name != "message" or content.get("is_deleted") is True:
        return _noted(update, address, at, f"{update.name}.by_page")
    mid, media, app_id = envelope.mid_of(content), media_of(content), envelope.ident(content.get("app_id"))
    text = clean(content.get("text")) or spoken(content)
    if content.get(READ_BACK) is True:
        return BrandSpoke(address, at, message_id=mid, text=text, media=media)
    if not app_id or app_id in INBOX_APP_IDS:
        return StaffEcho(address, at, message_id=mid, text=text, media=media)
    return OwnEcho(
        address, at, message_id=mid, text=text, media=media, metadata=clean(content.get("metadata")), app_id=app_id
    )


# --- what a person did -------------------------------------------------------------------------------------------


def _message(update: Update, address: Address, at: datetime) -> Event:
    content = update.content
    mid = envelope.mid_of(content)
    if content.get("is_deleted") is True:
        return MessageUnsent(address, at, message_id=mid)
    text, reply_to = clean(content.get("text")), short_id(record(content.get("reply_to")).get("mid"))
    origin = _origin_of(content)
    if isinstance(content.get("quick_reply"), dict):
        payload = clean(content["quick_reply"].get("payload"))
        if payload == text and _PHONE.fullmatch(text):
            return ContactShared(address, at, mid, reply_to, phone=text)
        return ButtonPressed(address, at, mid, reply_to, payload=payload, title=text, origin=origin)
    place = place_of(content)
    if place:
        return LocationShared(address, at, mid, reply_to, latitude=place[0], longitude=place[1])
    media = media_of(content)
    if text and not media:
        return TextReceived(address, at, mid, reply_to, text=text, origin=origin)
    media = media or (Media(MediaKind.OTHER),)
    return MediaReceived(address, at, mid, reply_to, media=media, text=text, origin=origin)


def _postback(update: Update, address: Address, at: datetime) -> Event:
    """A pressed button; without a payload where another app had sent the button."""
    content = update.content
    return ButtonPressed(
        address,
        at,
        clean(content.get("mid")),
        payload=clean(content.get("payload")),
        title=clean(content.get("title")),
        origin=_origin_of(content),
    )


def _reaction(update: Update, address: Address, at: datetime) -> Event:
    content = update.content
    return Reacted(
        address,
        at,
        message_id=envelope.mid_of(content),
        reaction=clean(content.get("emoji")) or clean(content.get("reaction")),
        added=content.get("action") != "unreact",
    )


def _edit(update: Update, address: Address, at: datetime) -> Event:
    content = update.content
    revision = _text(content.get("num_edit"))
    return MessageEdited(
        address,
        at,
        message_id=envelope.mid_of(content),
        text=clean(content.get("text")),
        revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else 0,
    )


def _referral(update: Update, address: Address, at: datetime) -> Event:
    return Referred(address, at, origin=_origin(update.content))


def _origin_of(content: dict[str, Any]) -> Origin | None:
    """What brought the person here, where a message or a pressed button tells."""
    referral = record(content.get("referral"))
    return _origin(referral) if referral else None


def _origin(referral: dict[str, Any]) -> Origin:
    source, ad_id = clean(referral.get("source")), _text(referral.get("ad_id"))
    return Origin(
        ref=clean(referral.get("ref")),
        source=source.lower()[:_WORD],
        is_ad=source.upper() == "ADS" or bool(ad_id),
        ad_id=ad_id[:_WORD],
        ad_title=clean(record(referral.get("ads_context_data")).get("ad_title"))[:_TITLE],
        product_id=_text(record(referral.get("product")).get("id")),
    )


def _optin(update: Update, address: Address, at: datetime) -> Event:
    if clean(update.content.get("notification_messages_status")).upper() == "STOP NOTIFICATIONS":
        return ConsentWithdrawn(address, at, scope="marketing")
    return _noted(update, address, at, "optin")


def _customer_information(update: Update, address: Address, at: datetime) -> Event:
    """The address form of the chat: whatever is in it was typed."""
    answers = {
        clean(answer.get("key")): clean(answer.get("value"))
        for screen in records(update.content.get("screens"))
        for answer in records(screen.get("responses"))
    }
    if not answers.get("phone"):
        return _noted(update, address, at, update.name)
    parts = ("address_line_1", "address_line_2", "locality", "subadministrative_area", "administrative_area")
    return ContactShared(
        address,
        at,
        phone=answers["phone"],
        name=answers.get("name", ""),
        address_text=", ".join(answers[part] for part in parts if answers.get(part)),
        typed=True,
    )


# --- what the platform did ---------------------------------------------------------------------------------------


def _delivery(update: Update, address: Address, at: datetime) -> Event:
    mids = update.content.get("mids")
    ids = tuple(mid for mid in map(short_id, mids if isinstance(mids, list) else ()) if mid)
    return MessageDelivered(address, at, message_ids=ids, watermark=envelope.moment(update.content.get("watermark")))


def _read(update: Update, address: Address, at: datetime) -> Event:
    return MessageSeen(address, at, watermark=envelope.moment(update.content.get("watermark")))


def _passed(update: Update, address: Address, at: datetime, app_id: str) -> Event:
    """Control of a conversation changed hands (Messenger, "Conversation Routing"). Without our own app's id, whatever
    was not given to the Page's inbox counts as given to us."""
    owner = envelope.ident(update.content.get("new_owner_app_id"))
    if not owner:
        return _noted(update, address, at, update.name)
    to_us = owner == app_id if app_id else update.name == "pass_thread_control" and owner not in INBOX_APP_IDS
    return ThreadPassed(address, at, to_us=to_us)


def _policy(update: Update, address: Address, at: datetime) -> Event:
    if update.content.get("action") == "block":
        return GrantLost(address, at, reason=clean(update.content.get("reason")))
    return _noted(update, address, at, "policy_enforcement")


def _template(update: Update, address: Address, at: datetime) -> Event:
    """Meta prints no sample for Pages: these are the keys that WhatsApp's twin of the event has."""
    content = update.content
    return TemplateChanged(
        address,
        at,
        template_id=_text(content.get("message_template_id")) or clean(content.get("message_template_name")),
        language=clean(content.get("message_template_language")),
        status=templates.status_of(content.get("event")) if content.get("event") else None,
        reason=clean(content.get("reason")),
    )


def _feed(update: Update, address: Address, at: datetime) -> Event:
    """What happened on the Page itself; of all that only a comment that somebody else added asks for something."""
    content = update.content
    comment_id, author = (
        envelope.ident(content.get("comment_id")),
        envelope.ident(record(content.get("from")).get("id")),
    )
    is_new = (content.get("item"), content.get("verb")) == ("comment", "add")
    if is_new and comment_id and author != update.page_id:
        return Commented(address, at, comment_id, envelope.ident(content.get("post_id")), author)
    words = (clean(update.content.get(key)) for key in ("item", "verb"))
    return _noted(update, address, at, ".".join(("feed", *(word for word in words if word)))[:60])


Kind = Callable[[Update, Address, datetime], Event]
_RECEIPTS: dict[str, Kind] = {"delivery": _delivery, "read": _read}
_BY_PERSON: dict[str, Kind] = {
    "message": _message,
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    "referral": _referral,
    "optin": _optin,
    "messaging_customer_information": _customer_information,
}
_OVERHEARD: dict[str, Kind] = {"message": _message, "postback": _postback}
"""What is told of a conversation that another app holds; a pressed button comes without its payload."""
_CONTROL = frozenset({"pass_thread_control", "take_thread_control"})
_KINDS: dict[str, Kind] = {
    **_BY_PERSON,
    "policy_enforcement": _policy,
    "policy-enforcement": _policy,
    "message_template_status_update": _template,
    "messenger_template_status_update": _template,
    "feed": _feed,
}
KNOWN = frozenset(envelope.NAMES) | {
    "inbox_labels",
    "marketing_message_clicks",
    "marketing_message_deliveries",
    "marketing_message_delivery_failed",
    "marketing_message_echoes",
    "marketing_message_reads",
}
"""Every name that we know; those without a function of their own carry nothing for us to do."""

_TOLD = (
    "text",
    "title",
    "payload",
    "type",
    "status",
    "action",
    "reason",
    "feedback",
    "mid",
    "ref",
    "user_ref",
    "notification_messages_status",
    "new_owner_app_id",
    "previous_owner_app_id",
    "requested_owner_app_id",
    "comment_id",
    "post_id",
    "message",
    "message_id",
    "error_message",
    "coupon_code",
    "note",
    "id",
)
"""What is worth noting of an update that has no kind of its own; tokens and codes to log in with are not."""
