"""Errors of the API as problem+json (RFC 9457), whatever went wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import OperationalError

from crm.errors import CrmError
from storage.work import Closed

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


class FieldError(BaseModel):
    """Which input is at fault (a path such as `items.0.price`), and why."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: the status says what kind of error it is.")
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class Refused(Exception):
    """A request that the door itself turns away."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers or {}


def invalid(error: ValidationError) -> Refused:
    """The refusal of an input that does not fit its model: 400 where it is no JSON, else 422 with every field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(item["type"] == "json_invalid" for item in found):
        return Refused(400, "The body is not valid JSON.")
    errors = [
        FieldError(field=".".join(map(str, item["loc"])) or "body", message=_words(item["msg"])) for item in found
    ]
    return Refused(422, "Some fields are not valid.", errors)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


@web.middleware
async def render(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem; what nobody foresaw is logged here, once."""
    try:
        return await handler(request)
    except Refused as refused:
        return _problem(refused.status, refused.detail, refused.errors, refused.headers)
    except CrmError as error:
        errors = [FieldError(field=error.field, message=error.en)] if error.field else []
        return _problem(error.status, error.en, errors)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _problem(error.status, f"{error.reason}: {request.method} {request.path}", headers=allow)
    except (Closed, OperationalError):
        log.warning("the database did not answer", exc_info=True)
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return _problem(503, "The database does not answer now; try again.", headers=headers)
    except Exception:
        log.exception("an unforeseen error in the API")
        return _problem(500, "Something went wrong on our side.")


def _problem(
    status: int, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> web.Response:
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)
    )
    body = json.dumps(problem.model_dump(), ensure_ascii=True).encode()
    return web.Response(
        status=status, body=body, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store", **(headers or {})}
    )
