"""Adjustments of points that wait for a second person, and batches of points that were loaded together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, func, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, reference, serial
from storage.loyalty import BY_HAND as BY_HAND
from storage.loyalty import IS_BY_HAND, LedgerEntry
from storage.queue import stands

WAITING = "waiting"
APPROVED = "approved"
REFUSED = "refused"

_WAITING = text("state = 'waiting'")
_STANDS = text("undone_at IS NULL")


class PointAdjustment(SQLModel, table=True):
    """Points that somebody wants to give or take, above what one person may alone."""

    __tablename__ = "point_adjustment"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index("ix_point_adjustment_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: int | None = serial()
    source_key: str = Field(max_length=255)
    customer_id: int = reference("customer.id", index=True)
    points: int = Field(sa_type=BigInt)
    reason: str
    asked_by: str = Field(max_length=64)
    asked_at: datetime = moment()
    state: str = Field(default=WAITING, max_length=16)
    decided_by: str = Field(default="", max_length=64)
    decided_at: datetime | None = moment(nullable=True)
    entry_id: int | None = reference("ledger_entry.id", nullable=True)


class PointBatch(SQLModel, table=True):
    """Points that came out of one file, to be taken back as a whole. `digest` is the file's: one of a file stands."""

    __tablename__ = "point_batch"
    __table_args__ = (
        Index("uq_point_batch_standing", "digest", unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS),
    )

    id: int = given_id()
    digest: str = Field(max_length=64)
    name: str
    rows: int
    points: int = Field(sa_type=BigInt)
    actor: str = Field(default="", max_length=64)
    created_at: datetime = moment()
    undone_at: datetime | None = moment(nullable=True)


class Adjustment(NamedTuple):
    """An adjustment as read."""

    id: int
    source_key: str
    customer_id: int
    points: int
    reason: str
    asked_by: str
    asked_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None
    entry_id: int | None


class Batch(NamedTuple):
    """A batch as read."""

    id: int
    digest: str
    name: str
    rows: int
    points: int
    actor: str
    created_at: datetime
    undone_at: datetime | None


class ByHand(NamedTuple):
    """What somebody gave a customer (+) and took from them (−) by hand, in all."""

    actor: str
    customer_id: int
    points: int


class Loaded(NamedTuple):
    """An entry of a batch."""

    id: int
    customer_id: int
    points: int
    source_key: str


_adjustment = PointAdjustment.__table__  # type: ignore[attr-defined]
_batch = PointBatch.__table__  # type: ignore[attr-defined]
_entry = LedgerEntry.__table__  # type: ignore[attr-defined]
_ROW = select(*(_adjustment.c[name] for name in Adjustment._fields))
_BATCH = select(*(_batch.c[name] for name in Batch._fields))


def add(session: Session, row: Mapping[str, Any]) -> tuple[Adjustment, bool]:
    """Keep an adjustment that waits, and whether it is new; the one that is there already where its fact is known."""
    statement = insert(session.get_bind().dialect.name, _adjustment).values(**row)
    fresh = statement.on_conflict_do_nothing(index_elements=["source_key"]).returning(_adjustment.c.id)
    is_new = session.connection().execute(fresh).first() is not None
    found = of_fact(session, row["source_key"])
    assert found is not None
    return found, is_new


def one(session: Session, number: int, *, lock: bool = False) -> Adjustment | None:
    """One adjustment; `lock` holds it until the transaction ends."""
    statement = _ROW.where(_adjustment.c.id == number)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    return Adjustment._make(row) if row else None


def of_fact(session: Session, source_key: str) -> Adjustment | None:
    """The adjustment of a fact, where it needed a second person."""
    row = session.connection().execute(_ROW.where(_adjustment.c.source_key == source_key)).first()
    return Adjustment._make(row) if row else None


def by_hand(session: Session, since: datetime) -> list[ByHand]:
    """What was done by hand since a moment, by who did it and customer."""
    whose = (_entry.c.actor, _entry.c.customer_id)
    statement = select(*whose, func.sum(_entry.c.points)).where(IS_BY_HAND, _entry.c.at >= since).group_by(*whose)
    return [ByHand(actor, customer, int(points)) for actor, customer, points in session.connection().execute(statement)]


def waiting(session: Session, most: int) -> list[Adjustment]:
    """Those that wait, the oldest first."""
    rows = session.connection().execute(
        _ROW.where(stands(_adjustment.c.state, WAITING)).order_by(_adjustment.c.id).limit(most)
    )
    return [Adjustment._make(row) for row in rows]


def decide(session: Session, number: int, **values: object) -> None:
    """Set how an adjustment ended."""
    session.connection().execute(update(_adjustment).where(_adjustment.c.id == number).values(**values))


def add_batch(session: Session, row: Mapping[str, Any]) -> tuple[Batch, bool]:
    """Keep a batch, and whether it is new; the one that stands already where its file is being loaded, or was."""
    statement = insert(session.get_bind().dialect.name, _batch).values(**row)
    fresh = statement.on_conflict_do_nothing(index_elements=["digest"], index_where=_STANDS).returning(_batch.c.id)
    is_new = session.connection().execute(fresh).first() is not None
    standing = _BATCH.where(_batch.c.digest == row["digest"], _batch.c.undone_at.is_(None))
    return Batch._make(session.connection().execute(standing).one()), is_new


def batch(session: Session, number: int) -> Batch | None:
    """One batch."""
    row = session.connection().execute(_BATCH.where(_batch.c.id == number)).first()
    return Batch._make(row) if row else None


def end_batch(session: Session, number: int, undone_at: datetime) -> None:
    """A batch is taken back."""
    session.connection().execute(update(_batch).where(_batch.c.id == number).values(undone_at=undone_at))


def loaded(session: Session, keys: Collection[str]) -> list[Loaded]:
    """The entries of these facts, by id."""
    statement = select(*(_entry.c[name] for name in Loaded._fields)).where(_entry.c.source_key.in_(keys))
    return [Loaded._make(row) for row in session.connection().execute(statement.order_by(_entry.c.id))]
