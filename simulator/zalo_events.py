"""Zalo webhook bodies, shaped as Zalo documents them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.config import SimulatorConfig
from simulator.people import Contact, stable_id

JSON = dict[str, Any]
STAFF_ADMIN_ID = "5678901234567890123"


def millis(at: datetime) -> str:
    """Epoch milliseconds as Zalo writes them: a string."""
    return str(int(at.timestamp() * 1000))


def by_app(contact: Contact) -> str:
    """The `user_id_by_app` of a person."""
    return stable_id("4", "by_app:" + contact.user_id, 19)


def from_person(config: SimulatorConfig, contact: Contact, event: str, message: JSON, at: datetime) -> JSON:
    """A `user_send_*` event, or a reaction."""
    return {
        "app_id": config.zalo_app_id,
        "sender": {"id": contact.user_id},
        "user_id_by_app": by_app(contact),
        "recipient": {"id": config.zalo_oa_id},
        "event_name": event,
        "message": message,
        "timestamp": millis(at),
    }


def from_oa(
    config: SimulatorConfig, contact: Contact, event: str, message: JSON, at: datetime, admin_id: str = ""
) -> JSON:
    """An `oa_send_*` echo or a receipt; only a human in the OA's own chat tool has an `admin_id`."""
    sender = {"id": config.zalo_oa_id}
    if admin_id:
        sender["admin_id"] = admin_id
    return {
        "app_id": config.zalo_app_id,
        "sender": sender,
        "user_id_by_app": by_app(contact),
        "recipient": {"id": contact.user_id},
        "event_name": event,
        "message": message,
        "timestamp": millis(at),
    }


def following(config: SimulatorConfig, contact: Contact, event: str, at: datetime) -> JSON:
    """`follow` or `unfollow`."""
    return {
        "oa_id": config.zalo_oa_id,
        "follower": {"id": contact.user_id},
        "user_id_by_app": by_app(contact),
        "event_name": event,
        "source": "oa_profile",
        "app_id": config.zalo_app_id,
        "timestamp": millis(at),
    }


def about_user(config: SimulatorConfig, contact: Contact, event: str, at: datetime) -> JSON:
    """`user_click_chatnow` or `user_withdraw`."""
    return {
        "app_id": config.zalo_app_id,
        "oa_id": config.zalo_oa_id,
        "user_id": contact.user_id,
        "user_id_by_app": by_app(contact),
        "event_name": event,
        "timestamp": millis(at),
    }


def submitted_info(config: SimulatorConfig, contact: Contact, info: JSON, at: datetime) -> JSON:
    """`user_submit_info`: the person accepted the request for their details."""
    return {
        "sender": {"id": contact.user_id},
        "recipient": {"id": config.zalo_oa_id},
        "event_name": "user_submit_info",
        "app_id": config.zalo_app_id,
        "timestamp": millis(at),
        "info": info,
    }


def phone_receipt(config: SimulatorConfig, phone: str, message_id: str, tracking_id: str, at: datetime) -> JSON:
    """`user_received_message` of a template sent to a phone number."""
    message = {"delivery_time": millis(at), "msg_id": message_id, "tracking_id": tracking_id}
    return {
        "sender": {"id": config.zalo_oa_id},
        "recipient": {"id": phone},
        "event_name": "user_received_message",
        "message": message,
        "app_id": config.zalo_app_id,
        "timestamp": millis(at),
    }


def template_status(config: SimulatorConfig, template_id: str, old: str, new: str, reason: str, at: datetime) -> JSON:
    """`change_template_status`."""
    return {
        "event_name": "change_template_status",
        "oa_id": config.zalo_oa_id,
        "app_id": config.zalo_app_id,
        "template_id": template_id,
        "status": {"prev_status": old, "new_status": new},
        "reason": reason,
        "timestamp": millis(at),
    }


def template_quality(config: SimulatorConfig, template_id: str, quality: str, at: datetime) -> JSON:
    """`change_template_quality`; it names no app."""
    return {
        "event_name": "change_template_quality",
        "oa_id": config.zalo_oa_id,
        "template_id": template_id,
        "quality": quality,
        "timestamp": millis(at),
    }


def daily_quota(config: SimulatorConfig, before: int, after: int, at: datetime) -> JSON:
    """`change_oa_daily_quota`; it names no app, and calls the OA otherwise."""
    return {
        "event_name": "change_oa_daily_quota",
        "oaId": config.zalo_oa_id,
        "quota": {"prev_value": str(before), "new_value": str(after)},
        "timestamp": millis(at),
    }


def in_group(config: SimulatorConfig, group: str, contact: Contact | None, message: JSON, at: datetime) -> JSON:
    """`user_send_group_text`, or `oa_send_group_text` where nobody is named."""
    return {
        "app_id": config.zalo_app_id,
        "oa_id": config.zalo_oa_id,
        "sender": {"id": contact.user_id if contact else config.zalo_oa_id},
        "recipient": {"id": group},
        "event_name": "user_send_group_text" if contact else "oa_send_group_text",
        "message": message,
        "timestamp": millis(at),
    }


def tagged(config: SimulatorConfig, event: str, user_ids: list[str], tag: str, at: datetime) -> JSON:
    """`add_user_to_tag` or `remove_user_from_tag`."""
    return {
        "app_id": config.zalo_app_id,
        "oa_id": config.zalo_oa_id,
        "event_name": event,
        "tag": {"user_ids": user_ids, "name": tag},
        "timestamp": millis(at),
    }
