"""Every documented shape of Zalo's events, and of the calls that we send, with values of our own."""

from __future__ import annotations

from tests.payloads.zalo import (
    APP_ID,
    AT_MS,
    GROUP,
    LAN,
    MESSAGE_ID,
    OA,
    Json,
    business_card,
    console_test,
    flat,
    follow,
    from_oa,
    from_user,
    in_group,
    location,
    media,
    received,
    submitted_info,
    template_receipt,
    text,
)

BY_APP = {"user_id_by_app": "1111222233334444555"}
VISITOR = "anon-9f3b"
PICTURE = {"thumbnail": "https://t.zdn.vn/be.jpg", "url": "https://f.zdn.vn/to.jpg"}
PDF = {
    "url": "https://f.dlfl.vn/bang-gia.pdf",
    "size": "20480",
    "name": "bang-gia.pdf",
    "checksum": "d41d8cd98f00b204e9800998ecf8427e",
    "type": "pdf",
}
STICKER = {"url": "https://zadn.vn/nhan-dan?eid=7", "id": "2100"}
CARD = {"zinstant_id": "z-7", "text": "Hàng mới", "link_url": "https://shop.example.vn", "checksum": "abc"}
CALL = {
    "user_id": LAN,
    "phone": "84911222333",
    "call_id": "call-7",
    "call_type": "AUDIO",
    "init_time": str(AT_MS),
    "call_duration": 42000,
    "waiting_time": 3,
    "talk_time": 39000,
    "status_code": 0,
}


def echoed(name: str, kind: str = "", payload: Json | None = None, **message: str) -> Json:
    """What the OA sent and Zalo tells of."""
    attachments = {"attachments": [{"type": kind, "payload": payload}]} if kind else {}
    return from_oa(name, {"msg_id": MESSAGE_ID, **message, **attachments}) | BY_APP


def group_life(name: str, *, people: bool = True) -> Json:
    """Something that happened to a group."""
    return flat(name, group_id=GROUP, **({"users": [{"id": LAN}]} if people else {}))


def without_app(event: Json) -> Json:
    """Some events of templates name no app."""
    return {key: value for key, value in event.items() if key != "app_id"}


def visitor(name: str, sender: str, recipient: str) -> Json:
    """To or from somebody who has not said who they are."""
    message = {"text": "Cho hỏi chút", "msg_id": MESSAGE_ID, "conversation_id": "conv-3"}
    event = in_group(name) | {"sender": {"id": sender}, "recipient": {"id": recipient}, "message": message}
    return {key: value for key, value in event.items() if key != "oa_id"}


_FEEDBACK = {
    "rating_type": "csat",
    "option": "five_emotions",
    "note": "Giao nhanh",
    "rate": 4,
    "submit_time": str(AT_MS),
    "msg_id": "zbs-1f2e3d",
    "feedbacks": ["Đúng hẹn"],
    "tracking_id": "don-42-da-giao",
}
_PRESSED = {"submit_time": str(AT_MS), "button_type": "response", "data": "Đồng ý", "tracking_id": "don-42-da-giao"}
_INFO = {"name": "Lê Thị Lan", "phone": "84911222333"}
_STATUS = {"prev_status": "PENDING_REVIEW", "new_status": "ENABLE"}

EVENTS: dict[str, Json] = {
    "user_send_text": text(),
    "user_send_text_quote": text("Cái này còn không?", quote_msg_id="0a1b2c3d4e5f60718293"),
    "user_send_image": media("image", PICTURE),
    "user_send_gif": media("gif", PICTURE),
    "user_send_link": media("link", {**PICTURE, "description": "Áo dài"}, words="https://shop.example.vn/ao"),
    "user_send_audio": media("audio", {"url": "https://voice.zdn.vn/7.amr"}),
    "user_send_video": media("video", {**PICTURE, "description": "mặc thử"}),
    "user_send_sticker": media("sticker", STICKER),
    "user_send_location": location(),
    "user_send_file": media("file", PDF),
    "user_send_business_card": business_card(),
    "user_submit_info": submitted_info(
        **_INFO,
        user_dob="20/11/1990",
        gender="Nữ",
        full_address={"user_city": "Huế", "user_ward": "Phường Ví Dụ", "user_address": "2 Phố Mẫu"},
    ),
    "user_submit_info_legacy": submitted_info(
        **_INFO, address="2 Phố Mẫu", city="Huế", district="Quận Mẫu", ward="Phường Ví Dụ"
    ),
    "user_reacted_message": from_user("user_reacted_message", {"react_icon": "/-heart"}),
    "user_received_message": received() | BY_APP,
    "user_received_message_zbs_phone": template_receipt(),
    "user_seen_message": from_oa("user_seen_message", {"msg_ids": [MESSAGE_ID, "0a1b2c3d4e5f60718293"]}) | BY_APP,
    "user_click_chatnow": flat("user_click_chatnow", user_id=LAN, **BY_APP),
    "user_withdraw": flat("user_withdraw", user_id=LAN, **BY_APP),
    "follow": follow() | BY_APP,
    "unfollow": follow("unfollow") | BY_APP,
    "oa_send_text": echoed("oa_send_text", text="Dạ còn ạ"),
    "oa_send_text_by_admin": from_oa("oa_send_text", {"msg_id": MESSAGE_ID, "text": "Em Mai đây ạ"}, admin_id="61")
    | BY_APP,
    "oa_send_image": echoed("oa_send_image", "image", PICTURE),
    "oa_send_gif": echoed("oa_send_gif", "gif", PICTURE),
    "oa_send_file": echoed("oa_send_file", "file", PDF),
    "oa_send_sticker": echoed("oa_send_sticker", "sticker", STICKER),
    "oa_send_list": {**from_oa("oa_send_list", {"text": "Hàng mới", "msg_id": MESSAGE_ID}), **BY_APP}
    | {"message": {"text": "Hàng mới", "msg_id": MESSAGE_ID, "attachments": [{"type": "template", "payload": CARD}]}},
    "oa_reacted_message": from_oa("oa_reacted_message", {"msg_id": MESSAGE_ID, "react_icon": "/-strong"}) | BY_APP,
    "console_test_user_send_text": console_test(),
    "update_user_info": flat("update_user_info", user_id=LAN, data={"method": "dynamic_url"}, **BY_APP),
    "add_user_to_tag": flat("add_user_to_tag", tag={"user_ids": [LAN], "name": "Khách quen"}, **BY_APP),
    "remove_user_from_tag": flat("remove_user_from_tag", tag={"user_ids": [LAN], "name": "Khách quen"}, **BY_APP),
    "remove_tag": flat("remove_tag", tag={"name": "Khách quen"}),
    "anonymous_send_text": visitor("anonymous_send_text", VISITOR, OA),
    "oa_send_anonymous_text": visitor("oa_send_anonymous_text", OA, VISITOR),
    "create_group": group_life("create_group", people=False),
    "user_join_group": group_life("user_join_group"),
    "user_request_join_group": group_life("user_request_join_group"),
    "accept_request_join_group": group_life("accept_request_join_group"),
    "reject_request_join_group": group_life("reject_request_join_group"),
    "add_group_admin": group_life("add_group_admin"),
    "remove_group_admin": group_life("remove_group_admin"),
    "update_group_info": group_life("update_group_info", people=False),
    "user_out_group": group_life("user_out_group"),
    "delete_group": group_life("delete_group", people=False),
    "user_send_group_text": in_group(),
    "oa_send_group_text": in_group("oa_send_group_text") | {"sender": {"id": OA}},
    "oa_send_consent": flat(
        "oa_send_consent",
        phone="84911222333",
        request_type="SENT",
        create_time=str(AT_MS),
        expired_time=str(AT_MS + 86_400_000),
    ),
    "user_reply_consent": flat(
        "user_reply_consent", phone="84911222333", user_consent="ALLOW", confirmed_time=str(AT_MS), expired_time="0"
    ),
    "user_call_oa": flat("user_call_oa", **CALL),
    "oa_call_user": flat("oa_call_user", **CALL),
    "widget_interaction_accepted": flat(
        "widget_interaction_accepted",
        data={"user_id": LAN, "user_external_id": "pos-12", "url": "https://shop.example.vn/gio-hang"},
    ),
    "widget_failed_to_sync_user_external_id": flat(
        "widget_failed_to_sync_user_external_id",
        data={"user_id": LAN, "user_external_id": "pos-12", "message": "user already has user_external_id"},
    ),
    "extension_purchased": flat(
        "extension_purchased",
        extension_id="77",
        extension_sub_info={
            "valid_start_date": "01/11/2026",
            "valid_through_date": "30/11/2026",
            "duration_month": 1,
        },
    ),
    "user_feedback": flat("user_feedback", message=_FEEDBACK),
    "user_click_response_button": flat("user_click_response_button", message=_PRESSED, msg_id="zbs-1f2e3d"),
    "change_template_status": flat("change_template_status", template_id="55", status=_STATUS, reason="Đạt"),
    "change_template_quality": without_app(flat("change_template_quality", template_id="55", quality="HIGH")),
    "change_oa_daily_quota": {
        "event_name": "change_oa_daily_quota",
        "oaId": OA,
        "quota": {"prev_value": "500", "new_value": "2000"},
        "timestamp": str(AT_MS),
    },
}
"""What Zalo posts, by the event's name; a second shape of one event has a name that says how it differs."""


def consultation(**message: object) -> Json:
    """A call that sends a consultation message."""
    body = {"recipient": {"user_id": LAN}, "message": message}
    return {"method": "POST", "path": "/v3.0/oa/message/cs", "json": body}


def template(**payload: object) -> Json:
    return {"type": "template", "payload": payload}


def picture(**source: str) -> Json:
    return template(template_type="media", elements=[{"media_type": "image", **source}])


CALLS: dict[str, Json] = {
    "cs_text": consultation(text="Dạ còn ạ"),
    "cs_quote": consultation(text="Mẫu này ạ", quote_message_id=MESSAGE_ID),
    "cs_image_url": consultation(text="Mẫu mới", attachment=picture(url="https://shop.example.vn/ao.jpg")),
    "cs_image_attachment": consultation(text="Mẫu mới", attachment=picture(attachment_id="tep-da-tai-len")),
    "cs_buttons": consultation(
        text="Bạn cần gì?",
        attachment=template(
            buttons=[
                {"title": "Xem đơn", "type": "oa.query.hide", "payload": "kq:orders"},
                {"title": "Trang web", "type": "oa.open.url", "payload": {"url": "https://shop.example.vn"}},
                {"title": "Gọi shop", "type": "oa.open.phone", "payload": {"phone_code": "84911222333"}},
            ]
        ),
    ),
    "cs_request_user_info": consultation(
        attachment=template(
            template_type="request_user_info",
            elements=[
                {
                    "title": "Liên kết",
                    "subtitle": "Cho shop xin số điện thoại",
                    "image_url": "https://shop.example.vn/bia.png",
                }
            ],
        )
    ),
    "user_detail": {"method": "GET", "path": "/v3.0/oa/user/detail", "data": {"user_id": LAN}},
    "conversation": {
        "method": "GET",
        "path": "/v2.0/oa/conversation",
        "data": {"user_id": int(LAN), "offset": 0, "count": 10},
    },
    "oauth_refresh": {
        "method": "POST",
        "path": "/v4/oa/access_token",
        "secret_key": "bi-mat",
        "form": {"refresh_token": "lam-moi-1", "app_id": APP_ID, "grant_type": "refresh_token"},
    },
    "cs_sticker": consultation(
        attachment=template(template_type="media", elements=[{"media_type": "sticker", "attachment_id": "2100"}])
    ),
    "cs_file": consultation(attachment={"type": "file", "payload": {"token": "tep-da-tai-len"}}),
    "reaction": {
        "method": "POST",
        "path": "/v2.0/oa/message",
        "json": {
            "recipient": {"user_id": LAN},
            "sender_action": {"react_icon": "/-strong", "react_message_id": MESSAGE_ID},
        },
    },
    "oauth_exchange": {
        "method": "POST",
        "path": "/v4/oa/access_token",
        "secret_key": "bi-mat",
        "form": {
            "code": "ma-cap-quyen",
            "app_id": APP_ID,
            "grant_type": "authorization_code",
            "code_verifier": "chuoi-xac-minh",
        },
    },
    "quota_oa": {
        "method": "POST",
        "path": "/v3.0/oa/quota/message",
        "json": {"quota_owner": "OA", "product_type": "cs", "quota_type": "sub_quota"},
    },
    "quota_user": {"method": "POST", "path": "/v3.0/oa/quota/message", "json": {"user_id": LAN}},
    "tag_follower": {
        "method": "POST",
        "path": "/v2.0/oa/tag/tagfollower",
        "json": {"user_id": int(LAN), "tag_name": "Khách quen"},
    },
    "template_uid": {
        "method": "POST",
        "path": "/v3.0/oa/message/template",
        "json": {"user_id": LAN, "template_id": "55", "template_data": {"ma_don": "DH-42"}},
    },
    "zbs_phone": {
        "method": "POST",
        "path": "/message/template",
        "json": {
            "phone": "84911222333",
            "template_id": "55",
            "template_data": {"ma_don": "DH-42"},
            "tracking_id": "kq-7",
        },
    },
    "user_getlist": {
        "method": "GET",
        "path": "/v3.0/oa/user/getlist",
        "data": {
            "offset": 50,
            "count": 50,
            "is_follower": "true",
            "last_interaction_period": "2026_10_01:2026_10_31",
        },
    },
}
"""The documented calls that we send: `data` is the one parameter of a GET, as JSON."""


def said(data: Json | list[Json]) -> Json:
    return {"data": data, "error": 0, "message": "Success"}


def sent(**quota: str) -> Json:
    about = {"message_id": MESSAGE_ID, "user_id": LAN, "sent_time": str(AT_MS)}
    return said({**about, "quota": quota} if quota else about)


ANSWERS: dict[str, Json] = {
    "cs_response_reply": sent(quota_type="reply"),
    "cs_response_billed": sent(),
    "cs_response_sub_quota": sent(quota_type="sub_quota", remain="77", total="500", expired_date="30/11/2026"),
    "template_uid_response": said({"message_id": MESSAGE_ID, "user_id": LAN, "sent_time": str(AT_MS)}),
    "zbs_phone_response": said(
        {
            "msg_id": MESSAGE_ID,
            "sent_time": str(AT_MS),
            "sending_mode": "1",
            "quota": {"dailyQuota": "500", "remainingQuota": "88"},
        }
    ),
    "quota_oa_response": said(
        [
            {
                "asset_id": "goi-7",
                "product_type": "cs",
                "quota_type": "sub_quota",
                "valid_through": "31/12/2026",
                "total": 500,
                "remain": 77,
            }
        ]
    ),
    "quota_user_response": said(
        {
            "last_interaction": str(AT_MS),
            "cs_reply": {"remain": 8, "total": 8},
            "promotion": {"daily_remain": 0, "daily_total": 1, "monthly_remain": 4, "monthly_total": 6},
        }
    ),
    "zbs_quota_response": said(
        {
            "dailyQuota": 500,
            "remainingQuota": 88,
            "dailyQuotaPromotion": None,
            "remainingQuotaPromotion": None,
            "monthlyPromotionQuota": 125,
            "remainingMonthlyPromotionQuota": 9,
            "estimatedNextMonthPromotionQuota": 2000,
        }
    ),
    "user_getlist_response": said(
        {"total": 2, "count": 50, "offset": 0, "users": [{"user_id": LAN}, {"user_id": "77"}]}
    ),
    "user_detail_response": said(
        {
            "user_id": LAN,
            "user_id_by_app": "1111222233334444555",
            "user_external_id": "",
            "display_name": "Lê Thị Lan",
            "user_alias": "Lan",
            "is_sensitive": False,
            "user_last_interaction_date": "21/11/2026",
            "user_is_follower": True,
            "avatar": "https://s120.zdn.vn/lan.jpg",
            "avatars": {"120": "https://s120.zdn.vn/lan.jpg", "240": "https://s240.zdn.vn/lan.jpg"},
            "dynamic_param": "",
            "tags_and_notes_info": {"notes": ["thích màu xanh"], "tag_names": ["Khách quen"]},
            "shared_info": {"address": "2 Phố Mẫu", "phone": 84911222333, "name": "Lan", "user_dob": "20/11/1990"},
        }
    ),
    "getoa_response": said(
        {
            "oaid": OA,
            "name": "Cửa hàng Mẫu",
            "oa_alias": "mau",
            "is_verified": True,
            "oa_type": 2,
            "num_follower": 100,
            "package_name": "Tăng trưởng",
            "package_valid_through_date": "31/12/2026",
            "package_auto_renew_date": "01/01/2027",
            "linked_ZCA": "ZCA-7",
        }
    ),
    "upload_image_response": said({"attachment_id": "anh-7"}),
    "upload_file_response": said({"token": "tep-7"}),
    "oauth_token_response": {"access_token": "moi", "refresh_token": "moi-hon", "expires_in": "90000"},
    "oauth_error_response": {
        "error_name": "Invalid refresh token",
        "error_reason": "Refresh token was used",
        "ref_doc": "https://developers.zalo.me/docs",
        "error_description": "Refresh token was used",
        "error": -14020,
    },
    "error_response": {"error": -216, "message": "Access token is invalid"},
}
"""The documented answers that we read, each to the call of its name."""
