"""What every platform surface shares: JSON answers, and the faults of the script acted out on the wire."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator.faults import Fault
from simulator.people import CHANNELS
from simulator.platform import PLATFORM, Platform

JSON = dict[str, Any]
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML_502 = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
HANG_S = 60.0


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A compact UTF-8 JSON answer."""
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=raw, status=status, headers=headers, content_type="application/json", charset="utf-8")


def zalo_error(code: int, message: str) -> JSON:
    """The envelope of a refused Zalo call; its HTTP status is 200."""
    return {"error": code, "message": message}


def oauth_error(code: int, name: str, reason: str) -> JSON:
    """The other shape, of Zalo's OAuth host; its HTTP status is 200 too."""
    return {
        "error": code,
        "error_name": name,
        "error_reason": reason,
        "error_description": reason,
        "ref_doc": "https://developers.zalo.me/docs/",
    }


def bot_error(code: int, description: str) -> JSON:
    """The body of a refused call of the bot platform."""
    return {"ok": False, "description": description, "error_code": code}


def graph_error(code: int, message: str, subcode: int = 0, kind: str = "OAuthException") -> JSON:
    """The body of a refused Graph call."""
    error: JSON = {"message": message, "type": kind, "code": code}
    if subcode:
        error["error_subcode"] = subcode
    error["fbtrace_id"] = "A" + secrets.token_urlsafe(9)
    return {"error": error}


def faulty(host: str, handler: WebHandler) -> WebHandler:
    """The handler, unless the script of faults has something for this call."""

    async def handle(request: web.Request) -> web.StreamResponse:
        platform = request.app[PLATFORM]
        if not platform.faults.calls:
            return await handler(request)
        fault = platform.faults.for_call(host, request.path, await _mentioned(platform, request))
        return await (handler(request) if fault is None else _act(fault, host, handler, request))

    return handle


async def _mentioned(platform: Platform, request: web.Request) -> frozenset[str]:
    if not any(fault.person for fault in platform.faults.calls):
        return frozenset()
    text = request.path_qs + (await request.read()).decode("utf-8", "replace")
    found: set[str] = set()
    for channel in CHANNELS:
        for user_id, contact in platform.people.contacts[channel].items():
            if user_id in text:
                found |= {user_id, contact.person.id, contact.person.name}
    return frozenset(found)


async def _act(fault: Fault, host: str, handler: WebHandler, request: web.Request) -> web.StreamResponse:
    match fault.fault:
        case "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else None
            return web.Response(status=fault.status, text=fault.body, headers=headers)
        case "html_502":
            return web.Response(status=502, text=HTML_502, content_type="text/html")
        case "code":
            return _coded(fault, host)
        case "token_expired":
            return _token_expired(request.app[PLATFORM], host)
        case "slow":
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        case "hang":
            await asyncio.sleep(fault.seconds or HANG_S)
            return _cut(request)
        case "reset":
            return _cut(request)
        case "lost_response":
            await handler(request)
            await asyncio.sleep(fault.seconds)
            return _cut(request)
    return await _half_body(await handler(request), request)


def _coded(fault: Fault, host: str) -> web.Response:
    message = fault.message or "Scripted error"
    if host == "graph":
        status = fault.status if fault.status != 500 else 400
        return json_answer(graph_error(fault.code, message, fault.subcode), status)
    if host == "zalo-bot":
        return json_answer(bot_error(fault.code, message), fault.status if fault.status != 500 else 200)
    if host == "zalo-oauth":
        return json_answer(oauth_error(fault.code, message, message))
    return json_answer(zalo_error(fault.code, message))


def _token_expired(platform: Platform, host: str) -> web.Response:
    if host == "graph":
        return json_answer(graph_error(190, "Error validating access token: Session has expired.", 463), 400)
    if host == "zalo-bot":
        return json_answer(bot_error(401, "Unauthorized"), 401)
    platform.zalo_tokens.expire()
    if host == "zalo-business":
        return json_answer(zalo_error(-124, "Access token invalid"))
    return json_answer(zalo_error(-216, "Access token has expired"))


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _half_body(answer: web.StreamResponse, request: web.Request) -> web.StreamResponse:
    whole = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b"{}"
    half = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    half.content_length = len(whole)
    await half.prepare(request)
    await half.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
