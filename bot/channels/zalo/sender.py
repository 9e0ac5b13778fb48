"""Our messages as Zalo can show them: cut, degraded, and written as its JSON. Pure.

https://docs.zaloplatforms.com/docs/OA/tin-nhan/tin-tu-van/gui-tin-tu-van-dang-van-ban and its sisters
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bot.channels.text import clean, pieces, shortened
from crm.messages import Button, ButtonKind, Card, Message

TEXT_LIMIT = 2000
BUTTONS_LIMIT = 5
BUTTON_TITLE_LIMIT = 100
BUTTON_PAYLOAD_LIMIT = 1000
TITLE_LIMIT = 100
SUBTITLE_LIMIT = 500
LIST_LIMIT = 5
BANNER = "https://developers.zalo.me/web/static/zalo.png"
"""The picture above a request for details, which must have one: Zalo's own, until the shop names another."""

REACTIONS = {
    "👍": "/-strong",
    "❤️": "/-heart",
    "❤": "/-heart",
    "😆": ":>",
    "😢": "--b",
    "😭": ":-((",
    "😠": "-h",
    "😮": ":o",
}
"""The reactions that an OA may give, as Zalo writes them."""

_NOT_DIGITS = re.compile(r"[^0-9]")
_WEB = ("https://", "http://")

Json = dict[str, Any]


@lru_cache(maxsize=1024)
def split(message: Message, *, lists: bool = False) -> tuple[Message, ...]:
    """The same message as messages of one call each, in order; none where there is nothing to say.

    Buttons stand under the last text; those that cannot be shown become lines of it. A picture takes a caption or
    stands alone before. Cards become numbered text; with `lists` they go out as a list template, which Zalo's
    documents of the present API do not mention. A request for the phone number comes last.
    """
    if message.template:
        return (message,)
    if message.reaction:
        is_whole = message.reply_to and message.reaction in REACTIONS
        return (Message(reaction=message.reaction, reply_to=message.reply_to),) if is_whole else ()
    message = _cleaned(message)
    titled = [button for button in message.buttons if button.title]
    asking = [button for button in titled if button.kind is ButtonKind.SHARE_PHONE]
    buttons = [button for button in titled if button.kind is not ButtonKind.SHARE_PHONE]
    cards = message.cards if lists and _fits_list(message.cards) else ()
    lines = [message.text]
    if not cards:
        lines += _cards_as_lines(message.cards)
        buttons += _buttons_of_cards(message.cards)
    shown, hidden = _sorted_out(buttons)
    lines += [_as_line(number, button) for number, button in enumerate(hidden, len(shown) + 1)]
    files = [] if message.file.startswith(_WEB) else [file for file in [message.file] if file]
    if message.file and not files:
        lines.append(message.file)
    text = "\n".join(line for line in lines if line)
    parts = _parts(text, () if cards else shown, message.picture)
    if cards:
        parts.append(Message(cards=cards, buttons=shown))
    if asking:
        _add_request(parts, asking[0])
    parts += [Message(file=file) for file in files]
    if message.sticker:
        parts.insert(0, Message(sticker=message.sticker))
    if parts and message.reply_to:
        parts[0] = parts[0]._replace(reply_to=message.reply_to)
    return tuple(parts)


def payload(user_id: str, message: Message, *, banner: str = BANNER) -> Json:
    """The body of one `message/cs` call for a message that `split` gave.

    Only plain text can quote: elsewhere `reply_to` is let go. `banner` is the picture above a request for details.
    """
    return {"recipient": {"user_id": user_id}, "message": _content(message, banner)}


def reaction(user_id: str, message: Message) -> Json:
    """The body of one reaction on the message `reply_to`."""
    action = {"react_icon": REACTIONS[message.reaction], "react_message_id": message.reply_to}
    return {"recipient": {"user_id": user_id}, "sender_action": action}


def _cleaned(message: Message) -> Message:
    return Message(
        text=clean(message.text).strip(),
        buttons=tuple(_clean_button(button) for button in message.buttons),
        cards=tuple(
            Card(
                title=clean(card.title).strip(),
                subtitle=clean(card.subtitle).strip(),
                image_url=clean(card.image_url).strip(),
                url=clean(card.url).strip(),
                buttons=tuple(_clean_button(button) for button in card.buttons),
            )
            for card in message.cards
        ),
        picture=clean(message.picture).strip(),
        file=clean(message.file).strip(),
        sticker=clean(message.sticker).strip(),
        reply_to=clean(message.reply_to).strip(),
    )


def _clean_button(button: Button) -> Button:
    value = clean(button.value)
    title = clean(button.title).strip() or value.strip()
    return Button(title, value or title, button.kind)


def _parts(text: str, buttons: tuple[Button, ...], picture: str) -> list[Message]:
    texts = pieces(text, TEXT_LIMIT)
    if buttons and not texts:
        texts = ("\n".join(f"{number}. {_title(button)}" for number, button in enumerate(buttons, 1)),)
    if picture and not buttons and len(texts) <= 1:
        return [Message(text="".join(texts), picture=picture)]
    parts = [Message(picture=picture)] if picture else []
    parts += [Message(text=piece) for piece in texts]
    if buttons:
        parts[-1] = parts[-1]._replace(buttons=buttons)
    return parts


def _add_request(parts: list[Message], button: Button) -> None:
    """Ask with the last text where it fits the request's form, else in a message of its own."""
    last = parts[-1] if parts else Message()
    if last.text and len(last.text) <= SUBTITLE_LIMIT and not (last.buttons or last.picture):
        parts[-1] = last._replace(buttons=(button,))
    else:
        parts.append(Message(text=shortened(button.title, SUBTITLE_LIMIT), buttons=(button,)))


def _sorted_out(buttons: list[Button]) -> tuple[tuple[Button, ...], list[Button]]:
    """The buttons that can be shown, at most five, and the rest."""
    fit = [button for button in buttons if _fits(button)]
    shown = fit[:BUTTONS_LIMIT]
    return tuple(shown), [button for button in buttons if not _fits(button)] + fit[BUTTONS_LIMIT:]


def _fits(button: Button) -> bool:
    if button.kind is ButtonKind.URL:
        return button.value.startswith(_WEB)
    if button.kind is ButtonKind.PHONE:
        return bool(_phone_code(button.value))
    return 0 < len(button.value) <= BUTTON_PAYLOAD_LIMIT


def _as_line(number: int, button: Button) -> str:
    return f"{number}. {_with_value(button)}"


def _with_value(button: Button) -> str:
    """A link or a number in words; what a reply button sends is not for reading."""
    if button.kind is ButtonKind.REPLY or button.value == button.title:
        return button.title
    return f"{button.title}: {button.value}"


def _cards_as_lines(cards: tuple[Card, ...]) -> list[str]:
    lines = []
    for number, card in enumerate(cards, 1):
        lines.append(f"{number}. {card.title}")
        lines += [card.subtitle, card.url]
        lines += [_with_value(button) for button in card.buttons if button.kind in (ButtonKind.URL, ButtonKind.PHONE)]
    return lines


def _buttons_of_cards(cards: tuple[Card, ...]) -> list[Button]:
    """Reply buttons move under the text, with the card's number where there are several cards."""
    return [
        replace(button, title=f"{number}. {button.title}") if len(cards) > 1 else button
        for number, card in enumerate(cards, 1)
        for button in card.buttons
        if button.kind is ButtonKind.REPLY
    ]


def _fits_list(cards: tuple[Card, ...]) -> bool:
    """A list's elements take one press each."""
    return 0 < len(cards) <= LIST_LIMIT and all(
        card.title and len(card.buttons) <= 1 and all(map(_pressable, card.buttons)) for card in cards
    )


def _pressable(button: Button) -> bool:
    return button.kind is not ButtonKind.SHARE_PHONE and _fits(button)


def _content(message: Message, banner: str) -> Json:
    if message.cards:
        return _template(template_type="list", elements=[*map(_element, message.cards)], **_buttons(message))
    if message.buttons and message.buttons[0].kind is ButtonKind.SHARE_PHONE:
        return _template(template_type="request_user_info", elements=[_request(message, banner)])
    if message.file:
        return {"attachment": {"type": "file", "payload": {"token": message.file}}}
    if message.sticker:
        return _template(template_type="media", elements=[{"media_type": "sticker", "attachment_id": message.sticker}])
    content: Json = {"text": message.text} if message.text else {}
    if message.picture:
        source = "url" if message.picture.startswith(_WEB) else "attachment_id"
        picture = {"media_type": "image", source: message.picture}
        return content | _template(template_type="media", elements=[picture])
    if message.buttons:
        return content | _template(**_buttons(message))
    if message.reply_to:
        content["quote_message_id"] = message.reply_to
    return content


def _template(**parts: object) -> Json:
    return {"attachment": {"type": "template", "payload": parts}}


def _buttons(message: Message) -> Json:
    return {"buttons": [_button(button) for button in message.buttons]} if message.buttons else {}


def _button(button: Button) -> Json:
    return {"title": _title(button), **_action(button)}


def _action(button: Button) -> Json:
    """What a press does. A reply stays hidden: its payload is for us, not for the customer's eyes."""
    if button.kind is ButtonKind.URL:
        return {"type": "oa.open.url", "payload": {"url": button.value}}
    if button.kind is ButtonKind.PHONE:
        return {"type": "oa.open.phone", "payload": {"phone_code": _phone_code(button.value)}}
    return {"type": "oa.query.hide", "payload": button.value}


def _title(button: Button) -> str:
    return shortened(button.title, BUTTON_TITLE_LIMIT)


def _phone_code(value: str) -> str:
    """Zalo dials 84…; short hotlines such as 1900… stay as they are."""
    digits = _NOT_DIGITS.sub("", value).removeprefix("00")
    return f"84{digits[1:]}" if digits.startswith("0") else digits


def _request(message: Message, banner: str) -> Json:
    """Title and line of a request: the text's first line and the rest, or the button's title for what is missing."""
    label = message.buttons[0].title
    title, _, subtitle = message.text.partition("\n")
    if len(title) > TITLE_LIMIT:
        title, subtitle = label, message.text
    return {
        "title": shortened(title, TITLE_LIMIT),
        "subtitle": shortened(subtitle.strip() or label, SUBTITLE_LIMIT),
        "image_url": banner,
    }


def _element(card: Card) -> Json:
    element: Json = {"title": shortened(card.title, TITLE_LIMIT)}
    if card.subtitle:
        element["subtitle"] = shortened(card.subtitle, SUBTITLE_LIMIT)
    if card.image_url:
        element["image_url"] = card.image_url
    if card.url and not card.buttons:
        element["default_action"] = {"type": "oa.open.url", "url": card.url}
    if card.buttons:
        action = _action(card.buttons[0])
        if action["type"] == "oa.open.url":
            action = {"type": action["type"], "url": card.buttons[0].value}
        element["default_action"] = action
    return element
