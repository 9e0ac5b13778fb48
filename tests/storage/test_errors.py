"""What a database's error is called: enough to look it up, and nothing of the data that it is about."""

from __future__ import annotations

import io
import json
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from bot import logs
from storage import errors
from tests.storage.rows import NOW

PHONE = "+84909998877"
NAMES = {
    "sqlite": "IntegrityError (IntegrityError, SQLITE_CONSTRAINT_PRIMARYKEY)",
    "postgresql": "IntegrityError (UniqueViolation, 23505)",
}


def refused(session: Session) -> DBAPIError:
    """What a row raises whose key is a phone number that is there already."""
    key = {"key": PHONE, "now": NOW}
    row = text("INSERT INTO mark (name, at) VALUES (:key, :now)")
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.connection().execute(row, [key, key])
    return caught.value


def test_an_error_is_called_by_the_drivers_class_and_code(session: Session) -> None:
    error = refused(session)
    assert PHONE in str(error.orig) or session.get_bind().dialect.name == "sqlite"
    assert errors.named(error) == NAMES[session.get_bind().dialect.name]
    assert errors.named(ValueError(PHONE)) == "ValueError"


def test_a_log_says_which_error_of_the_driver_it_was_and_nothing_of_the_data(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, written, root = refused(session), io.StringIO(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr("sys.stderr", written)
    logs.configure(as_json=True)
    logging.getLogger("x").error("it failed", exc_info=error)
    line = json.loads(written.getvalue())
    assert (line["event"], line["error"]) == ("it failed", NAMES[session.get_bind().dialect.name])
    assert PHONE not in written.getvalue()
