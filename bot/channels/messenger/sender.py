"""A message as Messenger can show it: degraded and split into single calls, then written as the Send API's JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bot.channels import wire
from bot.channels.base import Outgoing, SendError, SendErrorKind, Words
from bot.channels.messenger import files, receipts, templates
from bot.channels.messenger.fit import chop, cut, units
from bot.channels.messenger.rules import HUMAN_AGENT, STANDARD, UTILITY
from bot.channels.text import clean
from crm.messages import KEPT, Button, ButtonKind, Card, Message

TEXT = 1999
TEMPLATE_TEXT = 640
TEMPLATE_BUTTONS = 3
QUICK_REPLIES = 13
TITLE = 20
PAYLOAD = 1000
CARDS = 10
CARD_TITLE = 80
METADATA = 999
REACTION = 16

_POINTER = "👇"
"""Stands where buttons came without words: Messenger shows no button alone."""
_FILLER = "·"
"""Stands where a card has no title, or nothing but a title: Messenger refuses both."""
_ON_TEMPLATE = (ButtonKind.URL, ButtonKind.PHONE)
_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")
_TYPES = {
    STANDARD: {"messaging_type": "RESPONSE"},
    UTILITY: {"messaging_type": "UTILITY"},
    HUMAN_AGENT: {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
}
"""What each lane writes. There is no other tag: the three old ones fail since 2026-04-27."""
_NO_SUCH_LANE = Words(
    "Messenger has no such lane: please report it to the makers of this program.",
    "Messenger không có luồng gửi này; đây là lỗi của phần mềm, hãy báo cho nhóm phát triển.",
)


# --- degrading ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def split(message: Message) -> tuple[Message, ...]:
    """The message as parts of one call each: sticker, picture, words, file, cards; quick replies hang on the last one.

    What finds no room (a fourth link, a fourteenth reply, a number that cannot be dialled) becomes a line of text. A
    picture that we keep carries links itself where there are no words. A receipt is shown instead of the words.
    """
    if message.template:
        return (message,)
    if message.reaction:
        is_whole = message.reply_to and len(message.reaction) <= REACTION
        return (Message(reaction=message.reaction, reply_to=message.reply_to),) if is_whole else ()
    return tuple(part._replace(speaker=message.speaker) for part in _parts(message))


def _parts(message: Message) -> list[Message]:
    shares = [button for card in message.cards for button in card.buttons if button.kind is ButtonKind.SHARE_PHONE]
    quick, template, lines = _sorted((*message.buttons, *shares))
    cards, more = _fitting(message.cards)
    words = clean(message.text).strip()
    parts = [Message(sticker=message.sticker)] if message.sticker.isdecimal() else []
    if message.receipt and not template:
        parts.append(Message(text=words, receipt=message.receipt))
        words = ""
    elif message.receipt:
        parts.append(Message(receipt=message.receipt))
    text = "\n".join(part for part in (words, *lines, *more) if part)
    if message.picture.startswith(KEPT) and template and not text:
        parts.append(Message(picture=message.picture, buttons=template))
        template = ()
    elif message.picture:
        parts.append(Message(picture=message.picture))
    parts += _worded(text, template)
    parts += [Message(file=message.file)] if message.file else []
    parts += [Message(cards=cards[start : start + CARDS]) for start in range(0, len(cards), CARDS)]
    if quick and (not parts or parts[-1].sticker):
        parts.append(Message(text=_POINTER))
    if not parts:
        return []
    parts[-1] = parts[-1]._replace(buttons=parts[-1].buttons + quick)
    parts[0] = parts[0]._replace(reply_to=message.reply_to)
    return parts


def _sorted(buttons: Iterable[Button]) -> tuple[tuple[Button, ...], tuple[Button, ...], list[str]]:
    """Quick replies, template buttons, and a line for each button that is neither."""
    quick: list[Button] = []
    template: list[Button] = []
    lines: list[str] = []
    for button in buttons:
        asks_again = button.kind is ButtonKind.SHARE_PHONE and any(other.kind is button.kind for other in quick)
        if asks_again:
            continue
        side, room = (template, TEMPLATE_BUTTONS) if button.kind in _ON_TEMPLATE else (quick, QUICK_REPLIES)
        if len(side) < room and _shown(button):
            side.append(button)
        elif line := _line(button):
            lines.append(line)
    return tuple(quick), tuple(template), lines


def _fitting(cards: Iterable[Card]) -> tuple[tuple[Card, ...], list[str]]:
    """The cards with the buttons they can carry, and a line for each button that they cannot."""
    kept: list[Card] = []
    lines: list[str] = []
    for card in cards:
        buttons = [button for button in card.buttons if button.kind is not ButtonKind.SHARE_PHONE]
        carried = [button for button in buttons if _shown(button)][:TEMPLATE_BUTTONS]
        left = (_line(button) for button in buttons if button not in carried)
        lines += [f"{cut(card.title, CARD_TITLE)} {line}".strip() for line in left if line]
        kept.append(replace(card, buttons=tuple(carried)))
    return tuple(card for card in kept if _text_of(card.title, card.subtitle, card.image_url) or card.buttons), lines


def _worded(text: str, template: tuple[Button, ...]) -> list[Message]:
    parts = list(chop(text, TEXT))
    if not template:
        return [Message(text=part) for part in parts]
    last = parts.pop() if parts else _POINTER
    tail = chop(last, TEMPLATE_TEXT)
    return [*(Message(text=part) for part in (*parts, *tail[:-1])), Message(text=tail[-1], buttons=template)]


def _shown(button: Button) -> bool:
    """Whether Messenger can show this button with this value."""
    match button.kind:
        case ButtonKind.SHARE_PHONE:
            return True
        case ButtonKind.URL:
            return bool(_link(button.value))
        case ButtonKind.PHONE:
            return bool(_dial(button.value))
    return bool(_text_of(button.title, button.value)) and units(_payload(button)) <= PAYLOAD


def _line(button: Button) -> str:
    value = clean(button.value).strip() if button.kind in _ON_TEMPLATE else ""
    words = ": ".join(part for part in (clean(button.title).strip(), value) if part)
    return f"• {words}" if words else ""


def _text_of(*texts: str) -> str:
    return next((clean(text).strip() for text in texts if clean(text).strip()), "")


def _link(value: str) -> str:
    """The address, with its spaces escaped; "" for what is no web address."""
    link = clean(value).strip().replace(" ", "%20")
    return link if re.match(r"https?://[^\s/]", link) else ""


def _dial(value: str) -> str:
    """The number with its country's code, which a call button needs; "" for a short or unclear one."""
    number = re.sub(r"[ .()-]", "", clean(value))
    number = re.sub(r"^00", "+", number)
    number = re.sub(r"^0(?=[1-9])", "+84", number)
    number = re.sub(r"^84(?=[0-9]{9,10}$)", "+84", number)
    return number if _NUMBER.fullmatch(number) else ""


# --- writing -----------------------------------------------------------------------------------------------------


def encode(outgoing: Outgoing) -> bytes:
    """The body of the one call that says a part."""
    return wire.written(payload(outgoing))


def payload(outgoing: Outgoing) -> dict[str, Any]:
    """The Send API's JSON for one part that `split` gave. SendError for a lane that Messenger does not have."""
    kind = _TYPES.get(outgoing.lane)
    if kind is None:
        raise SendError(SendErrorKind.PERMANENT, "lane", _NO_SUCH_LANE, detail=outgoing.lane)
    part, recipient = outgoing.message, {"id": outgoing.to.user_id}
    if part.reaction:
        target = {"message_id": part.reply_to, "reaction": part.reaction}
        return {"recipient": recipient, "sender_action": "react", "payload": target}
    message = _content(part)
    if outgoing.metadata:
        message["metadata"] = outgoing.metadata[:METADATA]
    body: dict[str, Any] = {"recipient": recipient, **kind, "message": message}
    if part.reply_to:
        body["reply_to"] = {"mid": part.reply_to}
    if outgoing.persona:
        body["persona_id"] = outgoing.persona
    return body


def on_comment(comment_id: str, words: str, metadata: str) -> bytes:
    """The body of the one call that answers a public comment privately (Messenger, "Private Replies")."""
    message = {"text": chop(words, TEXT)[0], "metadata": metadata}
    return wire.written({"recipient": {"comment_id": comment_id}, "message": message})


def _content(part: Message) -> dict[str, Any]:
    if part.template:
        return {"template": templates.content(part.template)}
    if not part.buttons:
        return _shown_as(part)
    quick = [_quick_reply(button) for button in part.buttons if button.kind not in _ON_TEMPLATE]
    return {**_shown_as(part), "quick_replies": quick} if quick else _shown_as(part)


def _shown_as(part: Message) -> dict[str, Any]:
    template = [_button(button) for button in part.buttons if button.kind in _ON_TEMPLATE]
    if part.receipt:
        return _template(receipts.template(part.receipt))
    if part.picture and template:
        return _template({"template_type": "media", "elements": [files.held(part.picture) | {"buttons": template}]})
    if part.picture or part.file:
        place = part.picture or part.file
        return {"attachment": files.shown(_link(place) or place, "image" if part.picture else "file")}
    if part.sticker:
        return {"sticker_id": int(part.sticker)}
    if part.cards:
        return _template({"template_type": "generic", "elements": [_element(card) for card in part.cards]})
    if template:
        return _template({"template_type": "button", "text": part.text, "buttons": template})
    return {"text": part.text}


def _template(content: dict[str, Any]) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": content}}


def _element(card: Card) -> dict[str, Any]:
    element: dict[str, Any] = {"title": cut(card.title, CARD_TITLE) or _FILLER}
    if subtitle := cut(card.subtitle, CARD_TITLE):
        element["subtitle"] = subtitle
    if image := _link(card.image_url):
        element["image_url"] = image
    if address := _link(card.url):
        element["default_action"] = {"type": "web_url", "url": address}
    if card.buttons:
        element["buttons"] = [_button(button) for button in card.buttons]
    if len(element) == 1:
        element["subtitle"] = _FILLER
    return element


def _button(button: Button) -> dict[str, str]:
    match button.kind:
        case ButtonKind.URL:
            return {"type": "web_url", "url": _link(button.value), "title": _title(button)}
        case ButtonKind.PHONE:
            return {"type": "phone_number", "title": _title(button), "payload": _dial(button.value)}
    return {"type": "postback", "title": _title(button), "payload": _payload(button)}


def _quick_reply(button: Button) -> dict[str, str]:
    if button.kind is ButtonKind.SHARE_PHONE:
        return {"content_type": "user_phone_number"}
    return {"content_type": "text", "title": _title(button), "payload": _payload(button)}


def _payload(button: Button) -> str:
    return button.value or button.title


def _title(button: Button) -> str:
    return cut(_text_of(button.title, button.value), TITLE)
