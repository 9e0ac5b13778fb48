"""The control API's acting half: speak as a person or as staff, script faults, move the clock."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from aiohttp import web

from simulator import comments, media, speech, templates, zalo_events
from simulator.faults import read_fault
from simulator.people import CHANNELS, PUBLIC, ZALO, Contact
from simulator.platform import PLATFORM, Platform, new_zalo_id
from simulator.speech import Said
from simulator.surface import WebHandler, json_answer
from simulator.webhooks_out import Delivery

JSON = dict[str, Any]
ControlHandler = Callable[[Platform, JSON], Awaitable[Any]]


def control(handler: ControlHandler) -> WebHandler:
    """A control call: a JSON object in, JSON out; a ValueError becomes a 400 with its words."""

    async def answer(request: web.Request) -> web.StreamResponse:
        platform = request.app[PLATFORM]
        platform.learn_origin(request)
        try:
            raw = await request.read()
            told = json.loads(raw) if raw else {}
            if not isinstance(told, dict):
                told = {"items": told}
            return json_answer(await handler(platform, told))
        except (ValueError, TypeError, RecursionError) as error:
            return json_answer({"ok": False, "error": str(error)}, 400)

    return answer


def contact_of(platform: Platform, told: JSON, channels: tuple[str, ...] = PUBLIC) -> Contact:
    """Whom `channel` and `person` mean; an unknown person is made. Raises ValueError."""
    channel, who = told.get("channel"), told.get("person")
    if channel not in channels:
        raise ValueError(f"channel: {' or '.join(channels)}")
    if not isinstance(who, str | int) or not str(who).strip():
        raise ValueError("person: an id or a name")
    return platform.people.meet(channel, str(who), platform.now())


async def outcome(platform: Platform, contact: Contact, said: Said) -> JSON:
    """What the bot answered to the webhook of an action."""
    answer: JSON = {"ok": True, "message_id": said.message_id or None, "status": None}
    if said.opened:
        answer["opened"] = said.opened
    if said.delivery is not None:
        said.delivery.on_taken = partial(platform.taken, contact, said.message_id)
        answer["status"] = await said.delivery.status
        answer["ok"] = answer["status"] is not None and 200 <= answer["status"] < 300
    return answer


async def say(platform: Platform, told: JSON) -> JSON:
    """`POST /api/say`: one of text, button, image, gif, audio, video, file, sticker, location, phone."""
    contact = contact_of(platform, told, CHANNELS)
    return await outcome(platform, contact, _spoken(platform, contact, told))


def _spoken(platform: Platform, contact: Contact, told: JSON) -> Said:
    if "text" in told:
        if not isinstance(told["text"], str) or not told["text"]:
            raise ValueError("text: a non-empty string")
        return speech.say_text(platform, contact, told["text"], str(told.get("quote") or ""))
    if "button" in told:
        return speech.press(platform, contact, str(told["button"]))
    for kind in ("image", "gif", "audio", "video", "file"):
        if kind in told:
            kept, url = _medium(platform, kind, told[kind], str(told.get("name") or ""))
            return speech.say_media(platform, contact, kind, url, kept)
    if "sticker" in told:
        sticker = told["sticker"]
        return speech.say_sticker(platform, contact, "" if sticker is True else str(sticker or ""))
    if "location" in told:
        place = told["location"]
        if not isinstance(place, dict):
            place = {}
        latitude, longitude = float(place.get("latitude", 10.762622)), float(place.get("longitude", 106.660172))
        return speech.say_location(platform, contact, latitude, longitude)
    if "phone" in told:
        return speech.share_phone(platform, contact)
    raise ValueError("one of text, button, image, gif, audio, video, file, sticker, location, phone")


def _medium(platform: Platform, kind: str, source: Any, name: str) -> tuple[media.Media | None, str]:
    shelf = platform.media
    if isinstance(source, str) and source.startswith("data:"):
        content, content_type = media.from_data_url(source)
        if len(content) > media.MAX_BYTES:
            raise ValueError(f"{kind}: larger than 25 MB")
        kept = shelf.keep(content, content_type, name)
        return kept, shelf.url(kept)
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        return None, source
    sample = shelf.sample()
    return sample, shelf.url(sample)


async def follow(platform: Platform, told: JSON) -> JSON:
    """`POST /api/follow`: follow the OA, or press Get Started (with `ref` of an m.me link)."""
    contact = contact_of(platform, told)
    return await outcome(platform, contact, speech.follow(platform, contact, str(told.get("ref") or "")))


async def unfollow(platform: Platform, told: JSON) -> JSON:
    """`POST /api/unfollow`."""
    contact = contact_of(platform, told)
    return await outcome(platform, contact, speech.unfollow(platform, contact))


async def block(platform: Platform, told: JSON) -> JSON:
    """`POST /api/block` {…, blocked}: the person refuses messages of the brand, or takes them again."""
    contact = contact_of(platform, told, CHANNELS)
    contact.blocked = bool(told.get("blocked", True))
    return {"ok": True, "blocked": contact.blocked}


async def staff_says(platform: Platform, told: JSON) -> JSON:
    """`POST /api/staff-says` {…, text}: a human answers in the platform's own tool."""
    text = told.get("text")
    if not isinstance(text, str) or not text:
        raise ValueError("text: a non-empty string")
    contact = contact_of(platform, told)
    return await outcome(platform, contact, speech.staff_says(platform, contact, text))


async def thread(platform: Platform, told: JSON) -> JSON:
    """`POST /api/thread` {person, owner: inbox | bot}: the Page inbox takes a thread or hands it back."""
    contact = contact_of(platform, {"channel": "messenger", **told})
    said = speech.give_thread(platform, contact, to_inbox=told.get("owner") == "inbox")
    return await outcome(platform, contact, said)


async def comment(platform: Platform, told: JSON) -> JSON:
    """`POST /api/comment` {person, text, post?}: a public comment under a post of the Page."""
    text = told.get("text")
    if not isinstance(text, str) or not text:
        raise ValueError("text: a non-empty string")
    contact = contact_of(platform, {**told, "channel": "messenger"})
    return await outcome(platform, contact, comments.write(platform, contact, text, str(told.get("post") or "")))


async def edit(platform: Platform, told: JSON) -> JSON:
    """`POST /api/edit` {…, message_id?, text}: Messenger only; the last message if none is named."""
    contact = contact_of(platform, told)
    text = str(told.get("text") or "")
    return await outcome(platform, contact, speech.edit(platform, contact, str(told.get("message_id") or ""), text))


async def unsend(platform: Platform, told: JSON) -> JSON:
    """`POST /api/unsend` {…, message_id?}: Messenger only."""
    contact = contact_of(platform, told)
    return await outcome(platform, contact, speech.unsend(platform, contact, str(told.get("message_id") or "")))


async def react(platform: Platform, told: JSON) -> JSON:
    """`POST /api/react` {…, message_id?, icon}: an empty icon takes the reaction back."""
    contact, target = contact_of(platform, told), str(told.get("message_id") or "")
    said = speech.react(platform, contact, target, str(told.get("icon") or ""))
    return await outcome(platform, contact, said)


async def seen(platform: Platform, told: JSON) -> JSON:
    """`POST /api/seen`: the person looked at the chat."""
    platform.see(contact_of(platform, told, CHANNELS))
    return {"ok": True}


async def withdraw(platform: Platform, told: JSON) -> JSON:
    """`POST /api/withdraw`: Zalo asks to erase this person's data (`user_withdraw`)."""
    contact = contact_of(platform, {**told, "channel": ZALO})
    body = zalo_events.about_user(platform.config, contact, "user_withdraw", platform.now())
    said = Said("", platform.courier.send(ZALO, contact.user_id, body))
    return await outcome(platform, contact, said)


async def group_says(platform: Platform, told: JSON) -> JSON:
    """`POST /api/group-says` {group, person?, text}: a line in a group of the OA's; the OA's own without a person."""
    text, group = told.get("text"), told.get("group")
    if not (isinstance(text, str) and text and isinstance(group, str) and group):
        raise ValueError("group, text: non-empty strings")
    contact = contact_of(platform, {**told, "channel": ZALO}) if "person" in told else None
    message = {"text": text, "msg_id": new_zalo_id()}
    body = zalo_events.in_group(platform.config, group, contact, message, platform.now())
    status = await platform.courier.send(ZALO, group, body).status
    return {"ok": status == 200, "message_id": message["msg_id"], "status": status}


async def daily_quota(platform: Platform, told: JSON) -> JSON:
    """`POST /api/daily-quota` {total}: Zalo lets the OA send more or fewer templates a day, and says so."""
    total = int(told.get("total", -1))
    if total < 0:
        raise ValueError("total: 0 or more")
    before, platform.zbs_daily_quota = platform.zbs_daily_quota, total
    platform.zbs_quota_left = min(platform.zbs_quota_left, total)
    body = zalo_events.daily_quota(platform.config, before, total, platform.now())
    status = await platform.courier.send(ZALO, "", body).status
    return {"ok": status == 200, "status": status}


async def label(platform: Platform, told: JSON) -> JSON:
    """`POST /api/label` {person, name, on?}: staff put a label on a person in OA Manager, or take it off."""
    contact, name = contact_of(platform, {**told, "channel": ZALO}), told.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("name: a non-empty string")
    on = bool(told.get("on", True))
    if on != (name in contact.tags):
        (contact.tags.append if on else contact.tags.remove)(name)
    event = "add_user_to_tag" if on else "remove_user_from_tag"
    body = zalo_events.tagged(platform.config, event, [contact.user_id], name, platform.now())
    status = await platform.courier.send(ZALO, contact.user_id, body).status
    return {"ok": status == 200, "status": status}


async def webhook(platform: Platform, told: JSON) -> JSON:
    """`POST /api/webhook` {channel, body}: any body, signed; `raw` sends exact text instead."""
    channel, body, raw = told.get("channel"), told.get("body"), told.get("raw")
    if channel not in PUBLIC:
        raise ValueError("channel: zalo or messenger")
    delivery: Delivery
    if isinstance(raw, str):
        delivery = platform.courier.send_raw(channel, "", raw.encode(), body if isinstance(body, dict) else {})
    elif isinstance(body, dict):
        delivery = platform.courier.send(channel, "", body)
    else:
        raise ValueError("body: a JSON object")
    status = await delivery.status
    return {"ok": status is not None and 200 <= status < 300, "status": status}


async def set_faults(platform: Platform, told: JSON) -> JSON:
    """`POST /api/faults`: a fault or a list of them, added to the script."""
    items = told.get("items", told.get("faults", [told]))
    if not isinstance(items, list):
        raise ValueError("faults: a list")
    for fault in [read_fault(item) for item in items]:
        platform.faults.add(fault)
    return {"ok": True, "waiting": len(platform.faults.calls) + len(platform.faults.webhooks)}


async def clear_faults(platform: Platform, told: JSON) -> JSON:
    """`DELETE /api/faults`."""
    platform.faults.clear()
    return {"ok": True}


async def clear_journal(platform: Platform, told: JSON) -> JSON:
    """`DELETE /api/journal`; numbers go on counting."""
    platform.journal.clear()
    platform.refused.clear()
    return {"ok": True}


async def set_clock(platform: Platform, told: JSON) -> JSON:
    """`POST /api/clock` {offset_s}: the platforms' clock against the real one."""
    platform.offset = timedelta(seconds=float(told.get("offset_s", 0)))
    return {"ok": True, "now": platform.now().isoformat()}


async def set_bot_url(platform: Platform, told: JSON) -> JSON:
    """`POST /api/bot` {url}: where webhooks go from now on."""
    platform.set_bot_url(str(told.get("url") or ""))
    return {"ok": True}


async def add_person(platform: Platform, told: JSON) -> JSON:
    """`POST /api/people` {name, phone?}: someone new, or whoever is meant already."""
    contact = platform.people.meet(ZALO, contact_name(told), platform.now(), str(told.get("phone") or ""))
    return {"ok": True, "id": contact.person.id}


def contact_name(told: JSON) -> str:
    """The `name` of a person to be; raises ValueError."""
    name = told.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("name: a non-empty string")
    return name.strip()


def routes() -> list[web.RouteDef]:
    """The acting routes."""
    actions: dict[str, ControlHandler] = {
        "say": say,
        "follow": follow,
        "unfollow": unfollow,
        "block": block,
        "staff-says": staff_says,
        "thread": thread,
        "comment": comment,
        "edit": edit,
        "unsend": unsend,
        "react": react,
        "seen": seen,
        "withdraw": withdraw,
        "group-says": group_says,
        "daily-quota": daily_quota,
        "label": label,
        "webhook": webhook,
        "template": templates.change,
        "faults": set_faults,
        "clock": set_clock,
        "bot": set_bot_url,
        "people": add_person,
    }
    return [
        *(web.post(f"/api/{name}", control(handler)) for name, handler in actions.items()),
        web.delete("/api/faults", control(clear_faults)),
        web.delete("/api/journal", control(clear_journal)),
    ]
