"""Zalo's OAuth host: consent with PKCE, exchange and refresh, in its own error shape with HTTP 200."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from simulator.people import ZALO
from simulator.platform import PLATFORM, Platform
from simulator.surface import faulty, json_answer, oauth_error
from simulator.tokens import challenge_of

JSON = dict[str, Any]
CONSENT = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Cấp quyền</title>
<body style="font-family:sans-serif;max-width:28rem;margin:4rem auto;text-align:center">
<h1>{brand}</h1><p>Cho phép ứng dụng {app} quản lý Official Account này?</p>
{choices}</body></html>"""
CHOICE = '<p><a id="{id}" href="{url}">Cho phép {brand}</a></p>'


async def access_token(request: web.Request) -> web.StreamResponse:
    """`POST v4/oa/access_token`: the app secret is a header, the rest a form."""
    platform = request.app[PLATFORM]
    form = {name: str(value) for name, value in (await request.post()).items()}
    platform = _brand_of(platform, form)
    refusal = _refusal(platform, request.headers.get("secret_key", ""), form)
    if refusal is not None:
        platform.refuse(ZALO, request.path, refusal)
        return json_answer(refusal)
    access, refresh = platform.zalo_tokens.issue(platform.now())
    answer = {"access_token": access, "refresh_token": refresh, "expires_in": "90000"}
    told = {"grant_type": form["grant_type"]}
    platform.accept(ZALO, "token", request.path, None, told, {"expires_in": "90000"})
    return json_answer(answer)


def _brand_of(platform: Platform, form: dict[str, str]) -> Platform:
    """The brand that this code or refresh token is for; the first for any other."""
    code, refresh, now = form.get("code", ""), form.get("refresh_token", ""), platform.now()
    for each in platform.brands:
        if each.zalo_tokens.has_code(code) or each.zalo_tokens.may_refresh(refresh, now):
            return each
    return platform


def _refusal(platform: Platform, secret: str, form: dict[str, str]) -> JSON | None:
    config, tokens, now = platform.config, platform.zalo_tokens, platform.now()
    if form.get("app_id") != config.zalo_app_id:
        return oauth_error(-14002, "Invalid app id", "app_id is not registered")
    if secret != config.zalo_app_secret:
        return oauth_error(-14004, "Invalid app secret", "secret_key does not belong to this app")
    match form.get("grant_type"):
        case "refresh_token":
            if not tokens.may_refresh(form.get("refresh_token", ""), now):
                return oauth_error(-14020, "Invalid refresh token", "refresh_token was used or has expired")
            return None
        case "authorization_code":
            grant = tokens.take_code(form.get("code", ""), now)
            if grant is None:
                return oauth_error(-14019, "Invalid code", "code was used or has expired")
            if grant.challenge and challenge_of(form.get("code_verifier", "")) != grant.challenge:
                return oauth_error(-14021, "Invalid code verifier", "code_verifier does not match code_challenge")
            return None
    return oauth_error(-14005, "Invalid grant type", "grant_type is not supported")


async def permission(request: web.Request) -> web.StreamResponse:
    """`GET v4/oa/permission`: for people a page on which they choose an OA; everything else gets the first OA."""
    platform = request.app[PLATFORM]
    config = platform.config
    query = request.query
    if query.get("app_id") != config.zalo_app_id:
        return json_answer(oauth_error(-14002, "Invalid app id", "app_id is not registered"))
    target = query.get("redirect_uri", "")
    known = target == config.zalo_callback_url if config.zalo_callback_url else True
    if not known or urlsplit(target).scheme not in ("http", "https"):
        return json_answer(oauth_error(-14003, "Invalid redirect uri", "redirect_uri is not the saved callback"))
    if "text/html" not in request.headers.get("Accept", ""):
        return web.Response(status=302, headers={"Location": _granted(platform, query, target)})
    choices = [
        CHOICE.format(
            id="allow" if each is platform else f"allow-{each.config.zalo_oa_id}",
            url=html.escape(_granted(each, query, target), quote=True),
            brand=html.escape(each.config.brand_name),
        )
        for each in platform.brands
    ]
    page = CONSENT.format(
        brand=html.escape(config.brand_name), app=html.escape(config.zalo_app_id), choices="\n".join(choices)
    )
    return web.Response(text=page, content_type="text/html")


def _granted(platform: Platform, query: Mapping[str, str], target: str) -> str:
    """Where the browser goes once this brand's admin agreed."""
    code = platform.zalo_tokens.grant(query.get("code_challenge", ""), platform.now())
    back = {"code": code, "oa_id": platform.config.zalo_oa_id}
    if "state" in query:
        back["state"] = query["state"]
    return target + ("&" if urlsplit(target).query else "?") + urlencode(back)


def routes(prefix: str) -> list[web.RouteDef]:
    """The OAuth routes under `prefix`."""
    return [
        web.post(f"{prefix}/v4/oa/access_token", faulty("zalo-oauth", access_token)),
        web.get(f"{prefix}/v4/oa/permission", faulty("zalo-oauth", permission), allow_head=False),
    ]
