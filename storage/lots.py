"""Lots: points with one expiry each; and every use of one, so that a reversal gives back the very same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, Column, ColumnElement, Index, bindparam, select, text, tuple_, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, moment, reference, serial
from storage.hot import Fetch, inserting, updating

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When points expire that never do, and from when points count of which nobody knows it yet."""

_OPEN = text("remaining > 0")
_PENDING = text("pending")


class PointLot(SQLModel, table=True):
    """Points that one entry brought. Of what is `remaining`, `held` waits for a reservation's end.

    A pending lot cannot be spent before `available_at`; at `expires_at` what remains is gone.
    """

    __tablename__ = "point_lot"
    __table_args__ = (
        CheckConstraint("remaining >= held AND held >= 0", name="remaining"),
        Index(
            "ix_point_lot_open", "customer_id", "currency", "expires_at", "id",
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_point_lot_expiring", "expires_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_point_lot_pending", "available_at", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index(
            "ix_point_lot_waiting", "customer_id", "currency", "available_at",
            sqlite_where=_PENDING, postgresql_where=_PENDING,
        ),
        Index("ix_point_lot_order", "order_id"),
    )  # fmt: skip

    id: int = given_id()
    customer_id: int = reference("customer.id")
    currency: str = Field(max_length=32)
    entry_id: int = reference("ledger_entry.id", index=True)
    order_id: int | None = reference("sales_order.id", nullable=True)
    points: int = Field(sa_type=BigInt)
    remaining: int = Field(sa_type=BigInt)
    held: int = Field(default=0, sa_type=BigInt)
    pending: bool = False
    available_at: datetime = moment()
    expires_at: datetime = moment()


class LotUse(SQLModel, table=True):
    """By how much an entry changed a lot after its making. Without a lot it changed the debt: −5 is five owed more."""

    __tablename__ = "lot_use"

    id: int | None = serial()
    entry_id: int = reference("ledger_entry.id", index=True)
    lot_id: int | None = reference("point_lot.id", nullable=True, index=True)
    points: int = Field(sa_type=BigInt)


class Lot(NamedTuple):
    """A lot as read."""

    id: int
    customer_id: int
    currency: str
    entry_id: int
    order_id: int | None
    points: int
    remaining: int
    held: int
    pending: bool
    available_at: datetime
    expires_at: datetime

    @property
    def free(self) -> int:
        """What no reservation holds."""
        return self.remaining - self.held


class UseRow(NamedTuple):
    """A use as read."""

    entry_id: int
    lot_id: int | None
    points: int


_lot = PointLot.__table__  # type: ignore[attr-defined]
_use = LotUse.__table__  # type: ignore[attr-defined]
_LOT = select(*(_lot.c[name] for name in Lot._fields))
_OPEN_LOTS = _LOT.where(
    _lot.c.customer_id == bindparam("customer"), _lot.c.currency == bindparam("in_currency"), _lot.c.remaining > 0
).order_by(_lot.c.expires_at, _lot.c.id)
_MOVE = updating(_lot, (), adds=("remaining", "held"))
_ADD = inserting(_lot, Lot._fields)
_ADD_USE = inserting(_use, UseRow._fields)
_SOME = Fetch(lambda among: _LOT.where(among(_lot.c.id, "ids")).order_by(_lot.c.id))


def _due(at: Column[datetime], *conditions: ColumnElement[bool]) -> Fetch:
    """Lots whose time of this kind came by `now`, behind a place in the order of (time, id).

    The two are compared as one, so that PostgreSQL begins at the very place: the index may still hold what is before.
    """
    now, place = (bindparam(name, type_=at.type, required=True) for name in ("now", "place"))
    behind = tuple_(at, _lot.c.id) > tuple_(place, bindparam("number", type_=_lot.c.id.type, required=True))
    found = _LOT.where(*conditions, at <= now, behind).order_by(at, _lot.c.id)
    return Fetch(lambda _among: found.limit(bindparam("most", required=True)))


_DUE_FOR_RELEASE = _due(_lot.c.available_at, _lot.c.pending)
_DUE_FOR_EXPIRY = _due(_lot.c.expires_at, _lot.c.remaining > 0)


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add lots."""
    _ADD.run(session.connection(), rows)


def add_uses(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note uses, without changing their lots."""
    _ADD_USE.run(session.connection(), rows)


def move(session: Session, changes: Mapping[int, tuple[int, int]]) -> None:
    """Change what remains of lots and what is held of it, by lot id. Their customers are held by the caller."""
    rows = [{"id": lot, "remaining": points, "held": held} for lot, (points, held) in sorted(changes.items())]
    _MOVE.run(session.connection(), rows)


def release(session: Session, lot_ids: Collection[int]) -> None:
    """These lots wait no longer."""
    if lot_ids:
        session.connection().execute(update(_lot).where(_lot.c.id.in_(lot_ids)).values(pending=False))


def retime(session: Session, lot_ids: Collection[int], available_at: datetime, expires_at: datetime) -> None:
    """Give these lots other times."""
    if lot_ids:
        times = {"available_at": available_at, "expires_at": expires_at}
        session.connection().execute(update(_lot).where(_lot.c.id.in_(lot_ids)).values(**times))


def open_lots(session: Session, customer_id: int, currency: str) -> list[Lot]:
    """A customer's lots of which something remains, the soonest expiring first."""
    rows = session.connection().execute(_OPEN_LOTS, {"customer": customer_id, "in_currency": currency})
    return [Lot._make(row) for row in rows]


def some(session: Session, lot_ids: Collection[int]) -> list[Lot]:
    """These lots, by id."""
    return [Lot._make(row) for row in _SOME.rows(session.connection(), ids=list(lot_ids))]


def due_for_release(session: Session, now: datetime, after: tuple[datetime, int], most: int) -> list[Lot]:
    """Lots of anybody that waited long enough, behind this (time, id), in order."""
    place, number = after
    rows = _DUE_FOR_RELEASE.rows(session.connection(), now=now, place=place, number=number, most=most)
    return [Lot._make(row) for row in rows]


def due_for_expiry(session: Session, now: datetime, after: tuple[datetime, int], most: int) -> list[Lot]:
    """Lots of anybody whose time is over and of which something remains, behind this (time, id), in order."""
    place, number = after
    rows = _DUE_FOR_EXPIRY.rows(session.connection(), now=now, place=place, number=number, most=most)
    return [Lot._make(row) for row in rows]


def of_order(session: Session, order_id: int) -> list[Lot]:
    """The lots that an order brought, open or used up."""
    rows = session.connection().execute(_LOT.where(_lot.c.order_id == order_id).order_by(_lot.c.id))
    return [Lot._make(row) for row in rows]


def uses_of(session: Session, entry_id: int) -> list[UseRow]:
    """What an entry changed in lots and in the debt."""
    statement = select(*(_use.c[name] for name in UseRow._fields)).where(_use.c.entry_id == entry_id)
    return [UseRow._make(row) for row in session.connection().execute(statement.order_by(_use.c.id))]
