"""What watches the service asks: is it alive, is it ready, and its figures."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot import knock
from web.health import Health, show
from web.keys import HEALTH, KNOCK

log = logging.getLogger(__name__)

PATIENCE_S = 3.0


async def alive(request: web.Request) -> web.Response:
    """200 as long as the process answers at all. Our own doctor is told, too, who answers and which headers arrived."""
    said: dict[str, Any] = {"alive": True}
    if answer := request.app[KNOCK](request.headers.get(knock.HEADER, "")):
        said |= {"knock": answer, "headers": sorted({name.lower() for name in request.headers})}
    return web.json_response(said)


async def ready(request: web.Request) -> web.Response:
    """200 where the service can take and do its work, else 503; JSON says why."""
    health = await _health(request)
    return web.json_response(asdict(health), status=200 if health.ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """All figures as Prometheus reads them."""
    show(await _health(request))
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _health(request: web.Request) -> Health:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await request.app[HEALTH]()
    except TimeoutError:
        return Health(ready=False, reasons=(f"no answer about the state of health within {PATIENCE_S:g} s",))
    except Exception:
        log.exception("the state of health could not be read")
        return Health(ready=False, reasons=("the state of health could not be read",))
