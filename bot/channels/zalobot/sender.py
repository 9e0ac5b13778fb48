"""Our messages as a bot can show them: plain words and pictures, written as the Bot API's JSON. Pure.

https://docs.zaloplatforms.com/docs/BOT/apis/sendMessage: 1 to 2,000 characters; the platform has no buttons for bots.
No `parse_mode` is ever given: what customers wrote must not turn into markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from bot.channels.text import clean, pieces
from crm.messages import KEPT, Button, ButtonKind, Card, Message

LIMIT = 2000
_COMMAND = "/"
_WEB = ("https://", "http://")


class Call(NamedTuple):
    """One call of the Bot API."""

    method: str
    body: dict[str, Any]


@lru_cache(maxsize=1024)
def split(message: Message) -> tuple[Message, ...]:
    """The same message as messages of one call each, in order; none where there is nothing to say.

    Buttons, cards, and links to files become lines of the text; a button that stands for a command names it, so that
    it can be typed. A picture takes the text under it where that fits.
    """
    picture, file = clean(message.picture).strip(), clean(message.file).strip()
    lines = [clean(message.text).strip(), *_of_cards(message.cards), *_of_buttons(message.buttons)]
    if file.startswith(_WEB):
        lines.append(file)
    texts = _pieces("\n".join(line for line in lines if line))
    parts = [Message(text=text) for text in texts]
    if picture and len(texts) <= 1:
        parts = [Message(text="".join(texts), picture=picture)]
    elif picture:
        parts.insert(0, Message(picture=picture))
    if file.startswith(KEPT):
        parts.append(Message(file=file))
    if sticker := clean(message.sticker).strip():
        parts.insert(0, Message(sticker=sticker))
    return tuple(parts)


def call(chat_id: str, part: Message) -> Call:
    """The call that says one part that `split` gave."""
    if part.sticker:
        return Call("sendSticker", {"chat_id": chat_id, "sticker": part.sticker})
    if part.picture:
        caption = {"caption": part.text} if part.text else {}
        return Call("sendPhoto", {"chat_id": chat_id, "photo": part.picture, **caption})
    return Call("sendMessage", {"chat_id": chat_id, "text": part.text})


def _pieces(text: str) -> tuple[str, ...]:
    """Cut so that no piece is too long, whether Zalo counts characters or UTF-16 units."""
    double = sum(each > "\uffff" for each in text)
    return pieces(text, max(LIMIT // 2, LIMIT - double))


def _of_cards(cards: Iterable[Card]) -> Iterator[str]:
    for number, card in enumerate(cards, 1):
        yield f"{number}. {clean(card.title).strip()}"
        yield clean(card.subtitle).strip()
        yield from _of_buttons(card.buttons)


def _of_buttons(buttons: Iterable[Button]) -> Iterator[str]:
    for button in buttons:
        title, value = clean(button.title).strip(), clean(button.value).strip()
        shown = button.kind in (ButtonKind.URL, ButtonKind.PHONE) or value.startswith(_COMMAND)
        words = ": ".join(dict.fromkeys(word for word in (title, value if shown else "") if word))
        if words and button.kind is not ButtonKind.SHARE_PHONE:
            yield f"• {words}"
