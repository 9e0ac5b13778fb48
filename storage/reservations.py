"""Reservations: points that somebody is about to spend, so that nobody else can and their expiry waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, func, select, text, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, part_of_key, reference
from storage.queue import stands

OPEN = "open"
COMMITTED = "committed"
CANCELLED = "cancelled"
LAPSED = "lapsed"

_OPEN = text("state = 'open'")


class PointReservation(SQLModel, table=True):
    """Points set aside until `expires_at`. `source_key` names the fact behind it, so that it is made once."""

    __tablename__ = "point_reservation"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index("ix_point_reservation_customer", "customer_id"),
        Index("ix_point_reservation_open", "expires_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int = given_id()
    source_key: str = Field(max_length=255)
    customer_id: int = reference("customer.id")
    currency: str = Field(max_length=32)
    points: int = Field(sa_type=BigInt)
    state: str = Field(default=OPEN, max_length=16)
    reason: str = ""
    actor: str = Field(default="", max_length=64)
    entry_id: int | None = reference("ledger_entry.id", nullable=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()


class HeldLot(SQLModel, table=True):
    """How many points of which lot a reservation holds."""

    __tablename__ = "held_lot"

    reservation_id: int = part_of_key("point_reservation.id")
    lot_id: int = part_of_key("point_lot.id")
    points: int = Field(sa_type=BigInt)


class Reservation(NamedTuple):
    """A reservation as read."""

    id: int
    source_key: str
    customer_id: int
    currency: str
    points: int
    state: str
    reason: str
    actor: str
    entry_id: int | None
    created_at: datetime
    expires_at: datetime


_reservation = PointReservation.__table__  # type: ignore[attr-defined]
_held = HeldLot.__table__  # type: ignore[attr-defined]
_ROW = select(*(_reservation.c[name] for name in Reservation._fields))


def add(session: Session, row: Mapping[str, Any], lots: Sequence[tuple[int, int]]) -> bool:
    """Write a reservation with its (lot, points); False, and nothing is written, where its fact is known."""
    connection = session.connection()
    fresh = insert(connection.dialect.name, _reservation).values(**row)
    added = fresh.on_conflict_do_nothing(index_elements=["source_key"]).returning(_reservation.c.id)
    if connection.execute(added).first() is None:
        return False
    connection.execute(
        _held.insert(), [{"reservation_id": row["id"], "lot_id": lot, "points": points} for lot, points in lots]
    )
    return True


def by_key(session: Session, source_key: str) -> Reservation | None:
    """The reservation of a fact."""
    row = session.connection().execute(_ROW.where(_reservation.c.source_key == source_key)).first()
    return Reservation._make(row) if row else None


def one(session: Session, reservation_id: int) -> Reservation | None:
    """One reservation."""
    row = session.connection().execute(_ROW.where(_reservation.c.id == reservation_id)).first()
    return Reservation._make(row) if row else None


def lots_of(session: Session, reservation_id: int) -> list[tuple[int, int]]:
    """The (lot, points) that a reservation holds."""
    statement = select(_held.c.lot_id, _held.c.points).where(_held.c.reservation_id == reservation_id)
    return [(row[0], row[1]) for row in session.connection().execute(statement.order_by(_held.c.lot_id))]


def end(session: Session, reservation_id: int, state: str, entry_id: int | None = None) -> bool:
    """An open reservation ends so; False where it is open no more."""
    statement = update(_reservation).where(_reservation.c.id == reservation_id, stands(_reservation.c.state, OPEN))
    return session.connection().execute(statement.values(state=state, entry_id=entry_id)).rowcount == 1


def open_of(session: Session, customer_id: int, currency: str | None = None) -> list[Reservation]:
    """A customer's open reservations, the oldest first."""
    found = _ROW.where(_reservation.c.customer_id == customer_id, stands(_reservation.c.state, OPEN))
    if currency is not None:
        found = found.where(_reservation.c.currency == currency)
    return [Reservation._make(row) for row in session.connection().execute(found.order_by(_reservation.c.id))]


def lapsed_of(session: Session, customer_id: int, currency: str, now: datetime) -> dict[int, int]:
    """The points by lot that a customer's reservations hold whose time is over, though they were not ended yet."""
    lapsed = (_reservation.c.customer_id == customer_id, stands(_reservation.c.state, OPEN))
    statement = (
        select(_held.c.lot_id, func.sum(_held.c.points))
        .join(_reservation, _reservation.c.id == _held.c.reservation_id)
        .where(*lapsed, _reservation.c.currency == currency, _reservation.c.expires_at <= now)
        .group_by(_held.c.lot_id)
    )
    return {int(lot): int(points) for lot, points in session.connection().execute(statement)}


def overdue(session: Session, now: datetime, most: int) -> list[Reservation]:
    """Open reservations whose time is over, the longest overdue first."""
    found = _ROW.where(stands(_reservation.c.state, OPEN), _reservation.c.expires_at <= now)
    rows = session.connection().execute(found.order_by(_reservation.c.expires_at).limit(most))
    return [Reservation._make(row) for row in rows]
