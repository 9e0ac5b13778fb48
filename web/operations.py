"""What an operation of the API is, and how a request becomes a call of its view and an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.broadcasting import Sender
from storage.database import Database
from storage.media import Kept
from web.keys import CALLER, CLOCK, DATABASE, PICTURES, SECRET, SENDER
from web.problems import FieldError, Refused, invalid

LONGEST_BODY = 256 * 1024

P = TypeVar("P", bound=BaseModel)
B = TypeVar("B", bound=BaseModel | None)


class Exact(BaseModel):
    """A model of what comes from outside: exact types, and nothing that is not named."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Params(BaseModel):
    """A model of what stands in an address, as text."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Call(Generic[P, B]):
    """What a view holds: the parsed request, the data, the time, what stands for the caller's key, our own key, who
    draws, and the shop as one that writes to many."""

    params: P
    body: B
    database: Database
    now: datetime
    caller: str
    secret_key: str = field(repr=False)
    pictures: Callable[[str], Awaitable[Kept]]
    sender: Sender


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. What of `params` is not in the path stands in the query."""

    method: str
    path: str
    name: str
    summary: str
    params: type[BaseModel]
    body: type[BaseModel] | None
    answer: type[BaseModel]
    view: Callable[[Call[Any, Any]], Awaitable[BaseModel]]

    async def respond(self, request: web.Request) -> web.Response:
        """Parse, call the view, render."""
        call: Call[Any, Any] = Call(
            params=self._params(request),
            body=await self._body(request),
            database=request.config_dict[DATABASE],
            now=request.config_dict[CLOCK](),
            caller=request[CALLER],
            secret_key=request.config_dict[SECRET],
            pictures=request.config_dict[PICTURES],
            sender=request.config_dict[SENDER],
        )
        answer = await self.view(call)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(text=answer.model_dump_json(), content_type="application/json", headers=headers)

    def _params(self, request: web.Request) -> BaseModel:
        names = [*request.match_info, *(name for name, _ in request.query.items())]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Refused(
                422, "A parameter is given twice.", [FieldError(field=name, message="twice") for name in twice]
            )
        try:
            return self.params.model_validate({**request.match_info, **request.query})
        except ValidationError as error:
            raise invalid(error) from error

    async def _body(self, request: web.Request) -> BaseModel | None:
        if self.body is None:
            return None
        try:
            return self.body.model_validate_json(await _read(request))
        except ValidationError as error:
            raise invalid(error) from error


async def _read(request: web.Request) -> bytes:
    """The raw body, no longer than `LONGEST_BODY`, whatever its headers claim."""
    if request.content_type != "application/json":
        raise Refused(415, "The body must be application/json.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "The body must not be compressed.")
    body = bytearray()
    if (request.content_length or 0) <= LONGEST_BODY:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > LONGEST_BODY:
                break
        else:
            return bytes(body)
    raise Refused(413, f"The body may have {LONGEST_BODY} bytes at most.")
