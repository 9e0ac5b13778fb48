"""Messenger's Send API with its windows, tags and thread control, and the person's profile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from simulator import messenger_events
from simulator.chat import Line
from simulator.graph_messages import Shown, read_message
from simulator.graph_wire import GraphCall, GraphError, bad_param, graph, page_of
from simulator.messenger_events import INBOX_APP_ID
from simulator.people import MESSENGER, Contact
from simulator.platform import new_mid

JSON = dict[str, Any]
STANDARD = timedelta(hours=24)
EXTENDED = ANSWERED_WITHIN = timedelta(days=7)
ATTACHMENT_LIFE = timedelta(days=90)
DEAD_TAGS = ("ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE")
ACTIONS = ("mark_seen", "typing_on", "typing_off", "react", "unreact")
OUTSIDE = (
    "(#10) This message is sent outside of allowed window. Learn more about the new policy here: "
    "https://developers.facebook.com/docs/messenger-platform/policy-overview"
)
PROFILE_FIELDS = ("first_name", "last_name", "name", "profile_pic", "locale", "timezone", "gender")


async def send(call: GraphCall) -> JSON:
    """`POST /{page}/messages` (docs: messenger-platform/reference/send-api)."""
    page_of(call)
    params = call.params
    if "sender_action" in params:
        return _act(call)
    contact, recipient = _recipient(call)
    shown, speaker = _shown(call), _speaker(call)
    if "comment_id" in recipient:
        contact = _commenter(call, str(recipient["comment_id"]))
    elif contact is not None:
        check_window(call, contact, shown)
    return _deliver(call, contact, recipient, shown, speaker)


def _commenter(call: GraphCall, comment_id: str) -> Contact:
    """Who wrote a comment that may be answered privately now, which is noted as done."""
    comment = call.platform.page.comments.get(comment_id)
    if comment is None:
        message = f"Unsupported post request. Object with ID '{comment_id}' does not exist"
        raise GraphError(100, message, 33, kind="GraphMethodException")
    if comment.answered:
        raise GraphError(10900, "(#10900) Activity already replied to")
    if call.platform.now() - comment.at > ANSWERED_WITHIN:
        raise GraphError(10, OUTSIDE, 2018278)
    if comment.contact.blocked:
        raise GraphError(551, "(#551) This person isn't available right now.", 1545041)
    comment.answered = True
    commenter: Contact = comment.contact
    return commenter


def _recipient(call: GraphCall) -> tuple[Contact | None, JSON]:
    recipient = call.params.get("recipient")
    if not isinstance(recipient, dict) or len(recipient) != 1:
        raise bad_param("Param recipient must be a JSON object with exactly one of id, user_ref, comment_id, post_id")
    if "id" in recipient:
        return call.psid(recipient["id"]), recipient
    if not any(recipient.get(key) for key in ("user_ref", "comment_id", "post_id", "notification_messages_token")):
        raise bad_param("Param recipient is not supported")
    return None, recipient


def _shown(call: GraphCall) -> Shown:
    message = call.params.get("message")
    if isinstance(message, dict) and "template" in message:
        return _utility(call, message["template"])
    return read_message(message, lambda payload: attachment_url(call, payload))


def _utility(call: GraphCall, template: Any) -> Shown:
    if call.params.get("messaging_type") != "UTILITY":
        raise bad_param("Param messaging_type must be UTILITY for a template message")
    if not isinstance(template, dict) or not isinstance(template.get("language"), dict):
        raise bad_param("Param message[template] needs name and language")
    key = (template.get("name"), template["language"].get("code"))
    found = next((t for t in call.platform.page.templates if (t["name"], t["language"]) == key), None)
    if found is None:
        raise bad_param("Template name does not exist in the translation")
    if found["status"] != "APPROVED":
        raise bad_param("The template is not approved")
    text = next((str(part.get("text", "")) for part in found["components"] if part.get("type") == "BODY"), "")
    for part in template.get("components") or []:
        if isinstance(part, dict) and str(part.get("type")).lower() == "body":
            for index, param in enumerate(part.get("parameters") or [], 1):
                name = param.get("parameter_name", index)
                text = text.replace("{{" + str(name) + "}}", str(param.get("text", "")))
    return Shown("template", text)


def not_owner() -> GraphError:
    """Error 10/2018300: another app holds the thread."""
    return GraphError(10, "(#10) Another app is controlling this thread now.", 2018300, status=403)


def check_window(call: GraphCall, contact: Contact, shown: Shown) -> None:
    """Refuses what may not be sent to this person now; raises GraphError."""
    kind, tag = call.params.get("messaging_type"), call.params.get("tag")
    if tag in DEAD_TAGS:
        raise bad_param("Invalid parameter", 1893061)
    if contact.inbox_owns:
        raise not_owner()
    if contact.blocked:
        raise GraphError(551, "(#551) This person isn't available right now.", 1545041)
    if kind is not None and kind not in ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"):
        raise bad_param("Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")
    window = STANDARD
    if kind == "UTILITY":
        if shown.kind != "template":
            raise bad_param("Param message[template] is required for UTILITY messages")
        return
    if kind == "MESSAGE_TAG" or tag is not None:
        feedback = tag == "CUSTOMER_FEEDBACK" and shown.kind == "customer_feedback"
        if tag != "HUMAN_AGENT" and not feedback:
            raise bad_param("Param tag must be one of {HUMAN_AGENT, CUSTOMER_FEEDBACK}")
        window = EXTENDED
    last = contact.last_interaction
    if last is None or call.platform.now() - last > window:
        raise GraphError(10, OUTSIDE, 2018278)


def _speaker(call: GraphCall) -> str:
    """The name of the persona that the call names."""
    wanted = call.params.get("persona_id")
    if wanted is None:
        return ""
    persona = call.platform.page.personas.get(str(wanted))
    if persona is None:
        raise bad_param("Param persona_id is not a valid persona of this Page")
    return str(persona["name"])


def _deliver(call: GraphCall, contact: Contact | None, recipient: JSON, shown: Shown, speaker: str) -> JSON:
    platform = call.platform
    now = platform.now()
    mid = new_mid()
    answer: JSON = {"message_id": mid}
    if contact is not None:
        answer = {"recipient_id": contact.user_id, **answer}
    elif "post_id" in recipient:
        commenter = platform.people.meet(MESSENGER, "post " + str(recipient["post_id"]), now)
        answer = {"recipient_id": commenter.user_id, **answer}
    reusable = _reusable(call, shown)
    if reusable:
        answer["attachment_id"] = reusable
    call.accept(shown.kind, answer, contact, mid, shown.text)
    if contact is not None:
        _show(call, contact, shown, mid, speaker)
        _pass_control(call, contact)
    return answer


def _reusable(call: GraphCall, shown: Shown) -> str:
    message = call.params.get("message")
    attachment = message.get("attachment") if isinstance(message, dict) else None
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if isinstance(payload, dict) and payload.get("is_reusable") and shown.attachments:
        return keep_attachment(call, shown.attachments[0])
    return ""


def _show(call: GraphCall, contact: Contact, shown: Shown, mid: str, speaker: str) -> None:
    platform = call.platform
    now = platform.now()
    line = Line("bot", now, mid, shown.kind, shown.text, shown.media, shown.buttons, shown.cards, speaker=speaker)
    platform.say(contact, line)
    if not platform.config.echoes:
        platform.after_send(contact, line, None)
        return
    message: JSON = {"mid": mid}
    if shown.attachments:
        message["attachments"] = list(shown.attachments)
    elif shown.text:
        message["text"] = shown.text
    sent = call.params["message"]
    if sent.get("metadata"):
        message["metadata"] = sent["metadata"]
    reply_to = call.params.get("reply_to")
    if isinstance(reply_to, dict) and reply_to.get("mid"):
        message["reply_to"] = {"mid": reply_to["mid"], "is_self_reply": False}
    app_id = int(platform.config.messenger_app_id)
    platform.after_send(contact, line, messenger_events.echo(platform.config, contact, message, app_id, now))


def _pass_control(call: GraphCall, contact: Contact) -> None:
    control = call.params.get("thread_control")
    if isinstance(control, dict) and control.get("control_type") == "pass":
        contact.inbox_owns = str(control.get("app_id") or INBOX_APP_ID) == str(INBOX_APP_ID)
        call.platform.moved(contact)


def _act(call: GraphCall) -> JSON:
    action = call.params["sender_action"]
    if "message" in call.params:
        raise bad_param("Only one of message and sender_action may be used in a call", 2018014)
    if action not in ACTIONS:
        raise bad_param("Param sender_action must be one of {MARK_SEEN, TYPING_ON, TYPING_OFF, REACT, UNREACT}")
    contact, _ = _recipient(call)
    if contact is None:
        raise bad_param("Param recipient[id] is required")
    if action in ("react", "unreact"):
        _react(call, contact, action)
    elif action == "mark_seen":
        call.platform.brand_saw(contact)
    else:
        check_window(call, contact, Shown("action"))
    platform = call.platform
    if platform.live.watchers:
        event = {"channel": MESSENGER, "person": contact.person.id, "action": action}
        platform.live.publish("action", event)
    return call.accept("sender_action", {"recipient_id": contact.user_id}, contact)


def _react(call: GraphCall, contact: Contact, action: str) -> None:
    payload = call.params.get("payload")
    target = payload.get("message_id") if isinstance(payload, dict) else None
    if not isinstance(target, str) or not contact.knows(target):
        raise bad_param("Param payload[message_id] is not a message of this conversation")
    line = contact.line(target)
    if line is not None and isinstance(payload, dict):
        line.reaction = str(payload.get("reaction", "")) if action == "react" else ""
        call.platform.changed(contact, line)


def attachment_url(call: GraphCall, payload: JSON) -> str:
    """The address of a medium to send: by URL, by saved attachment, or uploaded with the call."""
    if "attachment_id" in payload:
        saved = call.platform.page.attachments.get(str(payload["attachment_id"]))
        if saved is None or call.platform.now() - saved[1] > ATTACHMENT_LIFE:
            raise bad_param("Invalid attachment ID", 2018074)
        return str(saved[0]["payload"]["url"])
    if "url" in payload:
        url = payload["url"]
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise bad_param("Failed to fetch the file from the url", 2018008)
        return url
    if call.file is None:
        raise bad_param("An attachment needs a url, an attachment_id or filedata", 2018047)
    kept = call.platform.media.keep(call.file.file.read(), call.file.content_type, call.file.filename)
    return call.platform.media.url(kept)


def keep_attachment(call: GraphCall, attachment: JSON) -> str:
    """Saves an attachment for 90 days and returns its id."""
    attachments = call.platform.page.attachments
    attachment_id = str(1857777774821032 + len(attachments))
    attachments[attachment_id] = (attachment, call.platform.now())
    return attachment_id


async def upload(call: GraphCall) -> JSON:
    """`POST /{page}/message_attachments`: saves a medium for later sends."""
    page_of(call)
    shown = read_message(call.params.get("message"), lambda payload: attachment_url(call, payload))
    if not shown.attachments or shown.kind not in ("image", "audio", "video", "file"):
        raise bad_param("Param message[attachment] must be a media attachment")
    return call.accept("upload", {"attachment_id": keep_attachment(call, shown.attachments[0])})


async def profile(call: GraphCall) -> JSON:
    """`GET /{psid}`: the person's profile, only the fields that were asked for."""
    contact = call.psid(call.request.match_info["node"])
    wanted = str(call.params.get("fields") or "first_name,last_name,profile_pic").split(",")
    last, _, first = contact.person.name.rpartition(" ")
    known: JSON = {
        "first_name": first,
        "last_name": last,
        "name": contact.person.name,
        "profile_pic": f"{call.platform.media.base_url}/avatars/{contact.person.id}.svg",
        "locale": "vi_VN",
        "timezone": 7,
        "gender": "female",
    }
    found = {name: known[name] for name in wanted if name in PROFILE_FIELDS}
    return call.accept("profile", {**found, "id": contact.user_id}, contact)


def send_routes(version: str) -> list[web.RouteDef]:
    """The send routes under `version`, hottest first."""
    return [
        web.post(version + "/{page}/messages", graph(send)),
        web.post(version + "/{page}/message_attachments", graph(upload)),
    ]
