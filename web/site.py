"""The front page, and the proof of ownership that Zalo asks for."""

from __future__ import annotations

from html import escape

from aiohttp import web

from web.keys import SITE, Site

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{proof}<title>{brand}</title>
<style>body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>{brand}</h1>
<p>Nhắn tin cho {brand} trên Zalo hoặc Messenger để xem điểm, hỏi đơn hàng và được hỗ trợ.</p>
</body>
</html>
"""


async def front(request: web.Request) -> web.Response:
    """A plain page that says whose service this is."""
    return _page(request.app[SITE])


async def verifier(request: web.Request) -> web.Response:
    """The file that Zalo asks for; 404 for every code but ours."""
    site = request.app[SITE]
    if not site.verification or request.match_info["code"] != site.verification:
        raise web.HTTPNotFound
    return _page(site)


def _page(site: Site) -> web.Response:
    content = escape(site.verification)
    proof = f'<meta name="zalo-platform-site-verification" content="{content}">\n' if content else ""
    text = _PAGE.format(proof=proof, brand=escape(site.brand))
    return web.Response(text=text, content_type="text/html", headers=HEADERS)
