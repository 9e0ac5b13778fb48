"""How a Graph call is read and answered: parameters from anywhere, tokens, proof, limits, error shape."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from simulator.people import MESSENGER, Contact
from simulator.platform import PLATFORM, Platform
from simulator.proof import appsecret_proof
from simulator.surface import WebHandler, faulty, graph_error, json_answer

JSON = dict[str, Any]
Answer = TypeVar("Answer")
USAGE = {
    "X-App-Usage": '{"call_count":3,"total_time":2,"total_cputime":1}',
    "facebook-api-version": "v26.0",
}


class GraphError(Exception):
    """A refusal with Meta's code and subcode (docs: messenger-platform/error-codes)."""

    def __init__(
        self, code: int, message: str, subcode: int = 0, status: int = 400, kind: str = "OAuthException"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.status = status
        self.kind = kind


def expired() -> GraphError:
    """Error 190 for a person's token that grew old."""
    return GraphError(190, "Error validating access token: Session has expired.", 463)


def bad_param(what: str, subcode: int = 0) -> GraphError:
    """Error 100, naming the parameter."""
    return GraphError(100, f"(#100) {what}", subcode)


@dataclass(slots=True)
class GraphCall:
    """One call with its parameters from query and body as one; `file` is an uploaded `filedata`.

    `platform` is the brand whose Page's token it brings; `by_person`: the token is a person's own.
    """

    platform: Platform
    request: web.Request
    params: JSON
    file: web.FileField | None = None
    by_person: bool = False

    def accept(
        self, kind: str, response: Answer, contact: Contact | None = None, message_id: str = "", text: str = ""
    ) -> Answer:
        """Writes the call into the journal and returns the answer."""
        told = {name: value for name, value in self.params.items() if name not in ("access_token", "appsecret_proof")}
        path = self.request.path
        self.platform.accept(MESSENGER, kind, path, contact, told, response, message_id, text)
        return response

    def psid(self, who: Any) -> Contact:
        """Whom a PSID means; 100/2018001 if nobody of this Page."""
        contact = self.platform.people.contact(MESSENGER, str(who)) if isinstance(who, str | int) else None
        if contact is None or contact.last_interaction is None:
            raise bad_param("No matching user found", 2018001)
        return contact


GraphHandler = Callable[[GraphCall], Awaitable[Any]]


def graph(handler: GraphHandler, *, app_token: bool = False, no_token: bool = False) -> WebHandler:
    """A Graph endpoint; `app_token` ones want `<app id>|<app secret>` instead of the Page's token."""

    async def answer(request: web.Request) -> web.StreamResponse:
        platform = request.app[PLATFORM]
        platform.learn_origin(request)
        try:
            call = await read_call(platform, request)
            if not no_token:
                check_token(call, app_token=app_token)
            platform = call.platform
            return json_answer(await handler(call), headers=_usage(platform))
        except GraphError as error:
            body = graph_error(error.code, error.message, error.subcode, error.kind)
            platform.refuse(MESSENGER, request.path, body)
            return json_answer(body, error.status, _usage(platform))

    return faulty("graph", answer)


def _usage(platform: Platform) -> dict[str, str]:
    page = platform.page
    spent = {"type": "messenger", **page.usage, "estimated_time_to_regain_access": page.regain_minutes}
    header = json.dumps({platform.config.messenger_page_id: [spent]}, separators=(",", ":"))
    return {**USAGE, "X-Business-Use-Case-Usage": header}


async def read_call(platform: Platform, request: web.Request) -> GraphCall:
    """Parameters of a call from its query and its JSON, form or multipart body; raises GraphError."""
    params: JSON = {name: _loads(value) for name, value in request.query.items()} if request.query_string else {}
    file = None
    if request.body_exists:
        if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    file = value
                elif isinstance(value, str):
                    params[name] = _loads(value)
        else:
            params |= _read_json(await request.read())
    return GraphCall(platform, request, params, file)


def _read_json(raw: bytes) -> JSON:
    try:
        body = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        raise bad_param("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise bad_param("The request body must be a JSON object")
    return body


def _loads(value: str) -> Any:
    if value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def check_token(call: GraphCall, *, app_token: bool) -> None:
    """Refuses a call with a bad token or proof, or beyond the rate; raises GraphError."""
    token = call.params.get("access_token")
    if token is None:
        kind, _, bearer = call.request.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if kind.lower() in ("bearer", "oauth") else ""
    if not token:
        raise GraphError(2500, "An active access token must be used to query information about the current user.")
    platform = call.platform = call.platform.brand_of_page(token)
    config = platform.config
    call.by_person = token in platform.user_tokens
    if call.by_person and platform.user_tokens[token] <= platform.now():
        raise expired()
    allowed = {f"{config.messenger_app_id}|{config.messenger_app_secret}"} if app_token else set()
    if platform.page_token_valid:
        allowed.add(config.messenger_page_token)
    if token not in allowed and not call.by_person:
        if token == config.messenger_page_token:
            message = "Error validating access token: The session has been invalidated."
            raise GraphError(190, message, 460)
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    proof = call.params.get("appsecret_proof")
    if proof is None:
        if config.require_appsecret_proof:
            message = "API calls from the server require an appsecret_proof argument"
            raise GraphError(100, message, kind="GraphMethodException")
    elif proof != appsecret_proof(config.messenger_app_secret, str(token)):
        message = "Invalid appsecret_proof provided in the API argument"
        raise GraphError(100, message, kind="GraphMethodException")
    limit = config.messenger_per_second
    if limit and platform.used("graph", int(platform.now().timestamp())) > limit:
        raise GraphError(80006, "(#80006) There have been too many calls to this Messenger account.")


def page_of(call: GraphCall) -> None:
    """Refuses a path that names another Page than the token's, and a token that is no Page's."""
    if call.by_person:
        raise GraphError(190, "This method must be called with a Page Access Token")
    page = call.request.match_info.get("page", "me")
    if page not in ("me", call.platform.config.messenger_page_id):
        message = f"Unsupported request. Object with ID '{page}' does not exist or cannot be loaded"
        raise GraphError(100, message, 33, kind="GraphMethodException")
