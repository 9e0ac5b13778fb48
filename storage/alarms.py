"""Alarms: one row for each kind and subject until it is solved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, serial

_UNSOLVED = text("solved_at IS NULL")


class Alarm(SQLModel, table=True):
    """Something that a person must look into. `words` say what, in plain words, with nothing personal."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("uq_alarm_open", "kind", "subject", unique=True, sqlite_where=_UNSOLVED, postgresql_where=_UNSOLVED),
    )

    id: int | None = serial()
    kind: str = Field(max_length=64)
    subject: str
    words: str = ""
    since: datetime = moment()
    solved_at: datetime | None = moment(nullable=True)


class Open(NamedTuple):
    """An alarm that is not solved."""

    kind: str
    subject: str
    words: str
    since: datetime


_alarm = Alarm.__table__  # type: ignore[attr-defined]


def of_account(channel: str, account_id: str) -> str:
    """The subject of alarms about an account."""
    return f"{channel}:{account_id}"


def ring(session: Session, kind: str, subject: str, words: str, now: datetime) -> bool:
    """Raise an alarm; False where the same one is open already."""
    statement = insert(session.get_bind().dialect.name, _alarm).values(
        kind=kind, subject=subject, words=words, since=now
    )
    statement = statement.on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=_UNSOLVED)
    return session.connection().execute(statement.returning(_alarm.c.id)).first() is not None


def solve(session: Session, kind: str, subject: str, now: datetime) -> bool:
    """Note that the cause is gone; False where no such alarm was open."""
    statement = update(_alarm).where(_alarm.c.kind == kind, _alarm.c.subject == subject, _alarm.c.solved_at.is_(None))
    return session.connection().execute(statement.values(solved_at=now)).rowcount > 0


def ring_many(session: Session, kind: str, subjects: Collection[str], words: str, now: datetime) -> None:
    """Raise one kind of alarm for many subjects; nothing changes for those whose alarm is open already."""
    if subjects:
        statement = insert(session.get_bind().dialect.name, _alarm)
        statement = statement.on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=_UNSOLVED)
        rows = [{"kind": kind, "subject": each, "words": words, "since": now} for each in sorted(subjects)]
        session.connection().execute(statement, rows)


def solve_many(session: Session, kind: str, subjects: Collection[str], now: datetime) -> None:
    """Note that the causes of one kind of alarm are gone for many subjects."""
    statement = update(_alarm).where(
        _alarm.c.kind == kind, _alarm.c.subject.in_(subjects), _alarm.c.solved_at.is_(None)
    )
    session.connection().execute(statement.values(solved_at=now))


def solve_all(session: Session, subject: str, now: datetime) -> None:
    """Whatever was wrong with this subject was mended."""
    statement = update(_alarm).where(_alarm.c.subject == subject, _alarm.c.solved_at.is_(None))
    session.connection().execute(statement.values(solved_at=now))


def subjects(session: Session, kind: str) -> set[str]:
    """For whom an alarm of this kind is open."""
    statement = select(_alarm.c.subject).where(_alarm.c.kind == kind, _alarm.c.solved_at.is_(None))
    return set(session.connection().execute(statement).scalars())


def unsolved(session: Session) -> list[Open]:
    """The alarms that are open, oldest first."""
    statement = select(*(_alarm.c[name] for name in Open._fields)).where(_alarm.c.solved_at.is_(None))
    return [Open._make(row) for row in session.connection().execute(statement.order_by(_alarm.c.since))]
