"""Zalo's openapi host beside messages: users, tags, conversations, the OA itself and its quotas."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from simulator import zalo_events
from simulator.chat import Line
from simulator.people import ZALO, Contact
from simulator.platform import Platform
from simulator.zalo_api import WINDOW, find_contact, month_end, openapi, read_json
from simulator.zalo_events import by_app, millis
from simulator.zalo_messages import ZaloError, invalid

JSON = dict[str, Any]
PERIODS = {"TODAY": (0, 0), "YESTERDAY": (1, 1), "L7D": (6, 0), "L30D": (29, 0)}
"""How many days ago a period begins and ends."""
VIETNAM = timedelta(hours=7)
LIST_COUNT = 50
LIST_OFFSET = 9951
CHAT_COUNT = 10


def query_data(request: web.Request) -> JSON:
    """The one query parameter `data` of Zalo's GET calls: an object as JSON; raises ZaloError."""
    try:
        data = json.loads(request.query.get("data", ""))
    except (ValueError, RecursionError):
        raise invalid("data") from None
    if not isinstance(data, dict):
        raise invalid("data")
    return data


def _between(data: JSON, key: str, least: int, most: int, default: int) -> int:
    value = data.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise invalid(key)
    if value > most:
        raise ZaloError(-210, f"Parameter exceeds the limit: {key}, maximum {most}")
    return value


async def detail(platform: Platform, request: web.Request) -> JSON:
    """`GET v3.0/oa/user/detail`."""
    contact = find_contact(platform, query_data(request).get("user_id"))
    avatar = f"{platform.media.base_url}/avatars/{contact.person.id}.svg"
    last = contact.last_interaction
    data: JSON = {
        "user_id": contact.user_id,
        "user_id_by_app": by_app(contact),
        "user_external_id": contact.external_id,
        "display_name": contact.person.name,
        "user_alias": contact.alias or contact.person.name,
        "is_sensitive": False,
        "user_last_interaction_date": f"{last:%d/%m/%Y}" if last else "",
        "user_is_follower": contact.following,
        "avatar": avatar,
        "avatars": {"120": avatar, "240": avatar},
        "dynamic_param": "",
        "tags_and_notes_info": {"notes": [], "tag_names": list(contact.tags)},
    }
    if contact.shared:
        data["shared_info"] = contact.shared
    platform.accept(ZALO, "profile", request.path, contact, {"user_id": contact.user_id}, data)
    return data


async def getlist(platform: Platform, request: web.Request) -> JSON:
    """`GET v3.0/oa/user/getlist`: ids only."""
    data = query_data(request)
    offset = _between(data, "offset", 0, LIST_OFFSET, 0)
    count = _between(data, "count", 1, LIST_COUNT, LIST_COUNT)
    found = [c.user_id for c in platform.people.contacts[ZALO].values() if _listed(platform, c, data)]
    users = [{"user_id": user_id} for user_id in found[offset : offset + count]]
    answer = {"total": len(found), "count": len(users), "offset": offset, "users": users}
    platform.accept(ZALO, "getlist", request.path, None, data, answer)
    return answer


def _listed(platform: Platform, contact: Contact, data: JSON) -> bool:
    last = contact.last_interaction
    if last is None and not contact.following:
        return False
    if "is_follower" in data and (str(data["is_follower"]).lower() == "true") != contact.following:
        return False
    if data.get("tag_name") and data["tag_name"] not in contact.tags:
        return False
    period = _period(platform, data.get("last_interaction_period"))
    return period is None or (last is not None and period[0] <= (last + VIETNAM).date() <= period[1])


def _period(platform: Platform, named: Any) -> tuple[date, date] | None:
    """The first and last day of a period; None where none is named. Raises ZaloError."""
    if named is None:
        return None
    if named in PERIODS:
        today = (platform.now() + VIETNAM).date()
        first, last = (today - timedelta(days=back) for back in PERIODS[named])
        return first, last
    try:
        first, last = (date(*map(int, day.split("_"))) for day in str(named).split(":"))
    except (ValueError, TypeError):
        raise invalid("last_interaction_period") from None
    return first, last


async def update(platform: Platform, request: web.Request) -> JSON:
    """`POST v3.0/oa/user/update`: alias, external id, shared details."""
    body = await read_json(request)
    contact = find_contact(platform, body.get("user_id"))
    shared = body.get("shared_info", {})
    if not isinstance(shared, dict):
        raise invalid("shared_info")
    contact.shared |= shared
    contact.alias = str(body.get("user_alias", contact.alias))
    contact.external_id = str(body.get("user_external_id", contact.external_id))
    data: JSON = {}
    platform.accept(ZALO, "update_user", request.path, contact, body, data)
    return data


async def forget(platform: Platform, request: web.Request) -> None:
    """`POST v2.0/oa/deletefollowerinfo`: what the person shared is dropped."""
    body = await read_json(request)
    contact = find_contact(platform, body.get("user_id"))
    contact.shared = {}
    platform.accept(ZALO, "delete_user_info", request.path, contact, body, None)


async def tag(platform: Platform, request: web.Request) -> None:
    """`POST v2.0/oa/tag/tagfollower`: the tag is made if it is new."""
    body = await read_json(request)
    contact, name = _tagged(platform, body)
    if name not in contact.tags:
        contact.tags.append(name)
    _tell_tag(platform, contact, "add_user_to_tag", name)
    platform.accept(ZALO, "tag", request.path, contact, body, None)


async def untag(platform: Platform, request: web.Request) -> None:
    """`POST v2.0/oa/tag/rmfollowerfromtag`."""
    body = await read_json(request)
    contact, name = _tagged(platform, body)
    if name in contact.tags:
        contact.tags.remove(name)
    _tell_tag(platform, contact, "remove_user_from_tag", name)
    platform.accept(ZALO, "untag", request.path, contact, body, None)


def _tagged(platform: Platform, body: JSON) -> tuple[Contact, str]:
    name = body.get("tag_name")
    if not isinstance(name, str) or not name:
        raise invalid("tag_name")
    return find_contact(platform, body.get("user_id")), name


def _tell_tag(platform: Platform, contact: Contact, event: str, name: str) -> None:
    if platform.config.echoes:
        body = zalo_events.tagged(platform.config, event, [contact.user_id], name, platform.now())
        platform.courier.send(ZALO, contact.user_id, body)


async def remove_tag(platform: Platform, request: web.Request) -> None:
    """`POST v2.0/oa/tag/rmtag`: the tag goes from everyone."""
    body = await read_json(request)
    for contact in platform.people.contacts[ZALO].values():
        if body.get("tag_name") in contact.tags:
            contact.tags.remove(str(body["tag_name"]))
    platform.accept(ZALO, "remove_tag", request.path, None, body, None)


async def tags(platform: Platform, request: web.Request) -> list[str]:
    """`GET v2.0/oa/tag/gettagsofoa`: a flat list of names."""
    names = sorted({name for contact in platform.people.contacts[ZALO].values() for name in contact.tags})
    platform.accept(ZALO, "tags", request.path, None, {}, names)
    return names


def _chat_entry(platform: Platform, contact: Contact, line: Line) -> JSON:
    config, media = platform.config, platform.media.base_url
    person = (contact.user_id, contact.person.name, f"{media}/avatars/{contact.person.id}.svg")
    brand = (config.zalo_oa_id, config.brand_name, f"{media}/avatars/oa.svg")
    sender, receiver = (person, brand) if line.side == "person" else (brand, person)
    entry: JSON = {
        "src": 1 if line.side == "person" else 0,
        "time": int(millis(line.at)),
        "type": {"image": "photo", "buttons": "text", "info": "text"}.get(line.kind, line.kind),
        "message": line.text,
        "message_id": line.message_id,
        "from_id": sender[0],
        "to_id": receiver[0],
        "from_display_name": sender[1],
        "from_avatar": sender[2],
        "to_display_name": receiver[1],
        "to_avatar": receiver[2],
    }
    if line.media:
        entry["url"] = line.media
    return entry


async def conversation(platform: Platform, request: web.Request) -> list[JSON]:
    """`GET v2.0/oa/conversation`: one chat, newest first, at most 10 a call."""
    data = query_data(request)
    contact = find_contact(platform, data.get("user_id"))
    offset = _between(data, "offset", 0, 10**6, 0)
    count = _between(data, "count", 1, CHAT_COUNT, CHAT_COUNT)
    lines = list(reversed(contact.lines))[offset : offset + count]
    found = [_chat_entry(platform, contact, line) for line in lines]
    platform.accept(ZALO, "conversation", request.path, contact, data, found)
    return found


async def recent_chats(platform: Platform, request: web.Request) -> list[JSON]:
    """`GET v2.0/oa/listrecentchat`: the last message of each chat, newest first, at most 10 a call."""
    data = query_data(request)
    offset = _between(data, "offset", 0, 10**6, 0)
    count = _between(data, "count", 1, CHAT_COUNT, CHAT_COUNT)
    chats = [c for c in platform.people.contacts[ZALO].values() if c.lines]
    chats.sort(key=lambda contact: contact.lines[-1].at, reverse=True)
    found = [_chat_entry(platform, contact, contact.lines[-1]) for contact in chats[offset : offset + count]]
    platform.accept(ZALO, "recent_chats", request.path, None, data, found)
    return found


async def official_account(platform: Platform, request: web.Request) -> JSON:
    """`GET v2.0/oa/getoa`."""
    config, media = platform.config, platform.media.base_url
    paid_until = platform.oa.package_until or platform.now() + timedelta(days=180)
    data: JSON = {
        "oaid": config.zalo_oa_id,
        "name": config.brand_name,
        "description": "",
        "oa_alias": "demo",
        "is_verified": platform.oa.verified,
        "oa_type": 2,
        "cate_name": "Bán lẻ",
        "num_follower": sum(c.following for c in platform.people.contacts[ZALO].values()),
        "avatar": f"{media}/avatars/oa.svg",
        "cover": f"{media}/avatars/oa.svg",
        "package_name": {"growth": "Tăng trưởng", "comprehensive": "Toàn diện"}.get(platform.zalo_package, ""),
        "package_valid_through_date": f"{paid_until:%d/%m/%Y}",
        "package_auto_renew_date": f"{paid_until + timedelta(days=1):%d/%m/%Y}",
        "linked_ZCA": "ZCA-0",
    }
    platform.accept(ZALO, "getoa", request.path, None, {}, data)
    return data


async def quota(platform: Platform, request: web.Request) -> Any:
    """`POST v3.0/oa/quota/message`: a person's window, or what is left of the package."""
    body = await read_json(request)
    answer: Any
    if "user_id" in body:
        contact = find_contact(platform, body["user_id"])
        last = contact.last_interaction
        inside = last is not None and platform.now() - last <= WINDOW
        answer = {
            "last_interaction": millis(last) if last else "0",
            "promotion": {"daily_remain": 1, "daily_total": 1, "monthly_remain": 4, "monthly_total": 6},
        }
        if inside:
            answer["cs_reply"] = {}
        platform.accept(ZALO, "quota", request.path, contact, body, answer)
        return answer
    if str(body.get("quota_owner")).upper() not in ("OA", "APP"):
        raise invalid("quota_owner")
    answer = []
    if body.get("product_type", "cs") == "cs" and body.get("quota_type", "sub_quota") == "sub_quota":
        package = {"asset_id": "growth-cs", "product_type": "cs", "quota_type": "sub_quota"}
        figures = {"total": platform.config.zalo_sub_quota, "remain": platform.zalo_sub_quota_left}
        answer.append({**package, "valid_through": month_end(platform.now()), **figures})
    platform.accept(ZALO, "quota", request.path, None, body, answer)
    return answer


def routes(prefix: str) -> list[web.RouteDef]:
    """The other routes of the openapi host under `prefix`."""
    return [
        web.get(f"{prefix}/v3.0/oa/user/detail", openapi(detail), allow_head=False),
        web.get(f"{prefix}/v3.0/oa/user/getlist", openapi(getlist), allow_head=False),
        web.post(f"{prefix}/v3.0/oa/user/update", openapi(update)),
        web.post(f"{prefix}/v2.0/oa/deletefollowerinfo", openapi(forget)),
        web.post(f"{prefix}/v2.0/oa/tag/tagfollower", openapi(tag)),
        web.post(f"{prefix}/v2.0/oa/tag/rmfollowerfromtag", openapi(untag)),
        web.post(f"{prefix}/v2.0/oa/tag/rmtag", openapi(remove_tag)),
        web.get(f"{prefix}/v2.0/oa/tag/gettagsofoa", openapi(tags), allow_head=False),
        web.get(f"{prefix}/v2.0/oa/conversation", openapi(conversation), allow_head=False),
        web.get(f"{prefix}/v2.0/oa/listrecentchat", openapi(recent_chats), allow_head=False),
        web.get(f"{prefix}/v2.0/oa/getoa", openapi(official_account), allow_head=False),
        web.post(f"{prefix}/v3.0/oa/quota/message", openapi(quota)),
    ]
