"""What a Page shows before the first word and beside the chat: start button, greeting, menu, first questions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.channels.base import Account, raised
from bot.channels.messenger import faults
from bot.channels.messenger.client import Graph
from bot.channels.messenger.envelope import record, records
from bot.channels.text import clean, shortened
from crm.messages import ButtonKind, Message

PATH = "me/messenger_profile"
FIELDS = ("get_started", "greeting", "persistent_menu", "ice_breakers")
START = "GET_STARTED"
MOST_ITEMS, LONGEST_ITEM = 20, 30
MOST_QUESTIONS, LONGEST_QUESTION = 4, 80
LONGEST_GREETING = 160
_LOCALES = {"vi": ("vi_VN",), "en": ("en_US", "en_GB")}


def encode(texts: Mapping[str, Message], default: str) -> dict[str, Any]:
    """The Page's profile from a greeting with buttons in each language (Messenger, "Messenger Profile API").

    Who reads another language sees `default`, without which Facebook takes neither menu nor questions; a menu needs
    the start button.
    """
    shown = [("default", texts[default])]
    shown += [(name, texts[key]) for key in sorted(texts) if key != default for name in _LOCALES[key]]
    return {
        "get_started": {"payload": START},
        "greeting": [{"locale": name, "text": shortened(each.text, LONGEST_GREETING)} for name, each in shown],
        "persistent_menu": [
            {"locale": name, "composer_input_disabled": False, "call_to_actions": _menu(each)} for name, each in shown
        ],
        "ice_breakers": [{"locale": name, "call_to_actions": _questions(each)} for name, each in shown],
    }


async def read(graph: Graph, account: Account) -> dict[str, Any]:
    """What the Page shows now, by property; empty where nothing is set."""
    found = records((await graph.get(account, PATH, {"fields": ",".join(FIELDS)})).get("data"))
    return {key: value for each in found for key, value in each.items() if key in FIELDS}


async def write(graph: Graph, account: Account, wanted: Mapping[str, Any]) -> None:
    """Let the Page show this from now on; properties that are not ours stay."""
    _check(await graph.repeat("POST", account, PATH, {}, json.dumps(wanted).encode()))


async def clear(graph: Graph, account: Account) -> None:
    """Take away what `write` set, whoever set it."""
    _check(await graph.repeat("DELETE", account, PATH, {}, json.dumps({"fields": FIELDS}).encode()))


def in_words(profile: Mapping[str, Any]) -> list[str]:
    """What the Page shows, a line each."""
    start = "yes" if profile.get("get_started") else "no"
    lines = [f"start button   {start}"]
    greetings = records(profile.get("greeting"))
    lines += [f"greeting       {clean(each.get('locale'))}: {clean(each.get('text'))}" for each in greetings]
    for title, key, words in (("menu", "persistent_menu", "title"), ("questions", "ice_breakers", "question")):
        for each in records(profile.get(key)):
            items = (clean(item.get(words)) for item in records(record(each).get("call_to_actions")))
            lines.append(f"{title:<14} {clean(each.get('locale'))}: {' | '.join(items)}")
    return lines


def _menu(message: Message) -> list[dict[str, str]]:
    return [
        {"type": "postback", "title": shortened(button.title, LONGEST_ITEM), "payload": button.value}
        for button in message.buttons[:MOST_ITEMS]
        if button.kind is ButtonKind.REPLY
    ]


def _questions(message: Message) -> list[dict[str, str]]:
    replies = [button for button in message.buttons if button.kind is ButtonKind.REPLY]
    return [
        {"question": shortened(button.title, LONGEST_QUESTION), "payload": button.value}
        for button in replies[:MOST_QUESTIONS]
    ]


def _check(answer: Mapping[str, Any]) -> None:
    """Facebook says that it was done in one of two ways."""
    if answer.get("result") != "success" and answer.get("success") not in (True, "true"):
        raise raised(faults.UNKNOWN_REFUSAL, "no_success")
