"""What a brand sets up on its Page through Graph: subscriptions, profile, personas, utility templates."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from simulator.graph_wire import GraphCall, GraphError, bad_param, graph, page_of
from simulator.people import MESSENGER
from simulator.platform import PAGE_FIELDS

JSON = dict[str, Any]
PROFILE_KEYS = (
    "get_started",
    "greeting",
    "ice_breakers",
    "persistent_menu",
    "whitelisted_domains",
    "account_linking_url",
    "commands",
)
OTHER_FIELDS = ("feed", "inbox_labels", "message_template_status_update", "messaging_account_linking", "send_cart")
READABLE = 20
MENU_ITEMS = 20
MENU_TITLE = 30
ICE_BREAKERS = 4
VARIABLE = re.compile(r"\{\{\w+\}\}")


async def subscribed(call: GraphCall) -> JSON:
    """`GET /{page}/subscribed_apps`."""
    page_of(call)
    config, fields = call.platform.config, call.platform.page.fields
    app = {
        "category": "Business",
        "link": "",
        "name": config.brand_name,
        "id": config.messenger_app_id,
        "subscribed_fields": sorted(fields),
    }
    return call.accept("subscribed_apps", {"data": [app] if fields else []})


async def subscribe(call: GraphCall) -> JSON:
    """`POST /{page}/subscribed_apps`: the given fields replace the old ones."""
    page_of(call)
    if "pages_manage_metadata" not in call.platform.page.scopes:
        raise GraphError(200, "(#200) Requires pages_manage_metadata permission to manage the object")
    wanted = call.params.get("subscribed_fields")
    fields = wanted if isinstance(wanted, list) else str(wanted or "").split(",")
    names = {str(name).strip() for name in fields} - {""}
    unknown = names - PAGE_FIELDS - set(OTHER_FIELDS)
    if not names or unknown:
        raise bad_param(f"Param subscribed_fields has unsupported values: {', '.join(sorted(unknown)) or 'none given'}")
    call.platform.page.fields = names
    return call.accept("subscribe", {"success": True})


async def unsubscribe(call: GraphCall) -> JSON:
    """`DELETE /{page}/subscribed_apps`."""
    page_of(call)
    call.platform.page.fields = set()
    return call.accept("unsubscribe", {"success": True})


async def read_profile(call: GraphCall) -> JSON:
    """`GET /me/messenger_profile`: the properties that `fields` names."""
    page_of(call)
    wanted = str(call.params.get("fields") or "").split(",")
    known = {name: value for name, value in call.platform.page.profile.items() if name in wanted}
    return call.accept("messenger_profile", {"data": [known] if known else []})


async def write_profile(call: GraphCall) -> JSON:
    """`POST /me/messenger_profile`: merges property by property."""
    page_of(call)
    new = {name: value for name, value in call.params.items() if name in PROFILE_KEYS}
    if not new:
        raise bad_param("No supported property of the Messenger profile was given")
    merged = {**call.platform.page.profile, **new}
    if merged.get("persistent_menu") and not merged.get("get_started"):
        raise bad_param("You must set a Get Started button if you also wish to use persistent menu", 2018145)
    for entry in new.get("persistent_menu") or []:
        items = entry.get("call_to_actions") or []
        if len(items) > MENU_ITEMS or any(len(str(item.get("title", ""))) > MENU_TITLE for item in items):
            raise bad_param("Param persistent_menu is too long")
    for entries in (new.get("persistent_menu"), new.get("ice_breakers")):
        if entries and not any(entry.get("locale") == "default" for entry in entries):
            raise bad_param("A default locale must be specified")
    if any(len(entry.get("call_to_actions") or []) > ICE_BREAKERS for entry in new.get("ice_breakers") or []):
        raise bad_param("Param ice_breakers may have at most 4 questions")
    call.platform.page.profile = merged
    return call.accept("messenger_profile", {"result": "success"})


async def delete_profile(call: GraphCall) -> JSON:
    """`DELETE /me/messenger_profile`; Meta's own client writes the names in capitals."""
    page_of(call)
    fields = call.params.get("fields")
    if not isinstance(fields, list) or not fields:
        raise bad_param("Param fields must be a non-empty array")
    for name in fields:
        call.platform.page.profile.pop(str(name).lower(), None)
    return call.accept("messenger_profile", {"result": "success"})


async def debug_token(call: GraphCall) -> JSON:
    """`GET /debug_token`: asked with the app's own token."""
    config, ends = call.platform.config, call.platform.page.token_ends_at
    asked = call.params.get("input_token")
    valid = asked == config.messenger_page_token and call.platform.page_token_valid
    valid = valid and (ends is None or call.platform.now() < ends)
    data: JSON = {"is_valid": valid, "scopes": []}
    if valid:
        data = {
            "app_id": config.messenger_app_id,
            "application": config.brand_name,
            "type": "PAGE",
            "expires_at": int(ends.timestamp()) if ends else 0,
            "data_access_expires_at": 0,
            "is_valid": True,
            "issued_at": int(call.platform.now().timestamp()),
            "profile_id": config.messenger_page_id,
            "scopes": list(call.platform.page.scopes),
            "user_id": "1207059",
        }
    call.platform.accept(MESSENGER, "debug_token", call.request.path, None, {}, {"data": data})
    return {"data": data}


async def make_persona(call: GraphCall) -> JSON:
    """`POST /{page}/personas`."""
    page_of(call)
    name, picture = call.params.get("name"), call.params.get("profile_picture_url")
    fetched = isinstance(picture, str) and picture.startswith(("https://", "http://"))
    if not isinstance(name, str) or not 0 < len(name) <= 50 or not fetched:
        raise bad_param("Params name and profile_picture_url are required")
    page = call.platform.page
    page.personas_made += 1
    made = str(7100000000000000 + page.personas_made)
    page.personas[made] = {"id": made, "name": name, "profile_picture_url": picture}
    return call.accept("persona", {"id": made})


async def personas(call: GraphCall) -> JSON:
    """`GET /{page}/personas`."""
    page_of(call)
    return {"data": list(call.platform.page.personas.values())}


async def delete_persona(call: GraphCall) -> JSON:
    """`DELETE /{persona}`: messages that bear its name keep it."""
    if call.platform.page.personas.pop(str(call.request.match_info["node"]), None) is None:
        raise bad_param("Unsupported delete request", 33)
    return call.accept("delete_persona", {"success": True})


async def make_template(call: GraphCall) -> JSON:
    """`POST /{page}/message_templates`: a utility template, approved at once."""
    page_of(call)
    name, language, parts = (call.params.get(key) for key in ("name", "language", "components"))
    if not isinstance(name, str) or not isinstance(language, str) or call.params.get("category") != "UTILITY":
        raise bad_param("Params name, language and category UTILITY are required")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise bad_param("Param components must be an array of objects")
    body = next((str(part.get("text", "")) for part in parts if part.get("type") == "BODY"), "")
    if not body or VARIABLE.match(body) or VARIABLE.fullmatch(body[body.rfind("{{") :]):
        raise bad_param("The body must have text and may not begin or end with a variable")
    if any(VARIABLE.search(str(part.get("text", ""))) and not part.get("example") for part in parts):
        raise bad_param("TEMPLATE_VARIABLES_MISSING_SAMPLE_VALUES")
    buttons = [button for part in parts for button in part.get("buttons") or []]
    if any(button.get("type") == "QUICK_REPLY" for button in buttons):
        raise GraphError(100, "Fatal", 2018416)
    known = call.platform.page.templates
    if any((t["name"], t["language"]) == (name, language) for t in known):
        raise bad_param("There is already a template with this name and language")
    made = {"id": str(104595129340398 + len(known)), "status": "APPROVED", "category": "UTILITY"}
    known.append({**made, "name": name, "language": language, "components": parts})
    return call.accept("message_template", made)


async def templates(call: GraphCall) -> JSON:
    """`GET /{page}/message_templates?name=&limit=&after=`."""
    page_of(call)
    name, limit, after = (call.params.get(key) for key in ("name", "limit", "after"))
    found = [t for t in call.platform.page.templates if name in (None, t["name"])]
    try:
        start, most = int(after or 0), min(int(limit or 25), 100)
    except ValueError:
        raise bad_param("Params limit and after are not valid") from None
    some = found[start : start + most]
    paging: JSON = {"cursors": {"before": str(start), "after": str(start + len(some))}}
    if start + most < len(found):
        paging["next"] = f"{call.request.url.origin()}{call.request.path}?limit={most}&after={start + most}"
    return {"data": some, "paging": paging} if some else {"data": []}


async def delete_template(call: GraphCall) -> JSON:
    """`DELETE /{page}/message_templates?name=`: goes in all languages."""
    page_of(call)
    page = call.platform.page
    page.templates = [t for t in page.templates if t["name"] != call.params.get("name")]
    return call.accept("delete_template", {"success": True})


def routes(version: str) -> list[web.RouteDef]:
    """The Page routes under `version`."""
    page = version + "/{page}"
    return [
        web.get(f"{page}/subscribed_apps", graph(subscribed), allow_head=False),
        web.post(f"{page}/subscribed_apps", graph(subscribe)),
        web.delete(f"{page}/subscribed_apps", graph(unsubscribe)),
        web.get(f"{page}/messenger_profile", graph(read_profile), allow_head=False),
        web.post(f"{page}/messenger_profile", graph(write_profile)),
        web.delete(f"{page}/messenger_profile", graph(delete_profile)),
        web.post(f"{page}/personas", graph(make_persona)),
        web.get(f"{page}/personas", graph(personas), allow_head=False),
        web.delete(version + "/{node}", graph(delete_persona)),
        web.post(f"{page}/message_templates", graph(make_template)),
        web.get(f"{page}/message_templates", graph(templates), allow_head=False),
        web.delete(f"{page}/message_templates", graph(delete_template)),
        web.get(f"{version}/debug_token", graph(debug_token, app_token=True), allow_head=False),
    ]
