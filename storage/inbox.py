"""The queue of events in: raw events kept by their dedup key, and the threads that order them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Connection,
    Index,
    LargeBinary,
    UniqueConstraint,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlmodel import Field, Session, SQLModel

from storage import engines
from storage.columns import blob, given_id, hashed, hashed_id, id_at, moment, new_id
from storage.faults import faultpoint
from storage.hot import Fetch, inserting, updating
from storage.queue import DEAD, DONE, WAITING, QueueRow, Replayed, dead_among, set_rows, stands
from storage.work import wake

TOPIC = "inbox"
PER_LEASE = 2000
"""The most events that one lease loads; what is left makes its thread due again."""


_DUE_AT = text("due_at IS NOT NULL")


LOST_KEY = "?"
"""The key of a thread whose only events were buried at the door; its id stands for the key as ever."""


class Thread(SQLModel, table=True):
    """The ordering key of the inbox: one person on one account. Its id stands for the three parts of the key.

    Whoever handles a thread holds its row's lock until the transaction ends: a crash frees it at once.
    """

    __tablename__ = "thread"
    __table_args__ = (Index("ix_thread_due_at", "due_at", sqlite_where=_DUE_AT, postgresql_where=_DUE_AT),)

    id: int = given_id()
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    thread_key: str = Field(max_length=255)
    due_at: datetime | None = moment(nullable=True)


class InboxEvent(QueueRow, table=True):
    """One event as it came. `dedup` is kept for good; `body` goes after the days set by RAW_BODY_DAYS."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("dedup"),
        Index(
            "ix_inbox_waiting",
            "thread_id",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_inbox_body", "id", sqlite_where=text("body IS NOT NULL"), postgresql_where=text("body IS NOT NULL")),
        Index("ix_inbox_dead", "id", sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'")),
    )

    id: int = given_id()
    dedup: bytes = Field(sa_type=LargeBinary)
    thread_id: int = Field(sa_type=Thread.__table__.c.id.type)  # type: ignore[attr-defined]
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    occurred_at: datetime | None = moment(nullable=True)
    received_at: datetime = moment()
    body: bytes | None = blob(nullable=True)


class Arrival(NamedTuple):
    """One raw event to be kept; `dead` says why it is buried at once."""

    channel: str
    account_id: str
    thread_key: str
    dedup_key: str
    occurred_at: datetime | None
    received_at: datetime
    body: bytes
    dead: str = ""


class Held(NamedTuple):
    """A thread whose events are ours until the transaction ends."""

    id: int
    channel: str
    account_id: str


class Waiting(NamedTuple):
    """An event that waits in a held thread."""

    id: int
    thread_id: int
    occurred_at: datetime | None
    received_at: datetime
    attempts: int
    body: bytes


_thread = Thread.__table__  # type: ignore[attr-defined]
_inbox = InboxEvent.__table__  # type: ignore[attr-defined]


def _once(statement: Insert) -> Insert:
    return statement.on_conflict_do_nothing(index_elements=["dedup"])


def _due(statement: Insert) -> Insert:
    """A thread that waits already keeps its moment: an earlier one, or a later one that it was held until."""
    due_at = func.coalesce(_thread.c.due_at, statement.excluded.due_at)
    return statement.on_conflict_do_update(index_elements=["id"], set_={"due_at": due_at})


_EVENT_KEYS = (
    "id", "dedup", "thread_id", "channel", "account_id", "occurred_at", "received_at", "body", "ready_at", "state",
    "attempts", "error",
)  # fmt: skip
_INSERT_EVENTS = inserting(_inbox, _EVENT_KEYS, _once)
_UPSERT_THREADS = inserting(_thread, ("id", "channel", "account_id", "thread_key", "due_at"), _due)


def accept(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Keep these events; one that is there already changes nothing. Every thread of a live one becomes due."""
    events: dict[bytes, dict[str, Any]] = {}
    threads: dict[int, dict[str, Any]] = {}
    for channel, account_id, thread_key, dedup_key, occurred_at, received_at, body, dead in arrivals:
        thread_id = hashed_id(channel, account_id, thread_key)
        dedup = hashed(channel, account_id, dedup_key)
        events[dedup] = {
            "id": new_id(),
            "dedup": dedup,
            "thread_id": thread_id,
            "channel": channel,
            "account_id": account_id,
            "occurred_at": occurred_at,
            "received_at": received_at,
            "body": body,
            "ready_at": received_at,
            "state": DEAD if dead else WAITING,
            "attempts": 0,
            "error": dead,
        }
        if not dead:
            threads[thread_id] = {
                "id": thread_id,
                "channel": channel,
                "account_id": account_id,
                "thread_key": thread_key,
                "due_at": received_at,
            }
    with engines.together(connection):
        _INSERT_EVENTS.run(connection, [events[key] for key in sorted(events)])
        _UPSERT_THREADS.run(connection, [threads[key] for key in sorted(threads)])
    faultpoint("t1.inserted")


def accept_read(session: Session, arrivals: Sequence[tuple[Arrival, Sequence[str]]]) -> int:
    """Keep events that were read from conversations, each with further keys that it may have come under, or still may.

    One that is there under any of its keys changes nothing; how many were new.
    """
    keys = [[hashed(*each[:2], key) for key in (each.dedup_key, *more)] for each, more in arrivals]
    asked = select(_inbox.c.dedup).where(_inbox.c.dedup.in_({key for group in keys for key in group}))
    there = set(session.connection().execute(asked).scalars())
    new = [number for number, group in enumerate(keys) if not there.intersection(group)]
    accept(session.connection(), [arrivals[number][0] for number in new])
    spare = [_spare(arrivals[number][0], key) for number in new for key in keys[number][1:]]
    _INSERT_EVENTS.run(session.connection(), sorted(spare, key=lambda row: cast("bytes", row["dedup"])))
    if new:
        wake(session, TOPIC)
    return len(new)


def _spare(arrival: Arrival, dedup: bytes) -> dict[str, Any]:
    """A row that only keeps a key taken."""
    channel, account_id, thread_key, _, occurred_at, received_at, _, _ = arrival
    return {
        "id": new_id(), "dedup": dedup, "thread_id": hashed_id(channel, account_id, thread_key), "channel": channel,
        "account_id": account_id, "occurred_at": occurred_at, "received_at": received_at, "body": None,
        "ready_at": received_at, "state": DONE, "attempts": 0, "error": "",
    }  # fmt: skip


def received_between(session: Session, channel: str, account_id: str, since: datetime, until: datetime) -> int:
    """How many events of this account were received in this span, by the ids that their rows got then."""
    statement = (
        select(func.count())
        .select_from(_inbox)
        .where(
            _inbox.c.id >= id_at(since),
            _inbox.c.id < id_at(until),
            _inbox.c.channel == channel,
            _inbox.c.account_id == account_id,
        )
    )
    return int(session.connection().execute(statement).scalar_one())


def first_received(session: Session, channel: str, account_id: str, since: datetime) -> datetime | None:
    """When the first event of this account was received since then."""
    statement = (
        select(_inbox.c.received_at)
        .where(_inbox.c.id >= id_at(since), _inbox.c.channel == channel, _inbox.c.account_id == account_id)
        .order_by(_inbox.c.id)
    )
    return cast("datetime | None", session.connection().execute(statement.limit(1)).scalar_one_or_none())


_DUE = Fetch(
    lambda _among: (
        select(*(_thread.c[name] for name in Held._fields))
        .where(_thread.c.due_at <= bindparam("now", type_=_thread.c.due_at.type, required=True))
        .order_by(_thread.c.due_at)
        .limit(bindparam("most", required=True))
        .with_for_update(skip_locked=True)
    )
)
_ONE = Fetch(
    lambda _among: (
        select(*(_thread.c[name] for name in Held._fields))
        .where(_thread.c.id == bindparam("only", required=True))
        .with_for_update(skip_locked=True)
    )
)
_EVENTS = Fetch(
    lambda among: (
        select(*(_inbox.c[name] for name in Waiting._fields))
        .where(among(_inbox.c.thread_id, "threads"), stands(_inbox.c.state, WAITING), _inbox.c.body.is_not(None))
        .order_by(_inbox.c.id)
        .limit(bindparam("most", required=True))
    )
)
_NEXT_DUE = (
    select(func.min(_inbox.c.ready_at))
    .where(_inbox.c.thread_id == _thread.c.id, stands(_inbox.c.state, WAITING))
    .scalar_subquery()
)
_RELEASE = updating(_thread, (), constants={"due_at": _NEXT_DUE})
_DONE = updating(_inbox, (), constants={"state": DONE})


def take(session: Session, now: datetime, most: int, only: int | None = None) -> list[Held]:
    """Up to `most` threads that are due and that nobody else handles, the longest waiting first; or `only` this one."""
    if only is None:
        rows = _DUE.rows(session.connection(), now=now, most=most)
    else:
        rows = _ONE.rows(session.connection(), only=only)
    return sorted(Held._make(row) for row in rows)


def waiting(session: Session, thread_ids: Sequence[int]) -> list[Waiting]:
    """The events that wait in these threads, each thread's in the order they happened."""
    found = _EVENTS.rows(session.connection(), threads=list(thread_ids), most=PER_LEASE)
    rows = [Waiting._make(row) for row in found]
    return sorted(rows, key=lambda row: (row.thread_id, row.occurred_at or row.received_at, row.id))


def finish(session: Session, event_ids: Sequence[int]) -> None:
    """These events had their effect."""
    _DONE.run(session.connection(), [{"id": event_id} for event_id in sorted(event_ids)])


def forget_bodies(session: Session, event_ids: Sequence[int]) -> None:
    """Take the raw bodies of these events away: they hold what must not be kept."""
    if event_ids:
        session.connection().execute(update(_inbox).where(_inbox.c.id.in_(event_ids)).values(body=None))


def bury(session: Session, reasons: Mapping[int, str]) -> None:
    """Give these events up, each for its reason; their bodies stay for a replay."""
    rows = [{"id": event_id, "state": DEAD, "error": reason[:500]} for event_id, reason in reasons.items()]
    set_rows(session.connection(), _inbox, rows)


def failed(session: Session, event_id: int, attempts: int, error: str, ready_at: datetime) -> None:
    """Count a failed try of this event and let it wait until `ready_at`."""
    row = {"id": event_id, "attempts": attempts, "error": error[:500], "ready_at": ready_at}
    set_rows(session.connection(), _inbox, [row])


def release(session: Session, threads: Sequence[Held], wait_until: Mapping[int, datetime] | None = None) -> None:
    """Note when the threads are due again: when their next event is ready, or not before `wait_until`."""
    _RELEASE.run(session.connection(), [{"id": thread.id} for thread in threads])
    waits = [{"id": key, "due_at": until} for key, until in (wait_until or {}).items()]
    set_rows(session.connection(), _thread, waits)


class Dead(NamedTuple):
    """An event that was given up."""

    id: int
    channel: str
    account_id: str
    received_at: datetime
    error: str
    body: bytes | None


def dead(session: Session, most: int = 100) -> list[Dead]:
    """The events that were given up, newest first."""
    statement = (
        select(*(_inbox.c[name] for name in Dead._fields))
        .where(stands(_inbox.c.state, DEAD))
        .order_by(_inbox.c.id.desc())
        .limit(most)
    )
    return [Dead(*row) for row in session.connection().execute(statement)]


def dead_count(session: Session) -> int:
    """How many events were given up."""
    statement = select(func.count()).select_from(_inbox).where(stands(_inbox.c.state, DEAD))
    return int(session.connection().execute(statement).scalar_one())


def replay(session: Session, ids: Sequence[int], now: datetime) -> Replayed:
    """Let given-up events wait again, with all their tries; one whose body was purged is kept as it is."""
    statement = (
        update(_inbox)
        .where(_inbox.c.id.in_(ids), stands(_inbox.c.state, DEAD), _inbox.c.body.is_not(None))
        .values(state=WAITING, attempts=0, error="", ready_at=now)
        .returning(_inbox.c.id, _inbox.c.thread_id, _inbox.c.channel, _inbox.c.account_id)
    )
    rows = session.connection().execute(statement).all()
    threads = {
        row.thread_id: {
            "id": row.thread_id, "channel": row.channel, "account_id": row.account_id, "thread_key": LOST_KEY,
            "due_at": now,
        }
        for row in rows
    }  # fmt: skip
    _UPSERT_THREADS.run(session.connection(), [threads[key] for key in sorted(threads)])
    if rows:
        wake(session, TOPIC)
    return Replayed(sorted(row.id for row in rows), dead_among(session, _inbox, ids))


def oldest_waiting(session: Session) -> datetime | None:
    """When the thread that waits longest became due; None where nothing waits."""
    return cast("datetime | None", session.connection().execute(select(func.min(_thread.c.due_at))).scalar_one())


def purge_bodies(session: Session, before: datetime, after_id: int, most: int) -> int | None:
    """Forget the bodies of events before then that do not wait; the cursor to go on from, None at the end."""
    statement = (
        select(_inbox.c.id, _inbox.c.received_at, _inbox.c.state)
        .where(_inbox.c.id > after_id, _inbox.c.body.is_not(None))
        .order_by(_inbox.c.id)
    )
    rows = session.connection().execute(statement.limit(most)).all()
    old = [row for row in rows if row.received_at < before and row.state != WAITING]
    set_rows(session.connection(), _inbox, [{"id": row.id, "body": None} for row in old])
    return rows[-1].id if len(rows) == most and rows[-1].received_at < before else None
