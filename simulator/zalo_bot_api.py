"""Zalo's bot platform: getMe, getUpdates, messages and webhooks of bots."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator.chat import Line
from simulator.people import ZALO_BOT, Contact
from simulator.platform import PLATFORM, Platform, new_zalo_id
from simulator.surface import WebHandler, bot_error, faulty, json_answer

JSON = dict[str, Any]
Method = Callable[[Platform, web.Request, JSON], Awaitable[Any]]

TEXT_LIMIT = 2000
WAIT_S = 30.0
LONGEST_WAIT_S = 60.0
SECRET = range(8, 257)


class BotError(Exception):
    """A refusal with the platform's code (docs: BOT, "Bảng mã lỗi")."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


async def answer(request: web.Request) -> web.StreamResponse:
    """`GET|POST /bot<token>/<method>`; parameters in the query, as a form, or as JSON."""
    first = request.app[PLATFORM]
    first.learn_origin(request)
    token, name = request.match_info["token"], request.match_info["method"]
    platform = next((each for each in first.brands if token and token == each.bot.token), None)
    path = f"/zalo-bot/bot…/{name}"
    try:
        if platform is None:
            raise BotError(401, "Unauthorized")
        if name not in METHODS:
            raise BotError(404, "Not Found")
        result = await METHODS[name](platform, request, await _given(request))
    except BotError as error:
        body = bot_error(error.code, error.description)
        if error.code != 408:
            first.refuse(ZALO_BOT, path, body)
        return json_answer(body, error.code)
    return json_answer({"ok": True} if result is None else {"ok": True, "result": result})


async def _given(request: web.Request) -> JSON:
    given: JSON = dict(request.query)
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return given | dict(await request.post())
    raw = await request.read()
    if raw:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise BotError(400, "Bad request: body is not JSON") from None
        if isinstance(body, dict):
            given |= body
    return given


async def get_me(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`getMe`."""
    return {
        "id": platform.bot.id,
        "account_name": "bot.KhachQuen",
        "account_type": "BASIC",
        "can_join_groups": False,
    }


async def get_updates(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`getUpdates`: one update, or 408 after `timeout` seconds; none is told twice."""
    if platform.bot.webhook is not None:
        raise BotError(409, "Conflict: can't use getUpdates method while webhook is active")
    try:
        seconds = min(float(given.get("timeout") or WAIT_S), LONGEST_WAIT_S)
    except (TypeError, ValueError):
        raise BotError(400, "Bad request: timeout") from None
    found = await platform.bot.next(seconds, lambda: request.transport is None or request.transport.is_closing())
    if found is None:
        raise BotError(408, "Request timeout")
    contact = platform.people.contact(ZALO_BOT, found["message"]["chat"]["id"])
    if contact is not None:
        platform.taken(contact, found["message"]["message_id"])
    return found


async def send_message(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`sendMessage`: 1 to 2,000 characters."""
    text = given.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= TEXT_LIMIT:
        raise BotError(400, "Bad request: The text must be between 1 and 2000 characters")
    return _said(platform, request, given, "text", text)


async def send_photo(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`sendPhoto`: a picture by its address, with a caption."""
    photo, caption = given.get("photo"), given.get("caption") or ""
    if not isinstance(photo, str) or not photo.startswith(("http://", "https://")):
        raise BotError(400, "Bad request: The photo must be an address")
    if not isinstance(caption, str) or len(caption) > TEXT_LIMIT:
        raise BotError(400, "Bad request: The caption must be between 1 and 2000 characters")
    return _said(platform, request, given, "image", caption, photo)


async def send_sticker(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`sendSticker`."""
    if not isinstance(given.get("sticker"), str) or not given["sticker"]:
        raise BotError(400, "Bad request: The sticker must not be empty")
    return _said(platform, request, given, "sticker", "", platform.media.static_url("sticker.svg"))


async def send_chat_action(platform: Platform, request: web.Request, given: JSON) -> None:
    """`sendChatAction`: `typing`."""
    contact = _chat(platform, given)
    if given.get("action") != "typing":
        raise BotError(400, "Bad request: action")
    platform.live.publish("action", {"channel": ZALO_BOT, "person": contact.person.id, "action": "typing_on"})


async def set_webhook(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`setWebhook`: nothing can be asked for any more. What is written then is not posted here."""
    url, secret = given.get("url"), given.get("secret_token")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise BotError(400, "Bad request: url")
    if not isinstance(secret, str) or len(secret) not in SECRET:
        raise BotError(400, "Bad request: secret_token")
    platform.bot.webhook = url, platform.now()
    return _webhook(platform)


async def delete_webhook(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`deleteWebhook`."""
    platform.bot.webhook = None
    return {"url": "", "updated_at": int(platform.now().timestamp() * 1000)}


async def get_webhook_info(platform: Platform, request: web.Request, given: JSON) -> JSON:
    """`getWebhookInfo`; a bot without a webhook gets 404."""
    if platform.bot.webhook is None:
        raise BotError(404, "Not Found")
    return _webhook(platform)


def _webhook(platform: Platform) -> JSON:
    assert platform.bot.webhook is not None
    url, at = platform.bot.webhook
    return {"url": url, "updated_at": int(at.timestamp() * 1000)}


def _chat(platform: Platform, given: JSON) -> Contact:
    chat_id = given.get("chat_id")
    if not isinstance(chat_id, str) or not chat_id:
        raise BotError(400, "Bad request: The chat_id must not be empty")
    contact = platform.people.contact(ZALO_BOT, chat_id)
    if contact is None or contact.last_message is None or contact.blocked:
        raise BotError(400, "Bad request: chat not found")
    return contact


def _said(platform: Platform, request: web.Request, given: JSON, kind: str, text: str, media: str = "") -> JSON:
    contact, now, message_id = _chat(platform, given), platform.now(), new_zalo_id()
    result: JSON = {"message_id": message_id, "date": int(now.timestamp() * 1000)}
    path = f"/zalo-bot/bot…/{request.match_info['method']}"
    platform.say(contact, Line("bot", now, message_id, kind, text, media))
    platform.accept(ZALO_BOT, kind, path, contact, given, result, message_id, text)
    return result


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendSticker": send_sticker,
    "sendChatAction": send_chat_action,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}


def routes(prefix: str) -> list[web.RouteDef]:
    """The routes under `prefix`."""
    handler: WebHandler = faulty("zalo-bot", answer)
    path = prefix + r"/bot{token:[^/]+}/{method}"
    return [web.post(path, handler), web.get(path, handler, allow_head=False)]
