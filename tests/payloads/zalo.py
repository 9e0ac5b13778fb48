"""Zalo's webhooks as it would post them: made-up people of a made-up shop, in the platform's shapes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = dict[str, Any]

APP_ID = "7100200300400500600"
SECRET = "khoa-bi-mat-cua-oa"
OA = "8200300400500600700"
LAN = "9300400500600700800"
GROUP = "a1c3e5f7092b4d6f8a0c"
MESSAGE_ID = "5f3d2c1b0a9e8d7c6b5a"
AT_MS = 1795000000250


def signed(body: bytes, timestamp: str = str(AT_MS), *, app_id: str = APP_ID, secret: str = SECRET) -> dict[str, str]:
    """The header that Zalo would send with this body."""
    mac = hashlib.sha256(app_id.encode() + body + timestamp.encode() + secret.encode()).hexdigest()
    return {"X-ZEvent-Signature": f"mac={mac}"}


def dumped(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def from_user(name: str, message: Json | None = None, **more: Any) -> Json:
    """An event of the family that a person sends to the OA."""
    event = _event(name, sender={"id": LAN}, recipient={"id": OA}, user_id_by_app="1111222233334444555")
    return event | ({"message": {"msg_id": MESSAGE_ID, **message}} if message is not None else {}) | more


def from_oa(name: str, message: Json, *, admin_id: str = "") -> Json:
    """An event of the family that goes from the OA to a person."""
    sender = {"id": OA, "admin_id": admin_id} if admin_id else {"id": OA}
    return _event(name, sender=sender, recipient={"id": LAN}, message=message)


def flat(name: str, **more: Any) -> Json:
    """An event that names its OA at the top."""
    return _event(name, oa_id=OA, **more)


def text(words: object = "Chào shop", **more: Any) -> Json:
    return from_user("user_send_text", {"text": words, **more})


def media(kind: str, payload: Json, *, name: str = "", words: str | None = None) -> Json:
    """`kind` is the attachment's type; `name` where the event is called differently."""
    caption = {} if words is None else {"text": words}
    return from_user(f"user_send_{name or kind}", {"attachments": [{"type": kind, "payload": payload}], **caption})


def business_card(phone: str = "84911222333") -> Json:
    details = json.dumps({"phone": phone, "qrCodeUrl": "https://qr.zdn.vn/minh.png"})
    payload = {"thumbnail": "https://s.zdn.vn/minh.jpg", "description": details, "url": "https://qr.zdn.vn/minh.png"}
    return media("link", payload, name="business_card", words="Trần Minh")


def location(latitude: object = "21.0285", longitude: object = "105.8542") -> Json:
    return media("location", {"coordinates": {"latitude": latitude, "longitude": longitude}}, words="")


def follow(name: str = "follow") -> Json:
    return flat(name, follower={"id": LAN}, source="oa_profile")


def submitted_info(**info: Any) -> Json:
    return from_user("user_submit_info", info=info)


def received(**more: Any) -> Json:
    return from_oa("user_received_message", {"msg_id": MESSAGE_ID, **more})


def template_receipt() -> Json:
    """A ZBS template reached a phone: the recipient is a phone number, not a person's id."""
    message = {"delivery_time": str(AT_MS + 900), "msg_id": "zbs-1f2e3d", "tracking_id": "don-42-da-giao"}
    return _event("user_received_message", sender={"id": OA}, recipient={"id": "84911222333"}, message=message)


def console_test() -> Json:
    event = text("This is testing message", msg_id="This is message id")
    return event | {"sender": {"id": "1212121212"}, "recipient": {"id": "3434343434"}}


def in_group(name: str = "user_send_group_text") -> Json:
    message = {"text": f"[@{OA}] còn hàng không?", "msg_id": MESSAGE_ID}
    return flat(name, sender={"id": LAN}, recipient={"id": GROUP}, message=message)


def _event(name: str, **more: Any) -> Json:
    return {"app_id": APP_ID, "event_name": name, "timestamp": str(AT_MS), **more}
