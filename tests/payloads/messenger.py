"""Webhook bodies as Messenger sends them, built from made-up values."""

from __future__ import annotations

import hmac
import json
from typing import Any

from bot.channels.base import Keys

PAGE = "700100200300400"
OTHER_PAGE = "700100200300499"
PERSON = "4400123456789012"
OTHER_PERSON = "4400123456789013"
OUR_APP = 990011223344
INBOX_APP = 263902037430900
AT_MS = 1_795_000_000_250
SECRET = "one-made-up-secret"
KEYS = Keys(app_id=str(OUR_APP), secret=SECRET, verify_token="let-me-in", account_ids=frozenset({PAGE, OTHER_PAGE}))

Json = dict[str, Any]


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers that Meta would send with this body."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()}


def dump(data: Any) -> bytes:
    """JSON as Meta writes it: only ASCII, slashes escaped."""
    return json.dumps(data, separators=(",", ":")).replace("/", "\\/").encode()


def page(*entries: Any) -> Json:
    return {"object": "page", "entry": list(entries)}


def entry(*items: Json, page_id: Any = PAGE, place: str = "messaging") -> Json:
    return {"id": page_id, "time": AT_MS + 500, place: list(items)}


def item(name: str, content: Any, person: Any = PERSON, page_id: Any = PAGE, **more: Any) -> Json:
    """What a person did."""
    return {
        "sender": {"id": person},
        "recipient": {"id": page_id},
        "timestamp": AT_MS,
        name: content,
        **more,
    }


def message(mid: str = "m_first", person: Any = PERSON, **content: Any) -> Json:
    return item("message", {"mid": mid, **content}, person)


def echo(mid: str = "m_echo", person: Any = PERSON, **content: Any) -> Json:
    sent = item("message", {"mid": mid, "is_echo": True, **content})
    return {**sent, "sender": {"id": PAGE}, "recipient": {"id": person}}


def attachment(kind: str, **payload: Any) -> Json:
    return {"type": kind, "payload": payload}


def one(item_: Json, place: str = "messaging") -> bytes:
    """A body with this one update."""
    return dump(page(entry(item_, place=place)))


def change(field: str, value: Any) -> bytes:
    return one({"field": field, "value": value}, place="changes")


def comment(**value: Any) -> Json:
    return {
        "from": {"id": "5500", "name": "Người Lạ"},
        "item": "comment",
        "verb": "add",
        "comment_id": "81_82",
        "post_id": f"{PAGE}_81",
        "created_time": AT_MS // 1000,
        "message": "Còn màu xanh không?",
        **value,
    }


URL = "https://cdn.example.net/tep/anh.jpg"

MESSAGES: dict[str, Json] = {
    "text": {"text": "Còn màu xanh không shop?"},
    "quick reply": {"text": "Màu xanh", "quick_reply": {"payload": "colour:blue"}},
    "phone": {"text": "+84911222333", "quick_reply": {"payload": "+84911222333"}},
    "reply": {"text": "cái này", "reply_to": {"mid": "m_before", "is_self_reply": False}},
    "image": {"attachments": [attachment("image", url=URL)]},
    "two images": {"attachments": [attachment("image", url=URL), attachment("image", url=URL + "?2")]},
    "audio": {"attachments": [attachment("audio", url=URL)]},
    "video": {"attachments": [attachment("video", url=URL)]},
    "file": {"attachments": [attachment("file", url="https://cdn.example.net/x/b%C3%A1o-gi%C3%A1.pdf?oe=1")]},
    "sticker": {"attachments": [attachment("sticker", url=URL, sticker_id=369239263222822)]},
    "old sticker": {"sticker_id": 77, "attachments": [attachment("image", url=URL, sticker_id=77)]},
    "sticker twice": {"attachments": [attachment("sticker", url=URL, sticker_id="77"), attachment("image", url=URL)]},
    "link": {"text": "xem nè", "attachments": [attachment("fallback", url=URL, title="Áo xanh")]},
    "old link": {"attachments": [{"type": "fallback", "payload": None, "title": "Áo xanh", "URL": URL}]},
    "nothing to show": {"attachments": [{"type": "fallback"}]},
    "reel": {"attachments": [attachment("reel", url=URL, title="Phim", reel_video_id=5)]},
    "post": {"attachments": [attachment("post", url=URL, title="Bài mới", id=5)]},
    "ig post": {"attachments": [attachment("ig_post", url=URL)]},
    "product": {
        "attachments": [
            attachment("template", product={"elements": [{"id": "3", "title": "Áo", "subtitle": "99.000 ₫"}]})
        ]
    },
    "appointment": {"attachments": [attachment("appointment_booking", booking_id="b1", status="requested")]},
    "place": {"attachments": [attachment("location", coordinates={"lat": 16.06, "long": 108.22})]},
    "commands": {"text": "gia ao", "commands": [{"name": "gia"}]},
    "from an advertisement": {"text": "tư vấn", "referral": {"ref": "ad_7", "ad_id": "12", "source": "ADS"}},
    "about a product": {"text": "còn không", "referral": {"product": {"id": "3"}}},
    "of an unknown type": {"attachments": [attachment("hologram", url=URL)]},
    "empty": {},
    "unsent": {"is_deleted": True},
}

UPDATES: dict[str, Json] = {
    **{f"message: {name}": message(**content) for name, content in MESSAGES.items()},
    "lead summary": {**message(text="Lead summary:\nMàu?: xanh"), "hop_context": {"app_id": 413038776280800}},
    "echo": echo(text="Dạ còn ạ", app_id=OUR_APP, metadata="outbox:7"),
    "echo of the inbox": echo(text="Chào bạn", app_id=INBOX_APP),
    "echo of a picture": echo(attachments=[attachment("image", url=URL)], app_id=OUR_APP),
    "echo of buttons": echo(attachments=[attachment("template", template_type="button", text="Chọn")], app_id=OUR_APP),
    "postback": item("postback", {"mid": "m_press", "title": "Xem giá", "payload": "price"}),
    "get started": item("postback", {"title": "Bắt đầu", "payload": "GET_STARTED", "referral": {"ref": "qr_1"}}),
    "postback of another app": item("postback", {"title": "Xem giá"}),
    "postback by reference": {
        **item("postback", {"mid": "m_ref", "title": "x"}),
        "sender": {"user_ref": "made-up-ref"},
        "timestamp": "1795000000",
    },
    "delivery": item("delivery", {"mids": ["m_echo", "m_echo2"], "watermark": AT_MS - 9}),
    "delivery without ids": item("delivery", {"watermark": AT_MS - 9}),
    "read": item("read", {"watermark": AT_MS - 9}),
    "reaction": item("reaction", {"reaction": "love", "emoji": "❤️", "action": "react", "mid": "m_echo"}),
    "reaction taken back": item("reaction", {"reaction": "love", "action": "unreact", "mid": "m_echo"}),
    "edit": item("message_edit", {"mid": "m_first", "text": "Còn màu đỏ không?", "num_edit": "2"}),
    "referral": item("referral", {"ref": "qr_1", "source": "SHORTLINK", "type": "OPEN_THREAD"}),
    "referral of an advertisement": item("referral", {"ref": "ad_7", "ad_id": 12, "source": "ADS"}),
    "lead": item("referral", {"source": "ADS", "type": "LEAD_COMPLETE", "ad_id": "12"}, lead={"data": []}),
    "optin": item("optin", {"type": "notification_messages", "payload": "WEEKLY", "notification_messages_token": "9"}),
    "optin stopped": item(
        "optin", {"type": "notification_messages", "notification_messages_status": "STOP NOTIFICATIONS"}
    ),
    "optin once": item("optin", {"type": "one_time_notif_req", "one_time_notif_token": "9"}),
    "optin of a plugin": item("optin", {"ref": "basket"}),
    "optin by reference": {
        "recipient": {"id": PAGE},
        "timestamp": AT_MS,
        "optin": {"ref": "basket", "user_ref": "made-up-ref"},
    },
    "account linked": item("account_linking", {"status": "linked", "authorization_code": "secret-code"}),
    "account unlinked": item("account_linking", {"status": "unlinked"}),
    "control passed": item("pass_thread_control", {"previous_owner_app_id": None, "new_owner_app_id": "9"}),
    "control taken": item("take_thread_control", {"previous_owner_app_id": "9", "new_owner_app_id": INBOX_APP}),
    "control asked for": item("request_thread_control", {"requested_owner_app_id": INBOX_APP}),
    "app roles": {"recipient": {"id": PERSON}, "timestamp": AT_MS, "app_roles": {"9": ["primary_receiver"]}},
    "policy block": {
        "recipient": {"id": PAGE},
        "timestamp": AT_MS,
        "policy_enforcement": {"action": "block", "reason": "spam"},
    },
    "policy warning": {"recipient": {"id": PAGE}, "timestamp": AT_MS, "policy-enforcement": {"action": "warning"}},
    "feedback": item("messaging_feedback", {"feedback_screens": [{"screen_id": 0, "questions": {}}]}),
    "thumbs": item("response_feedback", {"feedback": "Bad response", "mid": "m_echo"}),
    "game": item("game_play", {"game_id": "1", "score": 3}),
    "cart": item("order", {"products": [{"id": 1, "retailer_id": "A", "quantity": 2}], "note": "gói quà"}),
    "coupon": item("template", {"type": "coupon", "coupon_code": "GIAM10"}),
    "address form": item(
        "messaging_customer_information",
        {
            "screens": [
                {
                    "responses": [
                        {"key": "name", "value": "Lan"},
                        {"key": "phone", "value": "+84911222333"},
                        {"key": "address_line_1", "value": "2 Phố Ví Dụ"},
                        {"key": "locality", "value": "Phường Mẫu"},
                    ]
                }
            ]
        },
    ),
    "form": item("form", {"id": "31"}),
}
"""One update of every kind, by what it is."""

CHANGES: dict[str, bytes] = {
    "comment": change("feed", comment()),
    "label": change("inbox_labels", {"user": {"id": PERSON}, "action": "add", "label": {"id": "1"}}),
    "template": change(
        "message_template_status_update", {"event": "REJECTED", "message_template_id": 61, "reason": "WORDS"}
    ),
    **{
        f"marketing {what}": change(f"marketing_message_{what}", {"recipient_id": int(PERSON), "message_id": "1"})
        for what in ("clicks", "deliveries", "delivery_failed", "echoes", "reads")
    },
    "marketing failure by itself": dump(
        {"page_id": int(PAGE), "messenger_subscription_token": "1", "timestamp": AT_MS, "error_message": "x"}
    ),
    "marketing click by itself": dump(
        {"field": "marketing_message_clicks", "page_id": int(PAGE), "recipient_id": int(PERSON), "timestamp": AT_MS}
    ),
    "postback by itself": dump(
        {"field": "messaging_postbacks", "value": item("postback", {"mid": "m_p", "title": "x", "payload": "y"})}
    ),
}
