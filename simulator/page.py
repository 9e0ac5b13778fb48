"""The chat page, its files, the media that people and the brand sent, and drawn avatars."""

from __future__ import annotations

import html
from pathlib import Path

from aiohttp import web

from simulator.people import COLOURS
from simulator.platform import PLATFORM

STATIC = Path(__file__).with_name("static")
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob: http: https:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FILES = {
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "sticker.svg": "image/svg+xml",
    "sample.jpg": "image/jpeg",
}
AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120"><circle cx="60" cy="60" r="60" fill="{colour}"/>'
    '<text x="60" y="62" font-family="sans-serif" font-size="52" fill="#fff" text-anchor="middle"'
    ' dominant-baseline="central">{letter}</text></svg>'
)


async def index(request: web.Request) -> web.StreamResponse:
    """`GET /`: the chat page."""
    text = (STATIC / "index.html").read_text(encoding="utf-8")
    return web.Response(text=text, content_type="text/html", headers=SECURITY)


async def static(request: web.Request) -> web.StreamResponse:
    """`GET /static/{name}`: one of the page's own files."""
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    headers = {**SECURITY, "Content-Type": f"{FILES[name]}; charset=utf-8"}
    return web.FileResponse(STATIC / name, headers=headers)


async def medium(request: web.Request) -> web.StreamResponse:
    """`GET /media/{id}`: what was uploaded; only pictures are shown in place."""
    media = request.app[PLATFORM].media.get(request.match_info["id"])
    if media is None:
        raise web.HTTPNotFound
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    shown = media.content_type in ("image/jpeg", "image/png", "image/gif", "image/webp")
    if not shown:
        headers["Content-Disposition"] = "attachment"
    content_type = media.content_type if shown else "application/octet-stream"
    return web.Response(body=media.content, content_type=content_type, headers=headers)


async def avatar(request: web.Request) -> web.StreamResponse:
    """`GET /avatars/{person}.svg`: a first letter on the person's colour."""
    platform = request.app[PLATFORM]
    person = platform.people.persons.get(request.match_info["person"])
    name, colour = (person.name, person.colour) if person else (platform.config.brand_name, COLOURS[0])
    letter = html.escape((name.split() or ["?"])[-1][0].upper())
    svg = AVATAR.format(colour=html.escape(colour, quote=True), letter=letter)
    return web.Response(text=svg, content_type="image/svg+xml", headers=SECURITY)


def routes() -> list[web.RouteDef]:
    """The page's routes."""
    return [
        web.get("/", index),
        web.get("/static/{name}", static),
        web.get("/media/{id}", medium),
        web.get("/avatars/{person}.svg", avatar),
    ]
