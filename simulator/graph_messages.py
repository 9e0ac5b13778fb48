"""What Messenger accepts as a message: kinds, limits, and how each one looks to the person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from simulator.chat import Button
from simulator.graph_wire import bad_param

JSON = dict[str, Any]
TEXT_BELOW = 2000
METADATA_BELOW = 1000
QUICK_REPLIES = 13
TITLE = 20
PAYLOAD = 1000
BUTTON_TEXT = 640
CARD_TEXT = 80
ELEMENTS = 10
MEDIA = ("image", "audio", "video", "file")
PASSED_ON = ("product", "customer_feedback", "customer_information", "instant_form", "one_time_notif_req")


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that Messenger accepts: how it looks, and the attachments that its echo repeats."""

    kind: str
    text: str = ""
    media: str = ""
    buttons: tuple[Button, ...] = ()
    cards: tuple[JSON, ...] = ()
    attachments: tuple[JSON, ...] = ()


def read_message(message: Any, media_url: Callable[[JSON], str]) -> Shown:
    """The message, checked by the Send API's rules; raises GraphError.

    `media_url` turns the payload of a media attachment into an address, or raises GraphError.
    """
    if not isinstance(message, dict):
        raise bad_param("Param message must be a JSON object")
    if len(str(message.get("metadata") or "")) >= METADATA_BELOW:
        raise bad_param("Length of param message[metadata] must be less than 1000")
    shown = _body(message, media_url)
    replies = message.get("quick_replies")
    if replies is None:
        return shown
    return Shown(shown.kind, shown.text, shown.media, _quick_replies(replies), shown.cards, shown.attachments)


def _body(message: JSON, media_url: Callable[[JSON], str]) -> Shown:
    text, attachment = message.get("text"), message.get("attachment")
    if "sticker_id" in message:
        return Shown("sticker", media="sticker", attachments=(_sticker(message["sticker_id"]),))
    if (text is None) == (attachment is None):
        raise bad_param("Param message needs either text or attachment")
    if attachment is None:
        if not isinstance(text, str) or not text.strip():
            raise bad_param("Param message[text] must be a non-empty string")
        if len(text) >= TEXT_BELOW:
            raise bad_param("Length of param message[text] must be less than or equal to 2000")
        return Shown("text", text)
    if not isinstance(attachment, dict):
        raise bad_param("Param message[attachment] must be a JSON object")
    payload = attachment.get("payload")
    if not isinstance(payload, dict):
        payload = {}
    kind = attachment.get("type")
    if kind in MEDIA:
        url = media_url(payload)
        return Shown(kind, media=url, attachments=({"type": kind, "payload": {"url": url}},))
    if kind != "template":
        raise bad_param("Param message[attachment][type] must be one of {AUDIO, FILE, IMAGE, TEMPLATE, VIDEO}")
    return _template(payload, media_url)


def _sticker(sticker_id: Any) -> JSON:
    if not str(sticker_id).isdigit():
        raise bad_param("Param message[sticker_id] must be a number")
    return {"type": "sticker", "payload": {"url": "", "sticker_id": int(sticker_id)}}


def _text(source: JSON, key: str, limit: int, *, needed: bool = True) -> str:
    value = source.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value):
        raise bad_param(f"The parameter {key} is required")
    if len(value) > limit:
        raise bad_param(f"Length of param {key} must be less than or equal to {limit}")
    return value


def _list(source: JSON, key: str, most: int, least: int = 1) -> list[JSON]:
    items = source.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_param(f"Param {key} must be an array of objects")
    if not least <= len(items) <= most:
        raise bad_param(f"Param {key} must have between {least} and {most} elements")
    return items


def _quick_replies(replies: Any) -> tuple[Button, ...]:
    shown = []
    for reply in _list({"quick_replies": replies}, "quick_replies", QUICK_REPLIES):
        match reply.get("content_type"):
            case "text":
                payload = _text(reply, "payload", PAYLOAD, needed=False)
                shown.append(Button(_text(reply, "title", TITLE), "quick_reply", payload))
            case "user_phone_number":
                shown.append(Button("Gửi số điện thoại", "share_phone", "user_phone_number"))
            case "user_email":
                shown.append(Button("Gửi email", "quick_reply", "user_email"))
            case _:
                raise bad_param("Param content_type must be one of {TEXT, USER_PHONE_NUMBER, USER_EMAIL}")
    return tuple(shown)


def _template(payload: JSON, media_url: Callable[[JSON], str]) -> Shown:
    kind = payload.get("template_type")
    echo = ({"type": "template", "payload": payload},)
    match kind:
        case "button":
            text = _text(payload, "text", BUTTON_TEXT)
            return Shown("buttons", text, buttons=read_buttons(payload), attachments=echo)
        case "generic":
            elements = _list(payload, "elements", ELEMENTS)
            buttons = [read_buttons(element, least=0) for element in elements]
            cards = tuple(_generic(element, own) for element, own in zip(elements, buttons, strict=True))
            return Shown("cards", buttons=tuple(chain(*buttons)), cards=cards, attachments=echo)
        case "media":
            return _media(_list(payload, "elements", 1)[0], media_url, echo)
        case "receipt":
            return _receipt(payload, echo)
        case "coupon":
            title = _text(payload, "title", CARD_TEXT)
            if not payload.get("coupon_code") and not payload.get("coupon_url"):
                raise bad_param("Either coupon_code or coupon_url is required")
            return Shown("coupon", f"{title}: {payload.get('coupon_code', '')}", attachments=echo)
        case "image_grid":
            element = _list(payload, "elements", 1)[0]
            return Shown(
                "image_grid",
                _text(element, "title", 45, needed=False),
                buttons=read_buttons(element, least=0),
                attachments=echo,
            )
    if kind in PASSED_ON:
        return Shown(str(kind), str(payload.get("title", "")), attachments=echo)
    raise bad_param("Param template_type is not a supported template")


def _media(element: JSON, media_url: Callable[[JSON], str], echo: tuple[JSON, ...]) -> Shown:
    """A picture or video that Facebook holds already, with buttons."""
    if element.get("media_type") not in ("image", "video"):
        raise bad_param("Param media_type must be one of {IMAGE, VIDEO}", 2018175)
    if ("attachment_id" in element) == ("url" in element):
        raise bad_param("Exactly one of attachment_id and url is required", 2018182)
    host = urlsplit(str(element.get("url") or "")).hostname or ""
    if "url" in element and not host.endswith("facebook.com"):
        raise bad_param("The url of a media template must be one of Facebook's own", 2018187)
    return Shown("media", media=media_url(element), buttons=read_buttons(element, least=0), attachments=echo)


def _generic(element: JSON, buttons: tuple[Button, ...]) -> JSON:
    card: JSON = {
        "title": _text(element, "title", CARD_TEXT),
        "subtitle": _text(element, "subtitle", CARD_TEXT, needed=False),
        "image": str(element.get("image_url") or ""),
        "buttons": [asdict(button) for button in buttons],
    }
    if not any(element.get(key) for key in ("subtitle", "image_url", "default_action", "buttons")):
        raise bad_param("An element needs at least one other property beside title")
    action = element.get("default_action")
    if action is not None:
        if not isinstance(action, dict) or action.get("type") != "web_url" or "title" in action:
            raise bad_param("Param default_action must be a web_url button without title")
        card["url"] = _url(action)
    return card


def _receipt(payload: JSON, echo: tuple[JSON, ...]) -> Shown:
    for key in ("recipient_name", "order_number", "currency", "payment_method"):
        _text(payload, key, PAYLOAD)
    summary = payload.get("summary")
    if not isinstance(summary, dict) or "total_cost" not in summary:
        raise bad_param("The parameter summary[total_cost] is required")
    if payload.get("elements"):
        _list(payload, "elements", 100)
    return Shown("receipt", f"#{payload['order_number']}: {summary['total_cost']}", attachments=echo)


def _url(source: JSON) -> str:
    url = source.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise bad_param("Button of type web_url needs a url")
    return url


def read_buttons(source: JSON, *, least: int = 1) -> tuple[Button, ...]:
    """Up to three buttons; raises GraphError when one breaks its type's rules."""
    if "buttons" not in source and least == 0:
        return ()
    return tuple(_button(button) for button in _list(source, "buttons", 3, least))


def _button(button: JSON) -> Button:
    match button.get("type"):
        case "web_url":
            return Button(_text(button, "title", TITLE), "url", _url(button))
        case "postback":
            return Button(_text(button, "title", TITLE), "postback", _text(button, "payload", PAYLOAD))
        case "phone_number":
            return Button(_text(button, "title", TITLE), "call", _text(button, "payload", PAYLOAD))
        case "account_link" | "account_unlink" | "game_play" | "audio_call":
            return Button(str(button.get("title") or button["type"]), "url", str(button.get("url") or ""))
    raise bad_param("Param type of a button is not supported")
