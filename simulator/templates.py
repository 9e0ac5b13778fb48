"""What the platforms do to approved templates by themselves: change their state or quality, or drop them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulator import zalo_events
from simulator.people import PUBLIC, ZALO
from simulator.platform import Platform
from simulator.webhooks_out import Delivery

JSON = dict[str, Any]


async def change(platform: Platform, told: JSON) -> JSON:
    """`POST /api/template` {channel, id, status?, quality?, reason?, gone?}."""
    if told.get("channel") not in PUBLIC:
        raise ValueError("channel: zalo or messenger")
    act = change_zbs if told["channel"] == ZALO else change_utility
    deliveries = act(
        platform,
        str(told.get("id") or ""),
        status=str(told.get("status") or ""),
        quality=str(told.get("quality") or ""),
        reason=str(told.get("reason") or ""),
        gone=bool(told.get("gone")),
    )
    return {"ok": True, "statuses": [await delivery.status for delivery in deliveries]}


def change_zbs(
    platform: Platform, template_id: str, *, status: str = "", quality: str = "", reason: str = "", gone: bool = False
) -> list[Delivery]:
    """Changes a ZBS template; the webhooks that tell of it. Raises ValueError for an unknown one."""
    template = platform.zbs_templates.get(template_id)
    if template is None:
        raise ValueError("id: no template has it")
    if gone:
        del platform.zbs_templates[template_id]
        return []
    changed = replace(template, status=status or template.status, quality=quality or template.quality)
    platform.zbs_templates[template_id] = changed
    config, now = platform.config, platform.now()
    told = []
    if status:
        told.append(zalo_events.template_status(config, template_id, template.status, status, reason, now))
    if quality:
        told.append(zalo_events.template_quality(config, template_id, quality, now))
    return [platform.courier.send(ZALO, "", body) for body in told]


def change_utility(
    platform: Platform, name: str, *, status: str = "", quality: str = "", reason: str = "", gone: bool = False
) -> list[Delivery]:
    """Changes a utility template of the Page in all languages. No webhook: Meta prints no sample of one for Pages."""
    page = platform.page
    found = [template for template in page.templates if template["name"] == name]
    if not found:
        raise ValueError("id: no template has this name")
    if gone:
        page.templates = [template for template in page.templates if template["name"] != name]
    for template in found:
        template["status"] = status or template["status"]
    return []
