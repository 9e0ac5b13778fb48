"""Zalo's openapi host: messages and reactions, with its windows, quotas and codes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from simulator import zalo_events
from simulator.chat import Line
from simulator.config import ZbsTemplate
from simulator.people import ZALO, Contact
from simulator.platform import PLATFORM, Platform, new_zalo_id
from simulator.proof import appsecret_proof
from simulator.surface import WebHandler, faulty, json_answer, zalo_error
from simulator.zalo_messages import Outgoing, ZaloError, invalid, read_message

JSON = dict[str, Any]
ZaloHandler = Callable[[Platform, web.Request], Awaitable[Any]]

FREE = timedelta(hours=48)
WINDOW = timedelta(days=7)
APP_PER_MINUTE = 4000
TOKEN_REFUSALS = {
    "unknown": (-216, "Access token is invalid"),
    "expired": (-216, "Access token has expired"),
    "replaced": (-220, "Access token is expired or removed"),
}
ICONS = ("/-strong", "/-heart", ":>", "--b", ":-((", "-h", ":o", "/-remove")


def openapi(handler: ZaloHandler) -> WebHandler:
    """A Zalo endpoint: the token is checked, errors come in Zalo's envelope with HTTP 200.

    The handler returns the `data` of the answer, or None for an answer without any.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        platform = brand_of(request)
        platform.learn_origin(request)
        left = _rate_left(platform)
        try:
            check_token(platform, request, left)
            data = await handler(platform, request)
            body: JSON = {"error": 0, "message": "Success"}
            if data is not None:
                body = {"data": data, **body}
        except ZaloError as error:
            body = zalo_error(error.code, error.message)
            platform.refuse(ZALO, request.path, body)
        limit = platform.config.zalo_per_minute or APP_PER_MINUTE
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remain": str(max(0, left))}
        return json_answer(body, headers=headers)

    return faulty("zalo", answer)


def brand_of(request: web.Request) -> Platform:
    """The brand whose OA this call's token belongs to or did; the first for any other token."""
    first, token = request.app[PLATFORM], request.headers.get("access_token", "")
    return next((each for each in first.brands if each.zalo_tokens.state(token, first.now()) != "unknown"), first)


def _rate_left(platform: Platform) -> int:
    limit = platform.config.zalo_per_minute
    if not limit:
        return APP_PER_MINUTE - 1
    return limit - platform.used("zalo", int(platform.now().timestamp() // 60))


def check_token(platform: Platform, request: web.Request, rate_left: int) -> None:
    """Refuses a call with a bad token, a bad proof, an expired package, or beyond the rate; raises ZaloError."""
    token = request.headers.get("access_token", "")
    state = platform.zalo_tokens.state(token, platform.now())
    if state in TOKEN_REFUSALS:
        raise ZaloError(*TOKEN_REFUSALS[state])
    proof = request.headers.get("appsecret_proof")
    if proof is None and platform.config.require_appsecret_proof:
        raise ZaloError(-242, "appsecret_proof is required")
    if proof is not None and proof != appsecret_proof(platform.config.zalo_app_secret, token):
        raise ZaloError(-242, "Invalid appsecret_proof provided in the API argument")
    if rate_left < 0:
        raise ZaloError(-32, "Your OA reached the limit of requests per minute")
    if platform.zalo_package == "expired":
        raise ZaloError(-224, "The OA needs to upgrade its package to use this feature")


async def read_json(request: web.Request) -> JSON:
    """The JSON object in the body; raises ZaloError."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise invalid("body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("body")
    return body


def find_contact(platform: Platform, user_id: Any) -> Contact:
    """Whom a user id means; -201 for an id that this OA does not know."""
    contact = platform.people.contact(ZALO, str(user_id)) if isinstance(user_id, str | int) else None
    if contact is None or (contact.last_interaction is None and not contact.following):
        raise invalid("user_id")
    return contact


def quota_now(platform: Platform, contact: Contact, now: datetime) -> JSON | None:
    """What a consultation message is charged to, None when it is billed; raises ZaloError outside the window."""
    if contact.blocked:
        raise ZaloError(-244, "User has restricted this type of message from the OA")
    since = contact.last_interaction
    if since is None or now - since > WINDOW:
        raise ZaloError(-230, "User has not interacted with the OA in the past 7 days")
    if now - since <= FREE:
        return {"quota_type": "reply" if contact.last_message is not None else "welcome_msg"}
    if platform.zalo_sub_quota_left <= 0:
        if not platform.config.zalo_bills:
            raise ZaloError(-211, "The quota of this feature is used up")
        return None
    platform.zalo_sub_quota_left -= 1
    return {
        "quota_type": "sub_quota",
        "remain": str(platform.zalo_sub_quota_left),
        "total": str(platform.config.zalo_sub_quota),
        "expired_date": month_end(now),
    }


def month_end(now: datetime) -> str:
    """The last day of this month, on which a package's quota ends."""
    return f"{(now.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1):%d/%m/%Y}"


async def send_consultation(platform: Platform, request: web.Request) -> JSON:
    """`POST v3.0/oa/message/cs` (docs: tin-nhan/tin-tu-van)."""
    body = await read_json(request)
    recipient = body.get("recipient")
    if not isinstance(recipient, dict):
        raise invalid("recipient")
    contact = find_contact(platform, recipient.get("user_id"))
    now = platform.now()
    message = body.get("message")
    outgoing = read_message(message, platform.media, now)
    quoted = message.get("quote_message_id") if isinstance(message, dict) else None
    if quoted is not None and not (isinstance(quoted, str) and contact.knows(quoted)):
        raise invalid("message.quote_message_id")
    return deliver(platform, request, contact, outgoing, quota_now(platform, contact, now), body, quoted or "")


def deliver(
    platform: Platform,
    request: web.Request,
    contact: Contact,
    outgoing: Outgoing,
    quota: JSON | None,
    body: JSON,
    quoted: str = "",
) -> JSON:
    """Accepts a message: transcript, journal, echo and receipt. Returns the `data` of the answer."""
    now = platform.now()
    message_id = new_zalo_id()
    data: JSON = {"message_id": message_id, "user_id": contact.user_id, "sent_time": zalo_events.millis(now)}
    if quota is not None:
        data["quota"] = quota
    line = Line(
        "bot",
        now,
        message_id,
        outgoing.kind,
        outgoing.text,
        outgoing.media,
        outgoing.buttons,
        outgoing.cards,
    )
    platform.say(contact, line)
    platform.accept(ZALO, outgoing.kind, request.path, contact, body, data, message_id, outgoing.text)
    echo = _echo(platform, contact, outgoing, message_id, quoted, now) if platform.config.echoes else None
    platform.after_send(contact, line, echo)
    return data


def _echo(
    platform: Platform, contact: Contact, outgoing: Outgoing, message_id: str, quoted: str, now: datetime
) -> JSON:
    message: JSON = {"msg_id": message_id}
    if outgoing.text:
        message["text"] = outgoing.text
    if quoted:
        message["quote_msg_id"] = quoted
    if outgoing.attachments:
        message["attachments"] = list(outgoing.attachments)
    return zalo_events.from_oa(platform.config, contact, outgoing.event, message, now)


def read_template(platform: Platform, template_id: Any, template_data: Any) -> tuple[ZbsTemplate, str]:
    """An approved template and its text with the data filled in; raises ZaloError with the ZBS codes."""
    template = platform.zbs_templates.get(str(template_id))
    if template is None:
        raise ZaloError(-109, "Template ID is invalid")
    if template.status == "DISABLE":
        raise ZaloError(-146, "Template is disabled due to low quality")
    if template.status != "ENABLE":
        raise ZaloError(-131, "Template is not approved")
    if not isinstance(template_data, dict):
        raise ZaloError(-1124, "template_data is invalid")
    for param in template.params:
        value = template_data.get(param.name)
        if value in (None, ""):
            if param.required:
                raise ZaloError(-1122, f"Template data is missing parameter {param.name}")
        elif len(str(value)) > param.max_length:
            raise ZaloError(-1121, f"Parameter {param.name} is longer than {param.max_length}")
    filled = template.text or template.name
    for name, value in template_data.items():
        filled = filled.replace("{" + str(name) + "}", str(value))
    return template, filled


async def send_template(platform: Platform, request: web.Request) -> JSON:
    """`POST v3.0/oa/message/template`: an approved ZBS template to a user id."""
    body = await read_json(request)
    contact = find_contact(platform, body.get("user_id"))
    template, text = read_template(platform, body.get("template_id"), body.get("template_data"))
    if not template.by_user_id:
        raise ZaloError(-249, "This template cannot be sent by user id")
    if contact.blocked:
        raise ZaloError(-244, "User has restricted this type of message from the OA")
    quota = {"quota_type": "purchase_quota", "owner_type": "OA", "owner_id": platform.config.zalo_oa_id}
    outgoing = Outgoing("template", "oa_send_template", text)
    return deliver(platform, request, contact, outgoing, quota, body)


async def send_old(platform: Platform, request: web.Request) -> JSON:
    """`POST v2.0/oa/message`: reactions and anonymous visitors; messages to users are off (-240)."""
    body = await read_json(request)
    recipient = body.get("recipient")
    if not isinstance(recipient, dict):
        raise invalid("recipient")
    if "sender_action" in body:
        return _react(platform, request, recipient, body)
    if "anonymous_id" in recipient:
        return _to_anonymous(platform, request, recipient, body)
    raise ZaloError(-240, "This API version is no longer supported, please use v3.0")


def _react(platform: Platform, request: web.Request, recipient: JSON, body: JSON) -> JSON:
    contact = find_contact(platform, recipient.get("user_id"))
    action = body["sender_action"]
    if not isinstance(action, dict) or action.get("react_icon") not in ICONS:
        raise invalid("sender_action.react_icon")
    target = action.get("react_message_id")
    if not isinstance(target, str) or not contact.knows(target):
        raise invalid("sender_action.react_message_id")
    icon = "" if action["react_icon"] == "/-remove" else action["react_icon"]
    line = contact.line(target)
    if line is not None:
        line.reaction = icon
        platform.changed(contact, line)
    data = {"message_id": target, "user_id": contact.user_id}
    platform.accept(ZALO, "reaction", request.path, contact, body, data)
    if platform.config.echoes:
        message = {"msg_id": target, "react_icon": action["react_icon"]}
        event = zalo_events.from_oa(platform.config, contact, "oa_reacted_message", message, platform.now())
        platform.courier.send(ZALO, contact.user_id, event, platform.config.echo_delay_s)
    return data


def _to_anonymous(platform: Platform, request: web.Request, recipient: JSON, body: JSON) -> JSON:
    visitor, conversation = recipient.get("anonymous_id"), recipient.get("conversation_id")
    if not isinstance(visitor, str) or not isinstance(conversation, str) or not visitor or not conversation:
        raise invalid("recipient: anonymous_id and conversation_id")
    outgoing = read_message(body.get("message"), platform.media, platform.now())
    data = {"message_id": new_zalo_id(), "anonymous_id": visitor, "conversation_id": conversation}
    platform.accept(ZALO, "anonymous", request.path, None, body, data, data["message_id"], outgoing.text)
    return data


async def shut_down(platform: Platform, request: web.Request) -> JSON:
    """Calls of older days: transaction and promotion messages (until 2026-03-01), `getprofile`, `getfollowers`."""
    raise ZaloError(-240, "This API is no longer supported")


def routes(prefix: str) -> list[web.RouteDef]:
    """The message routes under `prefix`, hottest first."""
    return [
        web.post(f"{prefix}/v3.0/oa/message/cs", openapi(send_consultation)),
        web.post(f"{prefix}/v3.0/oa/message/template", openapi(send_template)),
        web.post(f"{prefix}/v3.0/oa/message/transaction", openapi(shut_down)),
        web.post(f"{prefix}/v3.0/oa/message/promotion", openapi(shut_down)),
        web.post(f"{prefix}/v2.0/oa/message", openapi(send_old)),
        web.get(f"{prefix}/v2.0/oa/getprofile", openapi(shut_down), allow_head=False),
        web.get(f"{prefix}/v2.0/oa/getfollowers", openapi(shut_down), allow_head=False),
    ]
