"""Statements past SQLAlchemy write exactly what SQLAlchemy itself would write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session

from storage.columns import new_id
from storage.hot import inserting, updating
from storage.inbox import InboxEvent
from storage.queue import stands

_inbox = InboxEvent.__table__  # type: ignore[attr-defined]
KEYS = tuple(column.name for column in _inbox.columns)
HANOI = timezone(timedelta(hours=7))
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, HANOI)


def event(**values: Any) -> dict[str, Any]:
    """A row of the inbox."""
    number = new_id()
    row = {
        "id": number, "dedup": number.to_bytes(8, "big"), "thread_id": 2**62, "channel": "zalo", "account_id": "1",
        "occurred_at": NOON, "received_at": NOON, "body": b"", "ready_at": NOON, "state": "waiting", "attempts": 0,
        "error": "",
    }  # fmt: skip
    return row | values


ROWS = {
    "a time with microseconds elsewhere": {"occurred_at": NOON},
    "no time": {"occurred_at": None},
    "a time before 1970": {"occurred_at": datetime(1969, 7, 20, 20, 17, tzinfo=UTC)},
    "the last time there is": {"ready_at": datetime.max.replace(tzinfo=UTC)},
    "no bytes": {"body": None},
    "empty bytes": {"body": b""},
    "bytes of every kind": {"body": bytes(range(256))},
    "Vietnamese": {"error": "Đỗ Ánh Nguyễn 😊 ' \" % :x ? \\ \n"},
    "decomposed letters": {"error": "Nguye\u0302\u0303n"},
    "numbers at the edge": {"thread_id": 2**63 - 1, "attempts": 2**31 - 1},
}


def read(session: Session, row_id: int) -> tuple[Any, ...]:
    """A row as SQLAlchemy reads it, without what identifies it."""
    row = session.connection().execute(select(_inbox).where(_inbox.c.id == row_id)).one()
    return tuple(value for key, value in zip(KEYS, row, strict=True) if key not in ("id", "dedup"))


@pytest.mark.parametrize("what", ROWS)
def test_a_hot_insert_writes_what_sqlalchemy_writes(session: Session, what: str) -> None:
    ours, theirs = event(**ROWS[what]), event(**ROWS[what])
    inserting(_inbox, KEYS).run(session.connection(), [ours])
    session.connection().execute(_inbox.insert(), [theirs])
    assert read(session, ours["id"]) == read(session, theirs["id"])
    expected = {**ours, **{key: value.astimezone(UTC) for key, value in ours.items() if isinstance(value, datetime)}}
    assert read(session, ours["id"]) == tuple(expected[key] for key in KEYS if key not in ("id", "dedup"))


@pytest.mark.parametrize("what", ROWS)
def test_a_hot_update_writes_what_a_hot_insert_writes(session: Session, what: str) -> None:
    before, wanted = event(error="before", body=b"before"), event(**ROWS[what])
    inserting(_inbox, KEYS).run(session.connection(), [before, wanted])
    changing = updating(_inbox, [key for key in KEYS if key not in ("id", "dedup")])
    changing.run(session.connection(), [wanted | {"id": before["id"]}])
    assert read(session, before["id"]) == read(session, wanted["id"])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 65, 200, 256, 620])
def test_any_number_of_rows_is_written_whole_and_again(session: Session, count: int) -> None:
    rows = [event(error=f"{number} ạ") for number in range(count)]
    inserting(_inbox, KEYS).run(session.connection(), rows)
    changing = updating(_inbox, ("error",), constants={"attempts": 7, "occurred_at": None})
    for words in ("first", "second"):
        changing.run(session.connection(), [{**row, "error": f"{words} {row['error']}"} for row in rows])
    found = session.connection().execute(select(_inbox.c.id, _inbox.c.error, _inbox.c.attempts, _inbox.c.occurred_at))
    assert {tuple(row) for row in found} == {(row["id"], f"second {row['error']}", 7, None) for row in rows}


def test_an_update_by_two_keys_adds_to_what_is_there(session: Session) -> None:
    rows = [event(channel=channel, attempts=number) for number, channel in enumerate(("zalo", "messenger", "zalo"))]
    inserting(_inbox, KEYS).run(session.connection(), rows)
    changing = updating(_inbox, ("error",), by=("id", "channel"), adds=("attempts",))
    changing.run(
        session.connection(),
        [{"id": row["id"], "channel": "zalo", "error": "hit", "attempts": 2**30} for row in rows],
    )
    found = session.connection().execute(select(_inbox.c.error, _inbox.c.attempts).order_by(_inbox.c.id))
    assert [tuple(row) for row in found] == [("hit", 2**30), ("", 1), ("hit", 2**30 + 2)]


def test_rows_that_were_there_already_are_not_returned(session: Session) -> None:
    rows = [event(error=str(number)) for number in range(40)]
    fresh = inserting(
        _inbox, KEYS, lambda new: new.on_conflict_do_nothing(index_elements=["id"]).returning(_inbox.c.error)
    )
    assert fresh.returned(session.connection(), rows[:5]) == [(str(number),) for number in range(5)]
    assert {row[0] for row in fresh.returned(session.connection(), rows)} == {str(number) for number in range(5, 40)}
    assert fresh.returned(session.connection(), []) == []


def test_an_update_leaves_alone_what_does_not_meet_its_conditions(session: Session) -> None:
    rows = [event(state=state) for state in ("waiting", "dead", "waiting")]
    inserting(_inbox, KEYS).run(session.connection(), rows)
    changing = updating(_inbox, ("error",), stands(_inbox.c.state, "dead"))
    changing.run(session.connection(), [{"id": row["id"], "error": "hit"} for row in rows])
    found = session.connection().execute(select(_inbox.c.error).order_by(_inbox.c.id)).scalars()
    assert list(found) == ["", "hit", ""]


def test_a_missing_value_is_an_error_and_not_an_empty_column(session: Session) -> None:
    row = event()
    del row["body"]
    with pytest.raises(KeyError):
        inserting(_inbox, KEYS).run(session.connection(), [row])
