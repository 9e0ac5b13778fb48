"""Where the web's views hang: the API under `/api/v1`, the probes, and the front page."""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import web

from web import (
    adjustments,
    broadcast_drafts,
    broadcasts,
    care,
    customers,
    loyalty,
    messages,
    orders,
    privacy,
    probes,
    redemptions,
    refunds,
    segments,
    site,
    staff,
    vouchers,
)
from web.auth import THROTTLE, Throttle, require_key
from web.openapi import document
from web.problems import render

OPERATIONS = (
    *broadcasts.OPERATIONS,
    *broadcast_drafts.OPERATIONS,
    *customers.OPERATIONS,
    *orders.OPERATIONS,
    *privacy.OPERATIONS,
    *refunds.OPERATIONS,
    *loyalty.OPERATIONS,
    *messages.OPERATIONS,
    *redemptions.OPERATIONS,
    *adjustments.OPERATIONS,
    *segments.OPERATIONS,
    *staff.OPERATIONS,
    *vouchers.OPERATIONS,
    *care.OPERATIONS,
)


def attach(app: web.Application) -> None:
    """Add all views to an application that holds every key of `web.keys`. Called once, before it starts."""
    app.add_routes(
        [
            web.get("/", site.front),
            web.get("/zalo_verifier{code}.html", site.verifier),
            web.get("/healthz", probes.alive),
            web.get("/readyz", probes.ready),
            web.get("/metrics", probes.metrics),
        ]
    )
    app.add_subapp("/api/v1", _api())


def _api() -> web.Application:
    api = web.Application(middlewares=[render, require_key])
    api[THROTTLE] = Throttle()
    for operation in OPERATIONS:
        api.router.add_route(operation.method, operation.path, operation.respond)
    described = _description()

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(described)

    api.router.add_route("GET", "/openapi.json", openapi)
    return api


@cache
def _description() -> dict[str, Any]:
    """What the API says of itself, made once: it takes longer than all else that an application needs to start."""
    return document(OPERATIONS)
