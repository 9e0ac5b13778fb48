"""What Zalo accepts as a consultation message, and what it says when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.chat import Button
from simulator.media import Media, MediaShelf

JSON = dict[str, Any]
TEXT_LIMIT = 2000
BUTTON_LIMIT = 5
TITLE_LIMIT = 100
SUBTITLE_LIMIT = 500
PAYLOAD_LIMIT = 1000
ELEMENT_LIMIT = 5
BUTTON_KINDS = {
    "oa.query.show": "query",
    "oa.query.hide": "hidden_query",
    "oa.open.url": "url",
    "oa.open.phone": "call",
    "oa.open.sms": "call",
}


class ZaloError(Exception):
    """A refusal with Zalo's code (docs: phu-luc/ma-loi)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that Zalo accepts: how it looks, and how its echo calls it."""

    kind: str
    event: str
    text: str = ""
    media: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[JSON, ...] = ()
    attachments: tuple[JSON, ...] = ()


def invalid(what: str) -> ZaloError:
    """Error -201, naming the field."""
    return ZaloError(-201, f"Parameter is invalid: {what}")


def too_long(what: str, limit: int) -> ZaloError:
    """Error -210, naming the field and its limit."""
    return ZaloError(-210, f"Parameter exceeds the limit: {what}, maximum {limit}")


def read_message(message: Any, shelf: MediaShelf, now: datetime) -> Outgoing:
    """The message, checked by the rules of `message/cs`; raises ZaloError.

    Text is counted in characters as received; 2,000 are allowed.
    """
    if not isinstance(message, dict):
        raise invalid("message")
    text = _string(message, "text", "message.text", TEXT_LIMIT)
    attachment = message.get("attachment")
    if attachment is None:
        if not text:
            raise invalid("message.text")
        return Outgoing("text", "oa_send_text", text)
    if not isinstance(attachment, dict) or not isinstance(attachment.get("payload"), dict):
        raise invalid("message.attachment")
    payload: JSON = attachment["payload"]
    if attachment.get("type") == "file":
        return _file(payload, shelf, now)
    if attachment.get("type") != "template":
        raise ZaloError(-233, "Message type is invalid: message.attachment.type")
    match payload.get("template_type"):
        case "media":
            return _media(text, payload, shelf, now)
        case "request_user_info":
            return _request_info(payload)
        case "list":
            return _list(text, payload)
        case None:
            return _with_buttons(text, payload)
    raise ZaloError(-233, "Message type is invalid: template_type")


def _string(source: JSON, key: str, what: str, limit: int) -> str:
    value = source.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(what)
    if len(value) > limit:
        raise too_long(what, limit)
    return value


def _http(url: Any, what: str) -> str:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise invalid(what)
    return url


def asset(media_id: Any, what: str, shelf: MediaShelf, now: datetime) -> Media:
    """An uploaded medium by its id; -201 if unknown, -100 once its 7 days are over."""
    found = shelf.get(media_id) if isinstance(media_id, str) else None
    if found is None:
        raise invalid(what)
    if found.expires is not None and now >= found.expires:
        raise ZaloError(-100, f"{what} has expired")
    return found


def _file(payload: JSON, shelf: MediaShelf, now: datetime) -> Outgoing:
    file = asset(payload.get("token"), "message.attachment.payload.token", shelf, now)
    told = {
        "url": shelf.url(file),
        "size": str(len(file.content)),
        "name": file.name,
        "checksum": file.checksum,
        "type": file.name.rpartition(".")[2].lower(),
    }
    return Outgoing("file", "oa_send_file", file.name, told["url"], attachments=({"type": "file", "payload": told},))


def _only_element(payload: JSON) -> JSON:
    elements = payload.get("elements")
    if not isinstance(elements, list) or len(elements) != 1 or not isinstance(elements[0], dict):
        raise invalid("message.attachment.payload.elements")
    return elements[0]


def _media(text: str, payload: JSON, shelf: MediaShelf, now: datetime) -> Outgoing:
    element = _only_element(payload)
    kind = element.get("media_type")
    if kind not in ("image", "gif", "sticker"):
        raise invalid("media_type")
    if kind == "sticker":
        sticker = element.get("attachment_id")
        if not isinstance(sticker, str) or not sticker:
            raise invalid("attachment_id")
        told = {"url": shelf.static_url("sticker.svg"), "id": sticker}
        return Outgoing(
            "sticker", "oa_send_sticker", text, told["url"], attachments=({"type": "sticker", "payload": told},)
        )
    if ("url" in element) == ("attachment_id" in element):
        raise invalid("elements[0]: either url or attachment_id")
    if "url" in element:
        url = _http(element["url"], "elements[0].url")
    else:
        url = shelf.url(asset(element["attachment_id"], "attachment_id", shelf, now))
    if kind == "gif" and not all(isinstance(element.get(side), int) for side in ("width", "height")):
        raise invalid("elements[0]: width and height of a gif")
    told = {"thumbnail": url, "url": url}
    return Outgoing(kind, f"oa_send_{kind}", text, url, attachments=({"type": kind, "payload": told},))


def _request_info(payload: JSON) -> Outgoing:
    element = _only_element(payload)
    title = _string(element, "title", "elements[0].title", TITLE_LIMIT)
    subtitle = _string(element, "subtitle", "elements[0].subtitle", SUBTITLE_LIMIT)
    picture = _http(element.get("image_url"), "elements[0].image_url")
    if not title or not subtitle:
        raise invalid("elements[0]: title and subtitle")
    card = {"title": title, "subtitle": subtitle, "image": picture}
    share = Button("Chia sẻ thông tin", "share_info", "share_info")
    return Outgoing(
        "request_user_info",
        "oa_send_template",
        buttons=(share,),
        cards=(card,),
        attachments=(_template_echo(title),),
    )


def _list(text: str, payload: JSON) -> Outgoing:
    elements = payload.get("elements")
    if not isinstance(elements, list) or not elements:
        raise invalid("message.attachment.payload.elements")
    if len(elements) > ELEMENT_LIMIT:
        raise too_long("elements", ELEMENT_LIMIT)
    cards = tuple(_list_card(element) for element in elements)
    buttons = read_buttons(payload.get("buttons", []))
    title = text or str(cards[0]["title"])
    return Outgoing("list", "oa_send_list", text, buttons=buttons, cards=cards, attachments=(_template_echo(title),))


def _list_card(element: Any) -> JSON:
    if not isinstance(element, dict):
        raise invalid("elements")
    title = _string(element, "title", "elements.title", TITLE_LIMIT)
    if not title:
        raise invalid("elements.title")
    card = {
        "title": title,
        "subtitle": _string(element, "subtitle", "elements.subtitle", SUBTITLE_LIMIT),
        "image": str(element.get("image_url") or ""),
    }
    action = element.get("default_action")
    if action is not None:
        if not isinstance(action, dict) or action.get("type") not in BUTTON_KINDS:
            raise invalid("elements.default_action")
        card["url"] = str(action.get("url") or "")
    return card


def _with_buttons(text: str, payload: JSON) -> Outgoing:
    buttons = read_buttons(payload.get("buttons"))
    if not buttons:
        raise invalid("message.attachment.payload.buttons")
    if not text:
        raise invalid("message.text")
    return Outgoing("buttons", "oa_send_text", text, buttons=buttons)


def read_buttons(buttons: Any) -> tuple[Button, ...]:
    """At most five buttons, each of a known type with the payload that its type wants; raises ZaloError."""
    if not isinstance(buttons, list):
        raise invalid("buttons")
    if len(buttons) > BUTTON_LIMIT:
        raise too_long("buttons", BUTTON_LIMIT)
    return tuple(_button(button) for button in buttons)


def _button(button: Any) -> Button:
    if not isinstance(button, dict):
        raise invalid("buttons")
    title = _string(button, "title", "buttons.title", TITLE_LIMIT)
    kind = button.get("type")
    if not title or kind not in BUTTON_KINDS:
        raise invalid("buttons.title" if not title else "buttons.type")
    payload = button.get("payload")
    match BUTTON_KINDS[kind]:
        case "query" | "hidden_query" as way:
            if not isinstance(payload, str) or not payload:
                raise invalid("buttons.payload")
            return Button(title, way, _string(button, "payload", "buttons.payload", PAYLOAD_LIMIT))
        case "url":
            url = payload.get("url") if isinstance(payload, dict) else None
            return Button(title, "url", _http(url, "buttons.payload.url"))
    number = payload.get("phone_code") if isinstance(payload, dict) else None
    if not isinstance(number, str) or not number:
        raise invalid("buttons.payload.phone_code")
    return Button(title, "call", number)


def _template_echo(text: str) -> JSON:
    return {"type": "template", "payload": {"zinstant_id": "z-1", "text": text, "link_url": "", "checksum": ""}}
