"""Zalo's events that are genuine but ask nothing of us, each with the few values worth keeping in sight."""

from __future__ import annotations

_GROUP_LIFE = (
    "create_group",
    "user_join_group",
    "user_request_join_group",
    "accept_request_join_group",
    "react_request_join_group",
    "react_request_join_group_accept",
    "reject_request_join_group",
    "react_request_join_group_reject",
    "add_group_admin",
    "remove_group_admin",
    "update_group_info",
    "user_out_group",
    "user_leave_group",
    "delete_group",
    "disperse_group",
)
"""Sources of the documentation name some of these differently; all the names are taken."""

_IN_GROUPS = ("text", "image", "link", "audio", "video", "location", "business_card", "sticker", "gif", "file", "list")
_FROM_VISITORS = ("text", "image", "file", "sticker")
_CALL = ("user_id", "call_id", "call_type", "talk_time", "status_code")

QUIET: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_GROUP_LIFE, ("group_id",)),
    **{f"user_send_group_{kind}": ("recipient.id", "sender.id", "message.msg_id") for kind in _IN_GROUPS},
    **{f"oa_send_group_{kind}": ("recipient.id", "message.msg_id") for kind in _IN_GROUPS},
    **{f"anonymous_send_{kind}": ("sender.id", "message.conversation_id") for kind in _FROM_VISITORS},
    **{f"oa_send_anonymous_{kind}": ("recipient.id", "message.conversation_id") for kind in _FROM_VISITORS},
    "oa_reacted_message": ("message.msg_id", "message.react_icon"),
    "update_user_info": ("data.method",),
    "add_user_to_tag": ("tag.name",),
    "remove_user_from_tag": ("tag.name",),
    "remove_tag": ("tag.name",),
    "widget_interaction_accepted": ("data.user_id", "data.user_external_id"),
    "widget_failed_to_sync_user_external_id": ("data.user_id", "data.user_external_id", "data.message"),
    "extension_purchased": ("extension_id",),
    "shop_has_order": (),
    "user_asking_product": (),
    "oa_send_consent": ("request_type", "expired_time"),
    "user_reply_consent": ("user_consent", "confirmed_time", "expired_time"),
    "user_call_oa": _CALL,
    "oa_call_user": _CALL,
    "user_feedback": ("message.msg_id", "message.rate", "message.note", "message.tracking_id"),
    "user_click_response_button": ("msg_id", "message.button_type", "message.data", "message.tracking_id"),
    "change_oa_daily_quota": ("quota.prev_value", "quota.new_value"),
    "change_oa_template_tags": (),
    "event_journey_acknowledged": (),
    "event_journey_time_out": (),
}
