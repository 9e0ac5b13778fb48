"""The queue of everything else that must survive a restart: a kind, what it is about, when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, bindparam, case, delete, func, select, text, update
from sqlmodel import Field, Session

from storage.columns import NEVER, given_id, insert, moment, new_id
from storage.queue import DEAD, WAITING, Leased, QueueRow, Replayed, stands
from storage.work import wake

TOPIC = "job"
_WAITING = text("state = 'waiting'")


class Job(QueueRow, Leased, table=True):
    """One piece of work. Only one with the same `unique_key` waits at a time; a finished one leaves the table.

    `again_at`: asked for once more while it is done; then it is not over with that, but due again from then on.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("uq_job_unique_key", "unique_key", unique=True, sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_job_due", "ready_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: int = given_id()
    kind: str = Field(max_length=64)
    payload: str = "{}"
    unique_key: str = Field(max_length=255)
    created_at: datetime = moment()
    again_at: datetime | None = moment(nullable=True)


class Taken(NamedTuple):
    """A job under our lease."""

    id: int
    kind: str
    payload: str
    attempts: int
    lease_token: int


_job = Job.__table__  # type: ignore[attr-defined]
_DUE = (
    select(_job.c.id)
    .where(stands(_job.c.state, WAITING), _job.c.ready_at <= bindparam("now"), _job.c.lease_until < bindparam("now"))
    .order_by(_job.c.ready_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
"""Named apart, for PostgreSQL may look into a subquery once a row, and each time find others that nobody holds."""
_LEASE = (
    update(_job)
    .where(_job.c.id.in_(select(_DUE.c.id)))
    .values(
        lease_owner=bindparam("owner"), lease_until=bindparam("until"), lease_token=_job.c.lease_token + 1,
        again_at=None,
    )
    .returning(*(_job.c[name] for name in Taken._fields))
)  # fmt: skip


def row(
    kind: str, subject: str, payload: Mapping[str, Any], now: datetime, at: datetime | None = None
) -> dict[str, Any]:
    """A job as `add_many` takes it; due now, or at `at`."""
    return {
        "id": new_id(), "kind": kind, "payload": json.dumps(payload), "unique_key": f"{kind}:{subject}",
        "created_at": now, "ready_at": at or now, "state": WAITING, "attempts": 0, "error": "",
        "lease_owner": "", "lease_until": NEVER, "lease_token": 0,
    }  # fmt: skip


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue jobs. One whose key waits already is dropped; one whose key is being done is done again afterwards, at the
    earliest moment that was asked for.

    It is being done as long as whoever took it has not said how it went, even if that is later than the lease. Where
    they never will, it is done from its first moment on.
    """
    if rows:
        statement = insert(session.get_bind().dialect.name, _job)
        new = {key: statement.excluded[key] for key in ("payload", "created_at")}
        asked = statement.excluded["ready_at"]
        statement = statement.on_conflict_do_update(
            index_elements=["unique_key"], index_where=_WAITING,
            set_={**new, "again_at": case((_job.c.again_at < asked, _job.c.again_at), else_=asked)},
            where=_job.c.lease_until != NEVER,
        )  # fmt: skip
        session.connection().execute(statement, sorted(rows, key=lambda item: item["unique_key"]))
        wake(session, TOPIC)


def waits(session: Session, kind: str, subject: str) -> bool:
    """Whether such a job is to be done, or is being done."""
    key = f"{kind}:{subject}"
    statement = select(_job.c.id).where(_job.c.unique_key == key, stands(_job.c.state, WAITING))
    return session.connection().execute(statement).first() is not None


def lease(session: Session, owner: str, now: datetime, until: datetime, most: int) -> list[Taken]:
    """Take up to `most` jobs that are due and that nobody holds."""
    values = {"owner": owner, "now": now, "until": until, "most": most}
    return [Taken._make(item) for item in session.connection().execute(_LEASE, values)]


def prolong(session: Session, under_way: Sequence[Taken], until: datetime) -> None:
    """Keep these jobs ours until then; those whose lease was lost stay lost."""
    rows = [{"b_id": job.id, "b_token": job.lease_token} for job in sorted(under_way)]
    session.connection().execute(_PROLONG, [{**row, "b_until": until} for row in rows])


_MINE = (_job.c.id == bindparam("b_id"), _job.c.lease_token == bindparam("b_token"))
_FINISH = delete(_job).where(*_MINE, _job.c.again_at.is_(None))
_FREE = (
    update(_job)
    .where(*_MINE, _job.c.again_at.is_not(None))
    .values(lease_owner="", lease_until=NEVER, ready_at=_job.c.again_at, again_at=None)
)
_PROLONG = update(_job).where(*_MINE, _job.c.lease_until != NEVER).values(lease_until=bindparam("b_until"))


def finish(session: Session, done: Sequence[Taken]) -> None:
    """These jobs are done: they leave the table, unless their leases were lost, or they were asked for once more."""
    rows = [{"b_id": job.id, "b_token": job.lease_token} for job in sorted(done)]
    if session.connection().execute(_FINISH, rows).rowcount < len(rows):
        session.connection().execute(_FREE, rows)


def put_back(session: Session, job: Taken, ready_at: datetime, *, error: str = "", counted: bool = True) -> None:
    """Try again at `ready_at`, or earlier if it was asked for once more; `counted` tries are those that failed."""
    attempts = job.attempts + counted
    at = case((_job.c.again_at < ready_at, _job.c.again_at), else_=ready_at)
    _change(session, job, ready_at=at, attempts=attempts, error=error[:500])


def bury(session: Session, job: Taken, error: str) -> None:
    """Give the job up, unless it was asked for once more."""
    is_over = _job.c.again_at.is_(None)
    state, at = case((is_over, DEAD), else_=WAITING), func.coalesce(_job.c.again_at, _job.c.ready_at)
    _change(session, job, state=state, ready_at=at, error=error[:500], attempts=job.attempts + 1)


def _change(session: Session, job: Taken, **values: object) -> None:
    fenced = update(_job).where(_job.c.id == job.id, _job.c.lease_token == job.lease_token)
    session.connection().execute(fenced.values(**values, lease_owner="", lease_until=NEVER, again_at=None))


class DeadJob(NamedTuple):
    """A job that was given up."""

    id: int
    kind: str
    created_at: datetime
    error: str


def dead(session: Session, most: int = 100) -> list[DeadJob]:
    """The jobs that were given up, newest first."""
    statement = select(*(_job.c[name] for name in DeadJob._fields)).where(stands(_job.c.state, DEAD))
    return [
        DeadJob._make(item) for item in session.connection().execute(statement.order_by(_job.c.id.desc()).limit(most))
    ]


def dead_count(session: Session) -> int:
    """How many jobs were given up."""
    statement = select(func.count()).select_from(_job).where(stands(_job.c.state, DEAD))
    return int(session.connection().execute(statement).scalar_one())


def replay(session: Session, ids: Sequence[int], now: datetime) -> Replayed:
    """Let given-up jobs wait again, with all their tries; one whose work waits already leaves the table."""
    statement = delete(_job).where(_job.c.id.in_(ids), stands(_job.c.state, DEAD)).returning(*_job.c)
    fresh = {"state": WAITING, "ready_at": now, "attempts": 0, "error": "", "lease_owner": "", "lease_until": NEVER,
             "again_at": None}  # fmt: skip
    rows = [{**found, **fresh} for found in session.connection().execute(statement).mappings()]
    add_many(session, rows)
    return Replayed(sorted(row["id"] for row in rows), [])


def oldest_waiting(session: Session) -> datetime | None:
    """When the job that waits longest became due."""
    statement = select(func.min(_job.c.ready_at)).where(stands(_job.c.state, WAITING))
    found: datetime | None = session.connection().execute(statement).scalar_one()
    return found
