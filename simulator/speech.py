"""What a person does on a channel, and the webhook that the platform makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator import messenger_events, zalo_bot, zalo_events
from simulator.chat import Button, Line
from simulator.media import Media
from simulator.people import ZALO, ZALO_BOT, Contact
from simulator.platform import Platform, new_mid, new_zalo_id
from simulator.webhooks_out import Delivery

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of an action; `delivery` is None when the platform tells the bot nothing of it."""

    message_id: str
    delivery: Delivery | None
    opened: str = ""


def new_id(contact: Contact) -> str:
    """A message id as the contact's channel writes it."""
    return new_zalo_id() if contact.channel in (ZALO, ZALO_BOT) else new_mid()


def touch(platform: Platform, contact: Contact) -> None:
    """The person interacted: windows open anew; the inbox loses a thread that was quiet for a day."""
    now = platform.now()
    last = contact.last_interaction
    if contact.inbox_owns and last is not None and (now - last).days >= 1:
        contact.inbox_owns = False
        platform.moved(contact)
    contact.last_message = contact.last_interaction = now


def _person_line(
    platform: Platform, contact: Contact, kind: str, text: str, media: str = "", reply_to: str = ""
) -> Line:
    platform.see(contact)
    touch(platform, contact)
    line = Line("person", platform.now(), new_id(contact), kind, text, media, reply_to=reply_to)
    platform.say(contact, line)
    return line


def _zalo(platform: Platform, contact: Contact, event: str, message: JSON) -> Delivery:
    body = zalo_events.from_person(platform.config, contact, event, message, platform.now())
    return platform.courier.send(contact.channel, contact.user_id, body)


def _messenger(platform: Platform, contact: Contact, key: str, value: JSON, field: str) -> Delivery | None:
    if not platform.page_wants(contact, field):
        return None
    body = messenger_events.from_person(platform.config, contact, key, value, platform.now())
    return platform.courier.send(contact.channel, contact.user_id, body)


def _to_bot(platform: Platform, contact: Contact, line: Line, kind: str, **content: str) -> Said:
    """A Zalo bot is told when it asks; nothing says there what was quoted."""
    platform.bot.tell(zalo_bot.update(contact, kind, line.message_id, line.at, **content))
    return Said(line.message_id, None)


def say_text(platform: Platform, contact: Contact, text: str, quote: str = "", quick_reply: str | None = None) -> Said:
    """A text; `quick_reply` is the payload when it came from a Messenger quick reply."""
    line = _person_line(platform, contact, "text", text, reply_to=quote)
    if contact.channel == ZALO_BOT:
        return _to_bot(platform, contact, line, "text", text=text)
    message: JSON
    if contact.channel == ZALO:
        message = {"text": text, "msg_id": line.message_id}
        if quote:
            message["quote_msg_id"] = quote
        return Said(line.message_id, _zalo(platform, contact, "user_send_text", message))
    message = {"mid": line.message_id, "text": text}
    if quick_reply is not None:
        message["quick_reply"] = {"payload": quick_reply}
    if quote:
        message["reply_to"] = {"mid": quote, "is_self_reply": False}
    return Said(line.message_id, _messenger(platform, contact, "message", message, "messages"))


def _say_unseen(platform: Platform, contact: Contact, payload: str) -> Said:
    """Zalo: a text that the OA hears and the chat does not show."""
    platform.see(contact)
    touch(platform, contact)
    message_id = new_id(contact)
    return Said(message_id, _zalo(platform, contact, "user_send_text", {"text": payload, "msg_id": message_id}))


def say_media(platform: Platform, contact: Contact, kind: str, url: str, media: Media | None = None) -> Said:
    """A picture, sound, video or file that lies at `url`."""
    line = _person_line(platform, contact, kind, media.name if media and kind == "file" else "", url)
    if contact.channel == ZALO_BOT:
        return _to_bot(platform, contact, line, kind, **{"voice_url" if kind == "audio" else "photo_url": url})
    payload: JSON = {"url": url}
    if contact.channel == ZALO:
        if kind in ("image", "gif"):
            payload["thumbnail"] = url
        elif kind == "video":
            payload |= {"thumbnail": url, "description": ""}
        elif kind == "file":
            name = media.name if media else url.rpartition("/")[2]
            payload |= {
                "size": str(len(media.content) if media else 0),
                "name": name,
                "checksum": media.checksum if media else "",
                "type": name.rpartition(".")[2].lower(),
            }
        message = {"msg_id": line.message_id, "attachments": [{"type": kind, "payload": payload}]}
        return Said(line.message_id, _zalo(platform, contact, f"user_send_{kind}", message))
    shown = "image" if kind == "gif" else kind
    message = {"mid": line.message_id, "attachments": [{"type": shown, "payload": payload}]}
    return Said(line.message_id, _messenger(platform, contact, "message", message, "messages"))


def say_sticker(platform: Platform, contact: Contact, sticker: str) -> Said:
    """A sticker by its id; on Messenger an empty one is the thumbs-up."""
    url = platform.media.static_url("sticker.svg")
    line = _person_line(platform, contact, "sticker", "", url)
    if contact.channel == ZALO_BOT:
        return _to_bot(platform, contact, line, "sticker", sticker=sticker or "1000", url=url)
    payload: JSON
    if contact.channel == ZALO:
        payload = {"url": url, "id": sticker or "1000"}
        message = {"msg_id": line.message_id, "attachments": [{"type": "sticker", "payload": payload}]}
        return Said(line.message_id, _zalo(platform, contact, "user_send_sticker", message))
    number = int(sticker) if sticker.isdigit() else messenger_events.THUMBS_UP
    payload = {"url": url, "sticker_id": number}
    message = {"mid": line.message_id, "attachments": [{"type": "sticker", "payload": payload}]}
    return Said(line.message_id, _messenger(platform, contact, "message", message, "messages"))


def say_location(platform: Platform, contact: Contact, latitude: float, longitude: float) -> Said:
    """A place; Messenger still delivers the old `location` attachment here although its button is gone."""
    line = _person_line(platform, contact, "location", f"{latitude}, {longitude}")
    if contact.channel == ZALO_BOT:
        return _to_bot(platform, contact, line, "location")
    payload: JSON
    if contact.channel == ZALO:
        payload = {"coordinates": {"latitude": str(latitude), "longitude": str(longitude)}}
        told = {"msg_id": line.message_id, "text": "", "attachments": [{"type": "location", "payload": payload}]}
        return Said(line.message_id, _zalo(platform, contact, "user_send_location", told))
    payload = {"coordinates": {"lat": latitude, "long": longitude}}
    told = {"mid": line.message_id, "attachments": [{"type": "location", "payload": payload}]}
    return Said(line.message_id, _messenger(platform, contact, "message", told, "messages"))


def share_phone(platform: Platform, contact: Contact) -> Said:
    """The person hands over their phone: Zalo's form, Messenger's quick reply."""
    person = contact.person
    if contact.channel == ZALO_BOT:
        raise ValueError("phone: a bot cannot be given one")
    if contact.channel != ZALO:
        number = "+" + person.phone_84
        return say_text(platform, contact, number, quick_reply=number)
    line = _person_line(platform, contact, "info", person.phone)
    address = {
        "user_city": "Thành phố Hồ Chí Minh",
        "user_ward": "Phường Bến Thành",
        "user_address": "12 Lê Lợi",
    }
    info = {
        "name": person.name,
        "phone": person.phone_84,
        "user_dob": "30/10/1999",
        "gender": "Nữ",
        "full_address": address,
    }
    contact.shared = {
        "name": person.name,
        "phone": person.phone_84,
        "user_dob": info["user_dob"],
        "address": address["user_address"],
        "city": address["user_city"],
        "district": "",
    }
    body = zalo_events.submitted_info(platform.config, contact, info, platform.now())
    return Said(line.message_id, platform.courier.send(ZALO, contact.user_id, body))


def press(platform: Platform, contact: Contact, wanted: str) -> Said:
    """A button by its title or payload; an unknown text is taken as a raw payload.

    A Zalo query button comes back as text, a Messenger button as postback. Links and calls tell the bot nothing. In a
    chat with a Zalo bot there are none, so the words are typed.
    Raises ValueError for a quick reply that another message has already removed.
    """
    if contact.channel == ZALO_BOT:
        return say_text(platform, contact, wanted)
    button = contact.find_button(wanted) or _menu_button(platform, contact, wanted)
    if button is None:
        vanished = {b.title for line in contact.answered() for b in line.buttons if b.kind == "quick_reply"}
        if wanted in vanished:
            raise ValueError(f"button: the quick reply {wanted!r} is gone, a newer message follows it")
        button = Button(wanted, "query" if contact.channel == ZALO else "postback", wanted)
    match button.kind:
        case "query":
            return say_text(platform, contact, button.payload)
        case "hidden_query":
            return _say_unseen(platform, contact, button.payload)
        case "quick_reply":
            return say_text(platform, contact, button.title, quick_reply=button.payload)
        case "share_phone" | "share_info":
            return share_phone(platform, contact)
        case "url" | "call":
            return Said("", None, button.payload)
    return postback(platform, contact, button.title, button.payload)


def _menu_button(platform: Platform, contact: Contact, wanted: str) -> Button | None:
    if contact.channel == ZALO:
        return None
    items = menu(platform)
    return next((item for item in items if wanted in (item.title, item.payload)), None)


def menu(platform: Platform) -> list[Button]:
    """What the Page's persistent menu and ice breakers offer."""
    profile = platform.page.profile
    items = []
    for entry in profile.get("persistent_menu") or []:
        for item in entry.get("call_to_actions") or []:
            kind = "postback" if item.get("type") == "postback" else "url"
            items.append(Button(item.get("title", ""), kind, item.get("payload") or item.get("url") or ""))
    for entry in profile.get("ice_breakers") or []:
        questions = entry.get("call_to_actions") or [entry]
        items += [Button(item.get("question", ""), "postback", item.get("payload", "")) for item in questions]
    return items


def postback(platform: Platform, contact: Contact, title: str, payload: str, referral: JSON | None = None) -> Said:
    """A Messenger button was pressed."""
    line = _person_line(platform, contact, "button", title)
    value: JSON = {"mid": line.message_id, "title": title, "payload": payload}
    if referral:
        value["referral"] = referral
    return Said(line.message_id, _messenger(platform, contact, "postback", value, "messaging_postbacks"))


def follow(platform: Platform, contact: Contact, ref: str = "") -> Said:
    """Zalo: the person follows the OA. Messenger: they press Get Started, with the `ref` of an m.me link."""
    now = platform.now()
    contact.following = True
    platform.moved(contact)
    if contact.channel == ZALO:
        contact.followed_at = contact.last_interaction = now
        body = zalo_events.following(platform.config, contact, "follow", now)
        return Said("", platform.courier.send(ZALO, contact.user_id, body))
    started = platform.page.profile.get("get_started") or {}
    referral = {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"} if ref else None
    return postback(platform, contact, "Bắt đầu", str(started.get("payload") or "GET_STARTED"), referral)


def unfollow(platform: Platform, contact: Contact) -> Said:
    """Zalo: the person unfollows. Messenger knows no such event: the Page is blocked, sends get error 551."""
    contact.following = False
    platform.moved(contact)
    if contact.channel != ZALO:
        contact.blocked = True
        return Said("", None)
    body = zalo_events.following(platform.config, contact, "unfollow", platform.now())
    return Said("", platform.courier.send(ZALO, contact.user_id, body))


def edit(platform: Platform, contact: Contact, message_id: str, text: str) -> Said:
    """Messenger: the person changes a text. Zalo tells nobody; raises ValueError there."""
    line = _own_line(contact, message_id)
    line.text, line.edits = text, line.edits + 1
    platform.changed(contact, line)
    value = {"mid": line.message_id, "text": text, "num_edit": line.edits}
    return Said(line.message_id, _messenger(platform, contact, "message_edit", value, "message_edits"))


def unsend(platform: Platform, contact: Contact, message_id: str) -> Said:
    """Messenger: the person takes a message back. Zalo tells nobody; raises ValueError there."""
    line = _own_line(contact, message_id)
    line.kind, line.text, line.media = "unsent", "", ""
    platform.changed(contact, line)
    value = {"mid": line.message_id, "is_deleted": True}
    return Said(line.message_id, _messenger(platform, contact, "message", value, "messages"))


def _own_line(contact: Contact, message_id: str) -> Line:
    if contact.channel == ZALO:
        raise ValueError("channel: Zalo has no such event")
    own = [line for line in reversed(contact.lines) if line.side == "person"]
    found = next((line for line in own if message_id in ("", line.message_id)), None)
    if found is None:
        raise ValueError("message_id: not a message of this person")
    return found


def react(platform: Platform, contact: Contact, message_id: str, icon: str) -> Said:
    """A reaction to a message of the brand, the last one if none is named; an empty icon takes it back."""
    lines = contact.answered(("bot", "staff"))
    line = next((line for line in lines if message_id in ("", line.message_id)), None)
    if line is None:
        raise ValueError("message_id: not a message of this chat")
    taken_back, before = not icon, line.reaction
    line.reaction = icon
    platform.changed(contact, line)
    if contact.channel == ZALO:
        message = {"msg_id": line.message_id, "react_icon": icon or "/-remove"}
        return Said(line.message_id, _zalo(platform, contact, "user_reacted_message", message))
    touch(platform, contact)
    name = (before if taken_back else icon) or "like"
    value = {
        "reaction": name if name in messenger_events.REACTIONS else "other",
        "emoji": messenger_events.REACTIONS.get(name, name),
        "action": "unreact" if taken_back else "react",
        "mid": line.message_id,
    }
    return Said(line.message_id, _messenger(platform, contact, "reaction", value, "message_reactions"))


def staff_says(platform: Platform, contact: Contact, text: str) -> Said:
    """A human answers in the platform's own tool; the bot hears of it as an echo."""
    now = platform.now()
    line = Line("staff", now, new_id(contact), "text", text)
    platform.say(contact, line)
    if contact.channel == ZALO:
        message = {"text": text, "msg_id": line.message_id}
        admin = zalo_events.STAFF_ADMIN_ID
        body = zalo_events.from_oa(platform.config, contact, "oa_send_text", message, now, admin)
        return Said(line.message_id, platform.courier.send(ZALO, contact.user_id, body))
    if platform.config.inbox_takes_threads and not contact.inbox_owns:
        give_thread(platform, contact, to_inbox=True)
    if not platform.page_wants(contact, "message_echoes"):
        return Said(line.message_id, None)
    message = {"mid": line.message_id, "text": text}
    body = messenger_events.echo(platform.config, contact, message, messenger_events.INBOX_APP_ID, now)
    return Said(line.message_id, platform.courier.send(contact.channel, contact.user_id, body))


def give_thread(platform: Platform, contact: Contact, *, to_inbox: bool) -> Said:
    """The Page inbox takes a Messenger thread, or hands it back to the bot's app."""
    contact.inbox_owns = to_inbox
    platform.moved(contact)
    app, inbox = platform.config.messenger_app_id, messenger_events.INBOX_APP_ID
    if to_inbox:
        key, value = "take_thread_control", {"previous_owner_app_id": app, "new_owner_app_id": inbox, "metadata": ""}
    else:
        key, value = "pass_thread_control", {"previous_owner_app_id": inbox, "new_owner_app_id": app, "metadata": ""}
    return Said("", _messenger(platform, contact, key, value, "messaging_handovers"))
