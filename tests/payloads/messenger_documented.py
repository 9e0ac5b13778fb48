"""Every documented shape of Messenger's webhooks, and of the calls that we send, with values of our own."""

from __future__ import annotations

from tests.payloads.messenger import (
    AT_MS,
    INBOX_APP,
    OTHER_PAGE,
    OTHER_PERSON,
    OUR_APP,
    PAGE,
    PERSON,
    UPDATES,
    URL,
    Json,
    attachment,
    change,
    comment,
    dump,
    echo,
    entry,
    item,
    message,
    one,
    page,
)


def ad_event(kind: str, **more: object) -> bytes:
    """What the Marketing Messages service posts: a flat body."""
    body = {
        "recipient_id": int(PERSON),
        "page_id": int(PAGE),
        "timestamp": AT_MS,
        "messenger_subscription_token": "55",
        "message_id": "66",
        **more,
    }
    return dump({"field": f"marketing_message_{kind}", **body})


def grown(update: Json, **more: Json) -> bytes:
    """An update whose content has these fields, too, under the names of its parts."""
    found = dict(update)
    for part, fields in more.items():
        found[part] = {**found.get(part, {}), **fields}
    return one(found)


def _without_time(update: Json) -> Json:
    return {key: value for key, value in update.items() if key != "timestamp"}


def media_message(kind: str, **more: object) -> bytes:
    """A message with one attachment; `more` stands beside it in the message."""
    return one(message(attachments=[{"type": kind, **more}]))


_SOLD = {"app_id": OUR_APP, "marketing_message_tracking_id": "0f-7"}
_AD = {
    "ref": "ad_7",
    "ad_id": "120000000000000012",
    "source": "ADS",
    "type": "OPEN_THREAD",
    "ads_context_data": {
        "ad_title": "Áo mới",
        "photo_url": URL,
        "video_url": URL,
        "post_id": "81",
        "product_id": "3",
        "flow_id": "9",
    },
}
_LEAD = {"type": "LEAD_COMPLETE", "ads_context_data": {"ad_title": "Đại lý", "post_id": "81", "photo_url": URL}}
_OPTIN: Json = {
    "type": "notification_messages",
    "payload": "WEEKLY",
    "notification_messages_token": "9",
    "notification_messages_timezone": "Asia/Ho_Chi_Minh",
    "token_expiry_timestamp": "1826000000000",
    "user_token_status": "NOT_REFRESHED",
    "title": "Tin hằng tuần",
}
_POST = {
    "id": f"{PAGE}_81",
    "is_published": True,
    "status_type": "added_photos",
    "permalink_url": URL,
    "updated_time": "2026-11-18T08:00:00+0000",
    "promotion_status": "inactive",
}
_ANSWERED = {"type": "csat", "payload": "4", "follow_up": {"type": "free_form", "payload": "Giao nhanh"}}
_FEEDBACK = {"feedback_screens": [{"screen_id": 0, "questions": {"q1": _ANSWERED}}]}
_MEDIA = {"template_type": "media", "elements": [{"media_type": "image", "attachment_id": 2457000000000001}]}
_LINKS = {"template_type": "button", "buttons": [{"type": "web_url", "url": URL, "title": "Xem shop"}]}
_PRODUCT = {"id": "3", "retailer_id": "AO-3", "image_url": URL, "title": "Áo", "subtitle": "99.000 ₫"}
_BOOKING = {
    "booking_id": "b1",
    "status": "requested",
    "start_time": AT_MS // 1000 + 3600,
    "end_time": AT_MS // 1000 + 7200,
    "timezone": "Asia/Ho_Chi_Minh",
}
_BOUGHT = {"id": 1, "retailer_id": "A", "name": "Áo", "unit_price": 99000, "currency": "VND", "quantity": 2}
_PLAYED = {"player_id": "2", "context_type": "SOLO", "context_id": "3", "payload": "{}"}
_LINK_REFERRAL = {"ref": "qr_1", "source": "SHORTLINK", "type": "OPEN_THREAD"}
_NOTED = {"metadata": "để ghi nhớ"}

EVENTS: dict[str, bytes] = {
    "message_text": one(UPDATES["message: text"]),
    "message_quick_reply": one(UPDATES["message: quick reply"]),
    "message_quick_reply_phone": one(UPDATES["message: phone"]),
    "message_reply_to": one(UPDATES["message: reply"]),
    "message_image": one(UPDATES["message: image"]),
    "message_two_images": one(UPDATES["message: two images"]),
    "message_audio": one(UPDATES["message: audio"]),
    "message_video": one(UPDATES["message: video"]),
    "message_file": one(UPDATES["message: file"]),
    "message_sticker": one(UPDATES["message: sticker"]),
    "message_sticker_legacy": grown(UPDATES["message: old sticker"], message={"seq": 348}),
    "message_sticker_transition": one(UPDATES["message: sticker twice"]),
    "message_fallback": one(UPDATES["message: link"]),
    "message_fallback_legacy_null_payload": grown(UPDATES["message: old link"], message={"seq": 348}),
    "message_reel": one(UPDATES["message: reel"]),
    "message_post": one(UPDATES["message: post"]),
    "message_product_template": media_message("template", payload={"product": {"elements": [_PRODUCT]}}),
    "message_appointment_booking": media_message("appointment_booking", payload=_BOOKING),
    "message_location_legacy": grown(UPDATES["message: place"], message={"seq": 348}),
    "message_commands": one(UPDATES["message: commands"]),
    "message_ads_referral": one(message(text="tư vấn giúp", referral=_AD)),
    "message_referral_product": one(UPDATES["message: about a product"]),
    "message_lead_summary": grown(UPDATES["lead summary"], hop_context={"metadata": "messenger_lead_gen_complete"}),
    "message_edit": grown(UPDATES["edit"], message_edit={"num_edit": 1}),
    "batch_two_entries": dump(
        page(
            entry(message("m_of_one", text="tin một")),
            entry(
                item("message", {"mid": "m_of_two", "text": "tin hai"}, OTHER_PERSON, OTHER_PAGE), page_id=OTHER_PAGE
            ),
        )
    ),
    "echo_text": one(UPDATES["echo"]),
    "echo_from_page_inbox": one(UPDATES["echo of the inbox"]),
    "echo_image": grown(UPDATES["echo of a picture"], message={"metadata": "outbox:7"}),
    "echo_template_button": one(
        echo(app_id=OUR_APP, metadata="outbox:7", attachments=[{"type": "template", "payload": _LINKS}])
    ),
    "echo_fallback": one(
        echo(
            app_id=OUR_APP,
            metadata="outbox:7",
            attachments=[{"type": "fallback", "title": "Legacy Attachment", "url": URL, "payload": None}],
        )
    ),
    "echo_reply_to": one(
        echo(app_id=OUR_APP, metadata="outbox:7", reply_to={"mid": "m_first", "is_self_reply": False})
    ),
    "echo_standby_media_template": one(
        echo(app_id=INBOX_APP, attachments=[{"type": "template", "title": "", "url": URL, "payload": _MEDIA}]),
        place="standby",
    ),
    "standby_message": one(UPDATES["message: text"], place="standby"),
    "postback": one(UPDATES["postback"]),
    "postback_get_started_referral": grown(UPDATES["get started"], postback={"referral": _LINK_REFERRAL}),
    "postback_standby_no_payload": one(UPDATES["postback of another app"], place="standby"),
    "postback_user_ref_field_value": dump(
        {
            "field": "messaging_postbacks",
            "value": {
                **UPDATES["postback by reference"],
                "postback": {"mid": "m_ref", "title": "x", "payload": "GET_STARTED", "referral": _LINK_REFERRAL},
            },
        }
    ),
    "delivery": one(UPDATES["delivery"]),
    "delivery_watermark_only": one(UPDATES["delivery without ids"]),
    "read": one(UPDATES["read"]),
    "reaction_react": one(UPDATES["reaction"]),
    "reaction_unreact": grown(UPDATES["reaction taken back"], reaction={"emoji": "❤️"}),
    "referral_shortlink": one(UPDATES["referral"]),
    "referral_ads": one(item("referral", _AD)),
    "referral_lead_complete": grown(
        UPDATES["lead"], referral=_LEAD, lead={"data": [{"question": "Màu?", "answer": "xanh"}]}
    ),
    "optin_notification_messages": one(item("optin", _OPTIN)),
    "optin_notification_stop": one(item("optin", {**_OPTIN, "notification_messages_status": "STOP NOTIFICATIONS"})),
    "optin_one_time_legacy": grown(UPDATES["optin once"], optin={"payload": "BACK_IN_STOCK"}),
    "optin_send_to_messenger": one(UPDATES["optin of a plugin"]),
    "optin_checkbox_user_ref": one(UPDATES["optin by reference"]),
    "account_linking_linked": one(UPDATES["account linked"]),
    "account_linking_unlinked": one(UPDATES["account unlinked"]),
    "pass_thread_control": grown(UPDATES["control passed"], pass_thread_control=_NOTED),
    "take_thread_control": grown(UPDATES["control taken"], take_thread_control=_NOTED),
    "request_thread_control": grown(UPDATES["control asked for"], request_thread_control=_NOTED),
    "app_roles": one(UPDATES["app roles"]),
    "policy_enforcement": one(UPDATES["policy block"]),
    "messaging_feedback": dump(
        page({"time": AT_MS, "messaging": [_without_time(item("messaging_feedback", _FEEDBACK))]})
    ),
    "response_feedback": one(UPDATES["thumbs"]),
    "game_play": grown(UPDATES["game"], game_play=_PLAYED),
    "send_cart_order": grown(UPDATES["cart"], order={"products": [_BOUGHT]}),
    "coupon_revealed": grown(UPDATES["coupon"], template={"payload": "GIAM_10"}),
    "customer_information": one(UPDATES["address form"]),
    "instant_form_submit": one(UPDATES["form"]),
    "inbox_labels": change(
        "inbox_labels", {"user": {"id": PERSON}, "action": "add", "label": {"id": "1", "page_label_name": "VIP"}}
    ),
    "feed_comment_add": change("feed", comment(parent_id=f"{PAGE}_81")),
    "feed_comment_with_post": change("feed", comment(post=_POST, parent_id=f"{PAGE}_81")),
    "marketing_message_clicks": ad_event("clicks", mid="mid.$c7"),
    "marketing_message_deliveries": ad_event("deliveries", mid="mid.$c7", **_SOLD),
    "marketing_message_delivery_failed": dump(
        {
            "app_id": OUR_APP,
            "business_id": 44,
            "page_id": int(PAGE),
            "messenger_subscription_token": "55",
            "timestamp": AT_MS,
            "error_message": "Unknown Error",
            "message_id": "66",
        }
    ),
    "marketing_message_echoes": ad_event("echoes", mid="mid.$c7", **_SOLD),
    "marketing_message_reads": ad_event("reads", **_SOLD),
}
"""What Meta posts, by what it is."""

HANDSHAKE = {"hub.mode": "subscribe", "hub.verify_token": "let-me-in", "hub.challenge": "1158201444"}


def sending(message_: Json, **more: object) -> Json:
    """A call of the Send API."""
    body = {"recipient": {"id": PERSON}, "messaging_type": "RESPONSE", "message": message_, **more}
    return {"method": "POST", "path": f"/v26.0/{PAGE}/messages", "json": body}


def posting(edge: str, body: Json) -> Json:
    """A call that writes to an edge of the Page."""
    return {"method": "POST", "path": f"/v26.0/{PAGE}/{edge}", "json": body}


def acting(action: str, **more: object) -> Json:
    """A sender action."""
    return posting("messages", {"recipient": {"id": PERSON}, "sender_action": action, **more})


_FIELDS = (
    "messages,messaging_postbacks,messaging_optins,messaging_referrals,messaging_handovers,"
    "messaging_policy_enforcement,message_deliveries,message_reads,message_echoes,message_edits,message_reactions,"
    "standby"
)

CALLS: dict[str, Json] = {
    "send_text": sending({"text": "Dạ còn ạ", "metadata": "outbox:7"}),
    "send_text_human_agent": sending(
        {"text": "Nhân viên xin trả lời ạ"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"
    ),
    "send_reply_to": sending({"text": "Mẫu này ạ"}, reply_to={"mid": "m_first"}),
    "send_image_url": sending({"attachment": attachment("image", url=URL)}),
    "send_quick_replies": sending(
        {
            "text": "Bạn chọn màu:",
            "quick_replies": [
                {"content_type": "text", "title": "Xanh", "payload": "colour:blue"},
                {"content_type": "user_phone_number"},
            ],
        }
    ),
    "send_button_template": sending(
        {
            "attachment": attachment(
                "template",
                template_type="button",
                text="Mời bạn xem",
                buttons=[
                    {"type": "web_url", "url": "https://shop.example.vn/", "title": "Xem shop"},
                    {"type": "phone_number", "title": "Gọi shop", "payload": "+84911222333"},
                ],
            )
        }
    ),
    "send_generic_template": sending(
        {
            "attachment": attachment(
                "template",
                template_type="generic",
                elements=[
                    {
                        "title": "Áo dài",
                        "subtitle": "Lụa",
                        "image_url": URL,
                        "default_action": {"type": "web_url", "url": "https://shop.example.vn/ao"},
                        "buttons": [
                            {"type": "web_url", "url": "https://shop.example.vn/ao", "title": "Xem"},
                            {"type": "postback", "title": "Đặt mua", "payload": "kq:buy"},
                        ],
                    }
                ],
            )
        }
    ),
    "send_attachment_id": sending({"attachment": attachment("image", attachment_id="687799")}),
    "send_sticker": sending({"sticker_id": 369239263222822}),
    "send_media_template": sending(
        {
            "attachment": attachment(
                "template",
                template_type="media",
                elements=[
                    {
                        "media_type": "image",
                        "attachment_id": "687799",
                        "buttons": [{"type": "web_url", "url": "https://shop.example.vn", "title": "Trang web"}],
                    }
                ],
            )
        }
    ),
    "send_receipt_template": sending(
        {
            "attachment": attachment(
                "template",
                template_type="receipt",
                recipient_name="Lan",
                order_number="DH-1",
                currency="VND",
                payment_method="COD",
                summary={"subtotal": 199000, "shipping_cost": 30000, "total_cost": 219000},
                adjustments=[{"name": "Mới", "amount": 10000}],
                elements=[
                    {"title": "Áo thun", "subtitle": "Size M", "quantity": 1, "price": 199000, "currency": "VND"}
                ],
            )
        }
    ),
    "send_utility_template": sending(
        {
            "template": {
                "name": "don_hang",
                "language": {"code": "vi"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": "đã giao"}]},
                    {"type": "buttons", "parameters": [{"type": "POSTBACK", "payload": "kq:order:7"}]},
                ],
            }
        },
        messaging_type="UTILITY",
    ),
    "send_persona": sending({"text": "Chào bạn"}, persona_id="71"),
    "persona_create": posting("personas", {"name": "An T.", "profile_picture_url": ""}),
    "send_reaction": acting("react", payload={"message_id": "m_first", "reaction": "😊"}),
    "send_sender_action": acting("typing_on"),
    "send_private_reply_comment": posting(
        "messages", {"recipient": {"comment_id": "81_82"}, "message": {"text": "Dạ 199k ạ", "metadata": "kq"}}
    ),
    "thread_owner": {"method": "GET", "path": f"/v26.0/{PAGE}/thread_owner", "query": {"recipient": PERSON}},
    "take_thread_control": posting("take_thread_control", {"recipient": {"id": PERSON}}),
    "pass_thread_control": posting(
        "pass_thread_control", {"recipient": {"id": PERSON}, "target_app_id": 263902037430900}
    ),
    "subscribed_apps_get": {"method": "GET", "path": f"/v26.0/{PAGE}/subscribed_apps"},
    "subscribed_apps_post": {
        "method": "POST",
        "path": f"/v26.0/{PAGE}/subscribed_apps",
        "query": {"subscribed_fields": _FIELDS},
    },
    "debug_token": {
        "method": "GET",
        "path": "/v26.0/debug_token",
        "query": {"input_token": "token-1"},
        "token": f"{OUR_APP}|bi-mat",
    },
    "me_accounts": {
        "method": "GET",
        "path": "/v26.0/me/accounts",
        "query": {"fields": "id,name,access_token", "limit": "100"},
    },
    "messenger_profile_set": {
        "method": "POST",
        "path": "/v26.0/me/messenger_profile",
        "json": {
            "get_started": {"payload": "GET_STARTED"},
            "greeting": [{"locale": "default", "text": "Xin chào!"}],
            "persistent_menu": [
                {
                    "locale": "default",
                    "composer_input_disabled": False,
                    "call_to_actions": [{"type": "postback", "title": "Điểm của tôi", "payload": "kq:points"}],
                }
            ],
            "ice_breakers": [
                {"locale": "default", "call_to_actions": [{"question": "Điểm của tôi", "payload": "kq:points"}]}
            ],
        },
    },
    "messenger_profile_get": {
        "method": "GET",
        "path": "/v26.0/me/messenger_profile",
        "query": {"fields": "get_started,greeting,persistent_menu,ice_breakers"},
    },
    "messenger_profile_delete": {
        "method": "DELETE",
        "path": "/v26.0/me/messenger_profile",
        "json": {"fields": ["get_started", "greeting", "persistent_menu", "ice_breakers"]},
    },
    "user_profile": {
        "method": "GET",
        "path": f"/v26.0/{PERSON}",
        "query": {"fields": "name,first_name,last_name,profile_pic"},
    },
    "conversations_list": {
        "method": "GET",
        "path": f"/v26.0/{PAGE}/conversations",
        "query": {
            "platform": "messenger",
            "user_id": PERSON,
            "fields": "messages.limit(20){id,created_time,from,message}",
        },
    },
}
"""The documented calls that we send, in the shapes that need no optional field."""
