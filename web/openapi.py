"""The description of the API (OpenAPI 3.1), made from the operations themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from web.operations import Operation
from web.problems import CONTENT_TYPE, Problem

_REF = "#/components/schemas/{model}"
_ERRORS = {
    400: "The request cannot be read",
    401: "No valid key",
    404: "There is no such thing",
    409: "It does not fit how things stand now",
    422: "Some fields are not valid; `errors` names them",
    429: "Too many wrong keys from this address, or too many wrong codes of vouchers",
    503: "The database does not answer now; try again",
}
_BODY_ERRORS = {413: "The body is too long", 415: "The body is not application/json"}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole description, ready to be rendered as JSON."""
    models = {model for operation in operations for model in (operation.body, operation.answer) if model} | {Problem}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(f"/api/v1{operation.path}", {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Khách Quen",
            "version": "1",
            "description": "What tills, shops and ERPs tell of customers and orders, and ask of points and vouchers.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    errors = {**_ERRORS, **(_BODY_ERRORS if operation.body else {})}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": (operation.view.__doc__ or "").strip(),
        "parameters": _parameters(operation),
        "responses": {
            "200": {"description": "Done", "content": _content("application/json", operation.answer.__name__)},
            **{
                str(status): {"description": words, "content": _content(CONTENT_TYPE, Problem.__name__)}
                for status, words in sorted(errors.items())
            },
        },
    }
    if operation.body:
        content = _content("application/json", operation.body.__name__)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.params.model_json_schema()
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in operation.path else "query",
            "required": name in schema.get("required", ()),
            "schema": kind,
        }
        for name, kind in schema["properties"].items()
    ]


def _content(media: str, model: str) -> dict[str, Any]:
    return {media: {"schema": {"$ref": _REF.format(model=model)}}}
