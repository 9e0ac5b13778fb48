"""Graph's reading side: conversations, messages, nodes, and who holds a thread."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from aiohttp import web

from simulator.chat import Line
from simulator.graph_api import STANDARD, not_owner, profile
from simulator.graph_wire import GraphCall, GraphError, bad_param, graph, page_of
from simulator.messenger_events import INBOX_APP_ID
from simulator.people import MESSENGER, Contact, stable_id

JSON = dict[str, Any]
READABLE = 20
PAGE = 25
CONVERSATIONS = 200
"""The most conversations on one page, as clients have seen it."""
MESSAGES_LIMIT = re.compile(r"\bmessages\.limit\(([0-9]{1,3})\)")


def _thread_id(contact: Contact) -> str:
    return "t_" + stable_id("1", "thread:" + contact.user_id, 17)


def _party(call: GraphCall, contact: Contact | None) -> JSON:
    config = call.platform.config
    if contact is None:
        name, node = config.brand_name, config.messenger_page_id
    else:
        name, node = contact.person.name, contact.user_id
    return {"name": name, "email": f"{node}@facebook.com", "id": node}


def _message(call: GraphCall, contact: Contact, line: Line, fields: str = "") -> JSON:
    from_person = line.side == "person"
    found: JSON = {
        "id": line.message_id,
        "created_time": f"{line.at:%Y-%m-%dT%H:%M:%S}+0000",
        "from": _party(call, contact if from_person else None),
        "to": {"data": [_party(call, None if from_person else contact)]},
        "message": "" if line.kind == "file" else line.text,
    }
    if "reply_to" in fields and line.reply_to:
        found["reply_to"] = {"mid": line.reply_to, "is_self_reply": False}
    if "attachments" in fields and line.media:
        found["attachments"] = {"data": [_attachment(line)]}
    return found


def _attachment(line: Line) -> JSON:
    key = {"image": "image_data", "gif": "image_data", "sticker": "image_data", "video": "video_data"}.get(line.kind)
    if key:
        return {"id": f"att_{line.message_id[2:12]}", key: {"url": line.media}}
    return {"id": f"att_{line.message_id[2:12]}", "name": line.text, "file_url": line.media}


def _messages(call: GraphCall, contact: Contact, fields: str) -> JSON:
    """As many as the fields ask for (25), and never more than can be read."""
    limit = MESSAGES_LIMIT.search(fields)
    most = min(int(limit[1]) if limit else PAGE, READABLE)
    return {"data": [_message(call, contact, line, fields) for line in list(reversed(contact.lines))[:most]]}


def _conversation(call: GraphCall, contact: Contact, fields: str) -> JSON:
    found: JSON = {}
    if "participants" in fields:
        found["participants"] = {"data": [_party(call, contact), _party(call, None)]}
    if "messages" in fields:
        found["messages"] = _messages(call, contact, fields)
    if "updated_time" in fields or not fields:
        found["updated_time"] = f"{contact.lines[-1].at:%Y-%m-%dT%H:%M:%S}+0000"
    if "is_owner" in fields:
        found["is_owner"] = not contact.inbox_owns
    return {**found, "id": _thread_id(contact)}


async def conversations(call: GraphCall) -> JSON:
    """`GET /{page}/conversations`: newest first; of each only the last 20 messages can be read."""
    page_of(call)
    chats = [c for c in call.platform.people.contacts[MESSENGER].values() if c.lines]
    who = call.params.get("user_id")
    if who is not None:
        chats = [contact for contact in chats if contact.user_id == str(who)]
    chats.sort(key=lambda contact: contact.lines[-1].at, reverse=True)
    limit = str(call.params.get("limit") or PAGE)
    most = min(int(limit) if limit.isdigit() else PAGE, CONVERSATIONS)
    after = str(call.params.get("after") or "0")
    start = int(after) if after.isdigit() else 0
    fields = str(call.params.get("fields") or "")
    shown = chats[start : start + most]
    answer: JSON = {"data": [_conversation(call, contact, fields) for contact in shown]}
    if shown:
        answer["paging"] = {"cursors": {"before": str(start), "after": str(start + len(shown))}}
    if start + most < len(chats):
        answer["paging"]["next"] = f"{call.request.url.with_query(None)}?after={start + most}"
    return call.accept("conversations", answer)


async def node(call: GraphCall) -> JSON:
    """`GET /{id}`: a person, the Page, a conversation, or a message."""
    wanted, fields = call.request.match_info["node"], str(call.params.get("fields") or "")
    contacts = call.platform.people.contacts[MESSENGER].values()
    if wanted in ("me", call.platform.config.messenger_page_id):
        return _page_node(call, fields)
    if wanted.startswith("t_"):
        thread = next((c for c in contacts if _thread_id(c) == wanted and c.lines), None)
        if thread is not None:
            return _conversation(call, thread, fields)
    elif wanted.startswith("m_"):
        for contact in contacts:
            if (line := contact.line(wanted)) is not None:
                if line not in list(contact.lines)[-READABLE:]:
                    raise GraphError(9000001, "(#9000001) The message was deleted")
                return _message(call, contact, line, fields)
    elif wanted in call.platform.page.personas:
        return call.accept("persona", dict(call.platform.page.personas[wanted]))
    elif wanted.isdigit():
        return await profile(call)
    message = f"Unsupported get request. Object with ID '{wanted}' does not exist"
    raise GraphError(100, message, 33, kind="GraphMethodException")


def _page_node(call: GraphCall, fields: str) -> JSON:
    config = call.platform.config
    if call.by_person:
        return call.accept("person", {"name": "Người quản lý Trang", "id": "1207059"})
    found: JSON = {"name": config.brand_name, "id": config.messenger_page_id}
    if "picture" in fields:
        found["picture"] = {"data": {"url": call.platform.media.static_url("sample.jpg"), "is_silhouette": False}}
    if "messaging_feature_status" in fields:
        status = {"hop_v2": config.inbox_takes_threads, "msgr_multi_app": False, "ig_multi_app": False}
        found["messaging_feature_status"] = status
    return call.accept("page", found)


def _threaded(call: GraphCall) -> Contact:
    page_of(call)
    recipient = call.params.get("recipient")
    return call.psid(recipient.get("id") if isinstance(recipient, dict) else recipient)


async def thread_owner(call: GraphCall) -> JSON:
    """`GET /{page}/thread_owner?recipient=`: nobody owns a thread that was quiet for a day."""
    contact = _threaded(call)
    last = contact.last_interaction
    if last is None or call.platform.now() - last > STANDARD:
        return {"data": []}
    app = INBOX_APP_ID if contact.inbox_owns else int(call.platform.config.messenger_app_id)
    owner = {"app_id": app, "expiration": int((last + STANDARD).timestamp())}
    return call.accept("thread_owner", {"data": [{"thread_owner": owner}]}, contact)


async def thread_control(call: GraphCall) -> JSON:
    """`POST /{page}/{pass,take,release,request,extend}_thread_control`."""
    contact = _threaded(call)
    verb = call.request.match_info["verb"]
    if verb in ("pass", "release", "extend") and contact.inbox_owns:
        raise not_owner()
    if verb == "take" and not call.platform.config.inbox_takes_threads:
        raise bad_param("Only the default app of a Page may take a thread, and this Page has none", 2018171)
    if verb == "pass":
        target = str(call.params.get("target_app_id") or "")
        if target not in (str(INBOX_APP_ID), call.platform.config.messenger_app_id):
            raise bad_param("Param target_app_id is not an app of this Page", 2018164)
        contact.inbox_owns = target == str(INBOX_APP_ID)
    elif verb == "take":
        contact.inbox_owns = False
    elif verb == "extend":
        seconds = call.params.get("duration")
        if not str(seconds).isdigit() or timedelta(seconds=int(str(seconds))) > timedelta(days=7):
            raise bad_param("Param duration must be at most 7 days, in seconds")
    call.platform.moved(contact)
    return call.accept(f"{verb}_thread_control", {"success": True}, contact)


async def unknown(call: GraphCall) -> JSON:
    """Any other path: 2500, as Graph answers where it knows no such edge."""
    raise GraphError(2500, f"Unknown path components: /{call.request.match_info['edge']}")


def routes(version: str) -> list[web.RouteDef]:
    """The reading routes under `version`; the open ones come last of all Graph routes.

    Meta's own client asks for a node with a slash at the end.
    """
    page = version + "/{page}"
    control = page + "/{verb:pass|take|release|request|extend}_thread_control"
    return [
        web.get(f"{page}/conversations", graph(conversations), allow_head=False),
        web.get(f"{page}/thread_owner", graph(thread_owner), allow_head=False),
        web.post(control, graph(thread_control)),
        web.get(version + "/{node}", graph(node), allow_head=False),
        web.get(version + "/{node}/", graph(node), allow_head=False),
        web.route("*", version + "/{node}/{edge:.+}", graph(unknown)),
    ]
