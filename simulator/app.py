"""The simulator as an aiohttp application: all platforms, the control API and the chat page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from simulator import (
    control,
    graph_api,
    graph_login,
    graph_page,
    graph_threads,
    page,
    watch,
    zalo_api,
    zalo_bot_api,
    zalo_business,
    zalo_oauth,
    zalo_uploads,
    zalo_users,
)
from simulator.config import SimulatorConfig
from simulator.platform import PLATFORM, Platform

MAX_BODY = 40 * 1024 * 1024
GRAPH = r"/graph/{version:v\d+\.\d+}"


async def _courier(app: web.Application) -> AsyncIterator[None]:
    courier = app[PLATFORM].courier
    await courier.open()
    yield
    await courier.close()


async def _end_waits(app: web.Application) -> None:
    app[PLATFORM].live.close()
    for brand in app[PLATFORM].brands:
        brand.bot.close()


def create_app(config: SimulatorConfig) -> web.Application:
    """The application; its state is `app[PLATFORM]`.

    Prefixes: `/zalo` plays openapi.zalo.me, `/zalo-oauth` oauth.zaloapp.com, `/zalo-business`
    business.openapi.zalo.me, `/zalo-bot` bot-api.zaloplatforms.com, `/graph/vN.N` graph.facebook.com; `/api` is the
    control API, `/` the chat page.
    """
    app = web.Application(client_max_size=MAX_BODY)
    app[PLATFORM] = Platform(config)
    app.cleanup_ctx.append(_courier)
    app.on_shutdown.append(_end_waits)
    app.add_routes(zalo_api.routes("/zalo"))
    app.add_routes(graph_api.send_routes(GRAPH))
    app.add_routes(graph_login.routes(GRAPH))
    app.add_routes(graph_page.routes(GRAPH))
    app.add_routes(graph_threads.routes(GRAPH))
    app.add_routes(zalo_uploads.routes("/zalo"))
    app.add_routes(zalo_users.routes("/zalo"))
    app.add_routes(zalo_oauth.routes("/zalo-oauth"))
    app.add_routes(zalo_business.routes("/zalo-business"))
    app.add_routes(zalo_bot_api.routes("/zalo-bot"))
    app.add_routes(control.routes())
    app.add_routes(watch.routes())
    app.add_routes(page.routes())
    return app
