"""Zalo's (ZBS) templates in our words, and a message that uses one as its JSON. Pure.

https://docs.zaloplatforms.com/docs/ZBS; tags carry these three names since 2024-04-16.
"""

from __future__ import annotations

from typing import Any

from bot.channels.base import Outgoing
from bot.channels.text import clean
from bot.channels.zalo.envelope import identifier, items, mapping
from crm import phones
from crm.messages import TemplateUse
from crm.templates import Kind, Parameter, Status, Tag, Template

Json = dict[str, Any]

TRACKING_LIMIT = 48
_STATUSES = {
    "ENABLE": Status.APPROVED,
    "PENDING_REVIEW": Status.PENDING,
    "REJECT": Status.REJECTED,
    "DISABLE": Status.DISABLED,
    "DELETE": Status.DELETED,
}
_TAGS = {"TRANSACTION": Tag.TRANSACTION, "CUSTOMER_CARE": Tag.CARE, "PROMOTION": Tag.PROMOTION}
_KINDS = {"NUMBER": Kind.NUMBER, "DATE": Kind.DATE}
_QUALITIES = ("HIGH", "MEDIUM", "LOW")


def status_of(value: object) -> Status:
    """Zalo's word for a template's state in ours."""
    return _STATUSES.get(clean(value), Status.UNKNOWN)


def quality_of(value: object) -> str:
    """high, medium or low; "" where Zalo has not judged it yet."""
    word = clean(value)
    return word.lower() if word in _QUALITIES else ""


def template(account_id: str, info: Json) -> Template | None:
    """A template as `template/info/v2` tells of it; None without an id."""
    template_id = identifier(info.get("templateId"))
    if not template_id:
        return None
    return Template(
        "zalo",
        account_id,
        template_id,
        name=clean(info.get("templateName")),
        status=status_of(info.get("status")),
        quality=quality_of(info.get("templateQuality")),
        tag=_TAGS.get(clean(info.get("templateTag")), Tag.OTHER),
        parameters=tuple(_parameter(each) for each in map(mapping, items(info.get("listParams"))) if each.get("name")),
        price_phone=_dong(info.get("price_sdt")) or _dong(info.get("price")),
        price_user=_dong(info.get("price_uid")) or _dong(info.get("price")),
        preview_url=clean(info.get("previewUrl")),
        reason=clean(info.get("reason")),
    )


def _parameter(item: Json) -> Parameter:
    kind = _KINDS.get(clean(item.get("type")), Kind.TEXT)
    return Parameter(clean(item["name"]), item.get("require") is not False, _dong(item.get("maxLength")), kind)


def _dong(value: object) -> int:
    """A whole number, which some answers hold as text; 0 for what is none."""
    digits = identifier(value)
    return int(digits) if digits.isdecimal() and len(digits) <= 9 else 0


def to_user(outgoing: Outgoing, use: TemplateUse) -> Json:
    """The body of one `message/template` call to a person who knows the OA."""
    return {"user_id": outgoing.to.user_id, **_content(use)}


def to_phone(outgoing: Outgoing, use: TemplateUse) -> Json:
    """The body of one `message/template` call to a phone number; its receipt carries the tracking id back."""
    tracking_id = outgoing.metadata.replace(":", "-")[:TRACKING_LIMIT]
    return {
        "phone": phones.number_at(outgoing.to.user_id).removeprefix("+"),
        **_content(use),
        "tracking_id": tracking_id,
    }


def _content(use: TemplateUse) -> Json:
    return {"template_id": use.template_id, "template_data": {name: clean(value) for name, value in use.values}}
