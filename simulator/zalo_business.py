"""Zalo's business host: approved templates to phone numbers, their status, and quotas."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from aiohttp import web

from simulator import zalo_events
from simulator.chat import Line
from simulator.config import ZbsTemplate
from simulator.people import ZALO
from simulator.platform import Platform, new_zalo_id
from simulator.proof import appsecret_proof
from simulator.surface import WebHandler, faulty, json_answer, zalo_error
from simulator.zalo_api import brand_of, read_json, read_template
from simulator.zalo_messages import ZaloError

JSON = dict[str, Any]
PHONE = re.compile(r"(?:\+?84|0)?([1-9]\d{8})")
TRACKING_LIMIT = 48
STATUSES = {"1": "ENABLE", "2": "PENDING_REVIEW", "3": "REJECT", "4": "DISABLE"}
OPEN_HOURS = range(6, 22)
VIETNAM = timedelta(hours=7)


def business(handler: Callable[[Platform, web.Request], Awaitable[JSON]]) -> WebHandler:
    """An endpoint of the business host; its token error is -124."""

    async def answer(request: web.Request) -> web.StreamResponse:
        platform = brand_of(request)
        token = request.headers.get("access_token", "")
        try:
            if platform.zalo_tokens.state(token, platform.now()) != "valid":
                raise ZaloError(-124, "Access token invalid")
            proof = request.headers.get("appsecret_proof")
            required = platform.config.require_appsecret_proof
            if (required or proof is not None) and proof != appsecret_proof(platform.config.zalo_app_secret, token):
                raise ZaloError(-1241, "Invalid appsecret_proof provided in the API argument")
            body = {"error": 0, "message": "Success", **await handler(platform, request)}
        except ZaloError as error:
            body = zalo_error(error.code, error.message)
            platform.refuse(ZALO, request.path, body)
        return json_answer(body)

    return faulty("zalo-business", answer)


async def send(platform: Platform, request: web.Request) -> JSON:
    """`POST /message/template`: an approved template to a phone (`84…`, `0…` or nine digits)."""
    body = await read_json(request)
    found = PHONE.fullmatch(str(body.get("phone", "")))
    if found is None:
        raise ZaloError(-108, "Phone number is invalid")
    return _send_to(platform, request, "84" + found[1], body)


async def send_by_hash(platform: Platform, request: web.Request) -> JSON:
    """`POST /message/template/hashphone`: the phone as SHA-256 of its `84…` form."""
    body = await read_json(request)
    wanted = str(body.get("hash_phone", "")).lower()
    for person in platform.people:
        if hashlib.sha256(person.phone_84.encode()).hexdigest() == wanted:
            return _send_to(platform, request, person.phone_84, body)
    raise ZaloError(-118, "Zalo account does not exist or is deactivated")


def _send_to(platform: Platform, request: web.Request, phone: str, body: JSON) -> JSON:
    template, text = read_template(platform, body.get("template_id"), body.get("template_data"))
    tracking = str(body.get("tracking_id", ""))
    if len(tracking) > TRACKING_LIMIT:
        raise ZaloError(-132, "Parameter is invalid: tracking_id")
    now = platform.now()
    if template.tag == "PROMOTION" and (now + VIETNAM).hour not in OPEN_HOURS:
        raise ZaloError(-133, "Message cannot be sent at night")
    if platform.zbs_quota_left <= 0:
        raise ZaloError(-115, "Out of quota")
    if template.tag == "PROMOTION":
        if platform.zbs_promotion_left <= 0:
            raise ZaloError(-1441, "The OA reached its monthly limit of promotion messages")
        platform.zbs_promotion_left -= 1
    platform.zbs_quota_left -= 1
    message_id = new_zalo_id()
    contact = platform.people.by_phone(phone)
    quota = {"dailyQuota": str(platform.zbs_daily_quota), "remainingQuota": str(platform.zbs_quota_left)}
    data: JSON = {"msg_id": message_id, "sent_time": zalo_events.millis(now), "sending_mode": "1", "quota": quota}
    platform.accept(ZALO, "template_phone", request.path, contact, body, data, message_id, text)
    platform.zbs_receipts[message_id] = now
    if contact is not None:
        platform.say(contact, Line("bot", now, message_id, "template", text, tick="delivered"))
    if platform.config.receipts:
        receipt = zalo_events.phone_receipt(platform.config, phone, message_id, tracking, now)
        platform.courier.send(ZALO, phone, receipt, platform.config.echo_delay_s)
    return {"data": data}


async def status(platform: Platform, request: web.Request) -> JSON:
    """`GET /message/status`: -1 unknown, 1 delivered."""
    at = platform.zbs_receipts.get(request.query.get("message_id", ""))
    if at is None:
        return {"data": {"delivery_time": "", "message": "The message does not exist", "status": -1}}
    words = "The message was delivered to the user's phone"
    return {"data": {"delivery_time": zalo_events.millis(at), "message": words, "status": 1}}


def _listed(template: ZbsTemplate) -> JSON:
    return {
        "templateId": int(template.id),
        "templateName": template.name,
        "createdTime": 1767200400000,
        "status": template.status,
        "templateQuality": template.quality,
    }


async def templates(platform: Platform, request: web.Request) -> JSON:
    """`GET /template/all`."""
    status = STATUSES.get(request.query.get("status", ""))
    known = [_listed(t) for t in platform.zbs_templates.values() if status in (None, t.status)]
    try:
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 100))
    except ValueError:
        raise ZaloError(-132, "Parameter is invalid: offset, limit") from None
    return {"data": known[offset : offset + min(limit, 100)], "metadata": {"total": len(known)}}


async def template_info(platform: Platform, request: web.Request) -> JSON:
    """`GET /template/info/v2`."""
    wanted = request.query.get("template_id", "")
    template = platform.zbs_templates.get(wanted)
    if template is None:
        raise ZaloError(-109, "Template ID is invalid")
    params = [
        {
            "name": param.name,
            "require": param.required,
            "type": "STRING",
            "maxLength": param.max_length,
            "minLength": 0,
            "acceptNull": not param.required,
        }
        for param in template.params
    ]
    data = {
        "templateId": template.id,
        "templateName": template.name,
        "status": template.status,
        "listParams": params,
        "listButtons": [],
        "timeout": 7200000,
        "previewUrl": "",
        "templateQuality": template.quality,
        "templateTag": template.tag,
        "price_sdt": str(template.price_phone),
        "price_uid": str(template.price_uid),
        "price": str(template.price_phone),
    }
    return {"data": data}


async def quota(platform: Platform, request: web.Request) -> JSON:
    """`GET /message/quota`."""
    data = {
        "dailyQuota": platform.zbs_daily_quota,
        "remainingQuota": platform.zbs_quota_left,
        "dailyQuotaPromotion": None,
        "remainingQuotaPromotion": None,
        "monthlyPromotionQuota": platform.config.zbs_promotion_quota,
        "remainingMonthlyPromotionQuota": platform.zbs_promotion_left,
        "estimatedNextMonthPromotionQuota": platform.config.zbs_promotion_quota,
    }
    return {"data": data}


async def quality(platform: Platform, request: web.Request) -> JSON:
    """`GET /quality`."""
    return {"data": {"oaCurrentQuality": "HIGH", "oa7dayQuality": "HIGH"}}


def routes(prefix: str) -> list[web.RouteDef]:
    """The business routes under `prefix`."""
    return [
        web.post(f"{prefix}/message/template", business(send)),
        web.post(f"{prefix}/message/template/hashphone", business(send_by_hash)),
        web.get(f"{prefix}/message/status", business(status), allow_head=False),
        web.get(f"{prefix}/message/quota", business(quota), allow_head=False),
        web.get(f"{prefix}/quality", business(quality), allow_head=False),
        web.get(f"{prefix}/template/all", business(templates), allow_head=False),
        web.get(f"{prefix}/template/info/v2", business(template_info), allow_head=False),
    ]
