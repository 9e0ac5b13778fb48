"""What a person's own token opens at Graph: a longer life, and the Pages that the person manages."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from aiohttp import web

from simulator.graph_wire import GraphCall, GraphError, bad_param, expired, graph
from simulator.people import MESSENGER

JSON = dict[str, Any]
LONG_LIFE = timedelta(days=60)
SHEET = 25
TASKS = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"]


async def exchange(call: GraphCall) -> JSON:
    """`GET /oauth/access_token?grant_type=fb_exchange_token`: the app proves itself in the query."""
    config, params, now = call.platform.config, call.params, call.platform.now()
    if params.get("client_id") != config.messenger_app_id:
        raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
    if params.get("client_secret") != config.messenger_app_secret:
        raise GraphError(1, "Error validating client secret.")
    if params.get("grant_type") != "fb_exchange_token":
        raise bad_param("Invalid grant_type")
    if call.platform.user_tokens.get(str(params.get("fb_exchange_token")), now) <= now:
        raise expired()
    token = secrets.token_urlsafe(96)
    call.platform.user_tokens[token] = now + LONG_LIFE
    answer = {"access_token": token, "token_type": "bearer", "expires_in": int(LONG_LIFE.total_seconds())}
    told = {"grant_type": "fb_exchange_token"}
    call.platform.accept(MESSENGER, "exchange", call.request.path, None, told, {"token_type": "bearer"})
    return answer


async def accounts(call: GraphCall) -> JSON:
    """`GET /me/accounts`: the Pages of the person, a sheet at a time."""
    if not call.by_person:
        raise GraphError(100, "(#100) Tried accessing nonexisting field (accounts) on node type (Page)")
    pages = [
        {
            "access_token": brand.config.messenger_page_token,
            "category": "Shopping & retail",
            "name": brand.config.brand_name,
            "id": brand.config.messenger_page_id,
            "tasks": TASKS,
        }
        for brand in call.platform.brands
    ]
    limit, after = (str(call.params.get(name) or "") for name in ("limit", "after"))
    start = int(after) if after.isdigit() else 0
    end = start + (int(limit) if limit.isdigit() else SHEET)
    answer: JSON = {"data": pages[start:end], "paging": {"cursors": {"before": str(start), "after": str(end)}}}
    if end < len(pages):
        answer["paging"]["next"] = f"{call.request.url.origin()}{call.request.path}?after={end}"
    told = {"data": [{"id": page["id"], "name": page["name"]} for page in pages[start:end]]}
    call.platform.accept(MESSENGER, "accounts", call.request.path, None, {"limit": limit, "after": after}, told)
    return answer


def routes(version: str) -> list[web.RouteDef]:
    """The routes for people's tokens under `version`."""
    return [
        web.get(f"{version}/oauth/access_token", graph(exchange, no_token=True), allow_head=False),
        web.get(f"{version}/me/accounts", graph(accounts), allow_head=False),
    ]
