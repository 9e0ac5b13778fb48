"""Zalo's events in our words: a table from event name to a small pure function.

https://docs.zaloplatforms.com/docs/OA/webhook/tin-nhan/su-kien-nguoi-dung-gui-tin-nhan and its sisters
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from bot.channels import parsed
from bot.channels.text import clean
from bot.channels.zalo import attachments, quotas, templates
from bot.channels.zalo.envelope import Json, identifier, is_template_receipt, items, mapping, moment, read
from bot.channels.zalo.quiet import GROUP_LIFE, IN_GROUPS, QUIET
from bot.channels.zalo.sender import REACTIONS
from crm.events import (
    Address,
    AllowanceChanged,
    BrandSpoke,
    ConsentWithdrawn,
    ContactShared,
    Event,
    Followed,
    GrantLost,
    GroupChanged,
    GroupSpoke,
    Labelled,
    LocationShared,
    Media,
    MediaKind,
    MediaReceived,
    MessageDelivered,
    MessageSeen,
    OwnEcho,
    Reacted,
    StaffEcho,
    TemplateChanged,
    TextReceived,
    Unfollowed,
    UnknownEvent,
)

READ_BACK = "read_back"
"""Our own mark on an event that we made of a line of a conversation."""
UNTOLD = "user_send_untold"
"""Our own name for a person's line of a kind that we do not know."""

_EMOJI = {icon: emoji for emoji, icon in reversed(REACTIONS.items())}
_MENTION = re.compile(r"\[@[0-9A-Za-z_-]{1,64}\]")
_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


@dataclass(frozen=True, slots=True)
class _Read:
    """One event with what every kind needs already taken out."""

    name: str
    body: Json
    message: Json
    address: Address
    at: datetime
    now: datetime


def parse(body: bytes, now: datetime) -> list[Event]:
    """One raw event in our words; raises ValueError (only) for a body that is no event of Zalo's."""
    event = parsed.load(body)
    if not isinstance(event, dict):
        raise ValueError("no JSON object")
    envelope = read(event)
    given = _Read(
        name=envelope.name,
        body=event,
        message=mapping(event.get("message")),
        address=Address("zalo", envelope.account_id, envelope.user_id),
        at=moment(event.get("timestamp"), now) or now,
        now=now,
    )
    return [_PARSERS.get(envelope.name, _unknown)(given)]


def _text(given: _Read) -> Event:
    return TextReceived(
        given.address,
        given.at,
        message_id=_message_id(given),
        reply_to=identifier(given.message.get("quote_msg_id")),
        text=clean(given.message.get("text")),
    )


def _media(given: _Read) -> Event:
    return MediaReceived(
        given.address,
        given.at,
        message_id=_message_id(given),
        reply_to=identifier(given.message.get("quote_msg_id")),
        media=attachments.media(given.message) or (attachments.missing(given.name),),
        text=clean(given.message.get("text")),
    )


def _business_card(given: _Read) -> Event:
    """Anyone's card: it says nothing about the sender, and its text is the name upon it."""
    card = attachments.contact_card(given.message)
    return MediaReceived(given.address, given.at, message_id=_message_id(given), media=(card,))


def _location(given: _Read) -> Event:
    place = attachments.place(given.message)
    if place is None:
        return MediaReceived(given.address, given.at, _message_id(given), media=(Media(MediaKind.OTHER),))
    return LocationShared(given.address, given.at, _message_id(given), latitude=place[0], longitude=place[1])


def _submitted_info(given: _Read) -> Event:
    """The person accepted `request_user_info`; two shapes of the address are in use."""
    info = mapping(given.body.get("info"))
    address = mapping(info.get("full_address"))
    parts = [address.get(key) for key in ("user_address", "user_ward", "user_city")]
    if not address:
        parts = [info.get(key) for key in ("address", "ward", "district", "city")]
    return ContactShared(
        given.address,
        given.at,
        phone=_phone(info.get("phone")),
        name=clean(info.get("name")),
        address_text=", ".join(part for part in map(clean, parts) if part),
        birthday=_iso_date(info.get("user_dob")),
    )


def _follow(given: _Read) -> Event:
    return Followed(given.address, given.at, source=clean(given.body.get("source")))


def _chatnow(given: _Read) -> Event:
    return Followed(given.address, given.at, source="chatnow")


def _unfollow(given: _Read) -> Event:
    return Unfollowed(given.address, given.at)


def _reaction(given: _Read) -> Event:
    icon = clean(given.message.get("react_icon"))
    shown = _EMOJI.get(icon, icon)
    return Reacted(
        given.address, given.at, message_id=_message_id(given), reaction=shown, added=icon not in ("", "/-remove")
    )


def _received(given: _Read) -> Event:
    """Reached the phone; a ZBS receipt carries its own, truer time."""
    at = moment(given.message.get("delivery_time"), given.now) if is_template_receipt(given.body) else None
    return MessageDelivered(
        given.address,
        at or given.at,
        message_ids=_message_ids(given),
        tracking_id=clean(given.message.get("tracking_id")),
    )


def _seen(given: _Read) -> Event:
    return MessageSeen(given.address, given.at, message_ids=_message_ids(given))


def _echo(given: _Read) -> Event:
    """A person of the brand is known only by `admin_id`; everything else was sent by a program."""
    text = clean(given.message.get("text"))
    media = attachments.media(given.message)
    admin_id = mapping(given.body.get("sender")).get("admin_id")
    if given.body.get(READ_BACK) is True:
        return BrandSpoke(given.address, given.at, _message_id(given), text, media)
    if admin_id:
        return StaffEcho(given.address, given.at, _message_id(given), text, media, staff_id=identifier(admin_id))
    return OwnEcho(given.address, given.at, _message_id(given), text, media)


def _withdrawn(given: _Read) -> Event:
    return ConsentWithdrawn(given.address, given.at, scope="all")


def _grant_lost(given: _Read) -> Event:
    return GrantLost(given.address, given.at, reason=given.name)


def _template(given: _Read) -> Event:
    """Its status, its quality or its quota; the last tells nothing but that there is news."""
    new_status = mapping(given.body.get("status")).get("new_status")
    return TemplateChanged(
        given.address,
        given.at,
        template_id=identifier(given.body.get("template_id")),
        status=templates.status_of(new_status) if new_status else None,
        quality=templates.quality_of(given.body.get("quality")),
        reason=clean(given.body.get("reason")),
    )


def _labelled(given: _Read) -> Event:
    """A label on people, or off them; `remove_tag` takes it off everyone."""
    told = mapping(given.body.get("tag"))
    people = tuple(filter(None, map(identifier, items(told.get("user_ids")))))
    label = clean(told.get("name"))
    if given.name != "remove_tag" and not people:
        return UnknownEvent(given.address, given.at, given.name, known=True)
    return Labelled(given.address, given.at, label, people, on=given.name == "add_user_to_tag")


def _daily_quota(given: _Read) -> Event:
    """How many templates the OA may send a day, which its quality moves."""
    told = quotas.number(mapping(given.body.get("quota")).get("new_value"))
    return AllowanceChanged(given.address, given.at, quotas.TEMPLATE_DAILY, told or 0)


def _in_group(given: _Read) -> Event:
    """A line in a group; a mention stands in its text as an id in brackets, which says nothing to people."""
    is_ours = given.name.startswith("oa_send_")
    return GroupSpoke(
        given.address,
        given.at,
        group_id=_party(given, "recipient"),
        author="" if is_ours else _party(given, "sender"),
        message_id=_message_id(given),
        reply_to=identifier(given.message.get("quote_msg_id")),
        text=" ".join(_MENTION.sub(" ", clean(given.message.get("text"))).split()),
        media=attachments.media(given.message),
    )


def _group_life(given: _Read) -> Event:
    people = (identifier(mapping(each).get("id")) for each in items(given.body.get("users")))
    return GroupChanged(
        given.address,
        given.at,
        group_id=identifier(given.body.get("group_id")),
        what=GROUP_LIFE[given.name],
        people=tuple(each for each in people if each),
    )


def _quiet(given: _Read) -> Event:
    """Genuine and known, with nothing for us to do."""
    details = {path: _at(given.body, path) for path in QUIET[given.name]}
    return UnknownEvent(
        given.address,
        given.at,
        given.name,
        known=True,
        details={path: value for path, value in details.items() if value},
    )


def _unknown(given: _Read) -> Event:
    return UnknownEvent(given.address, given.at, given.name)


_PARSERS: dict[str, Callable[[_Read], Event]] = {
    "user_send_text": _text,
    "user_send_image": _media,
    "user_send_gif": _media,
    "user_send_link": _media,
    "user_send_audio": _media,
    "user_send_video": _media,
    "user_send_sticker": _media,
    "user_send_file": _media,
    UNTOLD: _media,
    "user_send_business_card": _business_card,
    "user_send_location": _location,
    "user_submit_info": _submitted_info,
    "user_reacted_message": _reaction,
    "user_click_chatnow": _chatnow,
    "user_withdraw": _withdrawn,
    "follow": _follow,
    "unfollow": _unfollow,
    "user_received_message": _received,
    "user_seen_message": _seen,
    "oa_send_text": _echo,
    "oa_send_image": _echo,
    "oa_send_gif": _echo,
    "oa_send_list": _echo,
    "oa_send_file": _echo,
    "oa_send_sticker": _echo,
    "oa_send_template": _echo,
    "permission_revoked": _grant_lost,
    "change_template_status": _template,
    "change_template_quality": _template,
    "change_template_quota": _template,
    "change_oa_template_tags": _template,
    "change_oa_daily_quota": _daily_quota,
    "add_user_to_tag": _labelled,
    "remove_user_from_tag": _labelled,
    "remove_tag": _labelled,
    **dict.fromkeys(GROUP_LIFE, _group_life),
    **{f"{who}_send_group_{kind}": _in_group for who in ("user", "oa") for kind in IN_GROUPS},
    **dict.fromkeys(QUIET, _quiet),
}


def _party(given: _Read, side: str) -> str:
    return identifier(mapping(given.body.get(side)).get("id"))


def _message_id(given: _Read) -> str:
    return identifier(given.message.get("msg_id"))


def _message_ids(given: _Read) -> tuple[str, ...]:
    """`msg_ids` where there are many, `msg_id` where there is one."""
    ids = [*items(given.message.get("msg_ids")), given.message.get("msg_id")]
    return tuple(found for found in map(identifier, ids) if found)


def _phone(value: object) -> str:
    """As given; some answers hold a number instead of a string."""
    return clean(value) or identifier(value)


def _iso_date(value: object) -> str:
    """Zalo's dd/mm/yyyy as yyyy-mm-dd; "" for what is no date."""
    found = _DATE.fullmatch(clean(value).strip())
    try:
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat() if found else ""
    except ValueError:
        return ""


def _at(body: Json, path: str) -> str:
    """The scalar at a dotted path as short text."""
    value: object = body
    for key in path.split("."):
        value = mapping(value).get(key)
    return (clean(value) or identifier(value))[:200]
