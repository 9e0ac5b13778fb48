"""Where a platform sends the browser of an account's admin after they agreed, or did not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from aiohttp import web

from bot.grants import Grants, Outcome
from web.site import HEADERS

_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
_PAGE = """<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>{title}</h1>
<p>{vi}</p>
<p lang="en">{en}</p>
</body>
</html>
"""


def routes(grants: Mapping[str, Grants], connected: Callable[[], Awaitable[None]]) -> list[web.RouteDef]:
    """`GET /connect/<channel>` for each of these channels; `connected` is called when there is a new account.

    HEAD is not answered: who only looks at an address must not use it up.
    """
    return [
        web.get(f"/connect/{name}", _view(each, connected), allow_head=False) for name, each in sorted(grants.items())
    ]


def _view(
    grants: Grants, connected: Callable[[], Awaitable[None]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def view(request: web.Request) -> web.StreamResponse:
        outcome = await grants.settle(grants.channel.consented(request.query))
        if outcome.owner is not None:
            await connected()
        return _page(outcome)

    return view


def _page(outcome: Outcome) -> web.Response:
    done = outcome.owner is not None
    text = _PAGE.format(
        title="Đã kết nối · Connected" if done else "Chưa kết nối · Not connected",
        vi=escape(outcome.words.vi),
        en=escape(outcome.words.en),
    )
    return web.Response(text=text, content_type="text/html", headers=_HEADERS, status=200 if done else 400)
