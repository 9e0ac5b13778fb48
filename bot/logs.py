"""Structured logs: one JSON object a line, with no phone, text or token in it."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog

from storage import errors

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _extras(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What a log call passed as `extra` becomes fields."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event.update({key: value for key, value in record.__dict__.items() if key not in _OWN})
    return event


def _traceback(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Where an error arose and of which kind, without its message: those of databases and parsers quote the data."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if error is not None:
        event["error"] = errors.named(error)
        event["traceback"] = "".join(traceback.format_tb(error.__traceback__))
    return event


def configure(*, as_json: bool) -> None:
    """Send all logs to standard error: JSON for machines, plain lines for a terminal."""
    shape = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _extras,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _traceback,
            shape,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
