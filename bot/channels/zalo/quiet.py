"""Zalo's events that are genuine but ask nothing of us, and those of groups, which we only overhear."""

from __future__ import annotations

GROUP_LIFE = {
    "create_group": "created",
    "user_join_group": "joined",
    "user_request_join_group": "asked",
    "accept_request_join_group": "accepted",
    "react_request_join_group": "accepted",
    "react_request_join_group_accept": "accepted",
    "reject_request_join_group": "rejected",
    "react_request_join_group_reject": "rejected",
    "add_group_admin": "admin_added",
    "remove_group_admin": "admin_removed",
    "update_group_info": "updated",
    "user_out_group": "left",
    "user_leave_group": "left",
    "delete_group": "dissolved",
    "disperse_group": "dissolved",
}
"""What happens to groups. Sources of the documentation name some of it differently; all the names are taken."""

IN_GROUPS = ("text", "image", "link", "audio", "video", "location", "business_card", "sticker", "gif", "file", "list")
"""What is said in groups."""

_FROM_VISITORS = ("text", "image", "file", "sticker")
_CALL = ("user_id", "call_id", "call_type", "talk_time", "status_code")

QUIET: dict[str, tuple[str, ...]] = {
    **{f"anonymous_send_{kind}": ("sender.id", "message.conversation_id") for kind in _FROM_VISITORS},
    **{f"oa_send_anonymous_{kind}": ("recipient.id", "message.conversation_id") for kind in _FROM_VISITORS},
    "oa_reacted_message": ("message.msg_id", "message.react_icon"),
    "update_user_info": ("data.method",),
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
    "event_journey_acknowledged": (),
    "event_journey_time_out": (),
}
