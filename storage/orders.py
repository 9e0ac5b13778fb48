"""Orders as the POS tells them, one row per order of a source."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, reference


class SalesOrder(SQLModel, table=True):
    """An order. `code` is what customers type, `code_key` the same without case, spaces and '#'; `total` is đồng."""

    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_sales_order_customer_placed", "customer_id", "placed_at"),
        Index("ix_sales_order_customer_code", "customer_id", "code_key"),
        Index("ix_sales_order_code", "code_key"),
        Index("ix_sales_order_placed", "placed_at", "status", "customer_id"),
        Index("ix_sales_order_updated", "updated_at", "id"),
    )

    id: int = given_id()
    source: str = Field(max_length=64)
    external_id: str = Field(max_length=128)
    code: str = Field(max_length=128)
    code_key: str = Field(max_length=384)
    customer_id: int = reference("customer.id")
    status: str = Field(max_length=16)
    total: int = Field(sa_type=BigInt)
    items: str = "[]"
    note: str = ""
    version: int = Field(sa_type=BigInt)
    placed_at: datetime = moment()
    delivered_at: datetime | None = moment(nullable=True)
    updated_at: datetime = moment()


class OrderRow(NamedTuple):
    """An order as read; `items` is JSON."""

    id: int
    source: str
    external_id: str
    code: str
    customer_id: int
    status: str
    total: int
    items: str
    note: str
    version: int
    placed_at: datetime
    delivered_at: datetime | None
    updated_at: datetime


VOID = ("cancelled", "returned")
"""How orders stand that came to nothing."""

_order = SalesOrder.__table__  # type: ignore[attr-defined]
_ROW = select(*(_order.c[name] for name in OrderRow._fields))


def find(session: Session, source: str, external_id: str, *, lock: bool = False) -> OrderRow | None:
    """One order by what its source calls it; `lock` holds it until the transaction ends."""
    statement = _ROW.where(_order.c.source == source, _order.c.external_id == external_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    return OrderRow(*row) if row else None


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Add an order; False where the source's id is there already."""
    statement = insert(session.get_bind().dialect.name, _order).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["source", "external_id"]).returning(_order.c.id)
    return session.connection().execute(added).first() is not None


def change(session: Session, order_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of one order."""
    session.connection().execute(update(_order).where(_order.c.id == order_id).values(**values))


def recent(session: Session, customer_id: int, most: int) -> list[OrderRow]:
    """A customer's last orders, newest first."""
    statement = _ROW.where(_order.c.customer_id == customer_id)
    statement = statement.order_by(_order.c.placed_at.desc(), _order.c.id.desc()).limit(most)
    return [OrderRow(*row) for row in session.connection().execute(statement)]


def by_code(session: Session, customer_id: int, code_key: str) -> OrderRow | None:
    """The newest of a customer's own orders with this code."""
    statement = _ROW.where(_order.c.customer_id == customer_id, _order.c.code_key == code_key)
    row = session.connection().execute(statement.order_by(_order.c.placed_at.desc()).limit(1)).first()
    return OrderRow(*row) if row else None


def with_code(session: Session, code_key: str, most: int) -> list[OrderRow]:
    """Everybody's orders with this code, the newest first."""
    statement = _ROW.where(_order.c.code_key == code_key).order_by(_order.c.placed_at.desc()).limit(most)
    return [OrderRow(*row) for row in session.connection().execute(statement)]


def one(session: Session, order_id: int) -> OrderRow | None:
    """One order."""
    row = session.connection().execute(_ROW.where(_order.c.id == order_id)).first()
    return OrderRow(*row) if row else None


def some(session: Session, order_ids: Collection[int]) -> dict[int, OrderRow]:
    """These orders, by id."""
    return {row[0]: OrderRow(*row) for row in session.connection().execute(_ROW.where(_order.c.id.in_(order_ids)))}


def delivered(session: Session, customer_id: int, most: int) -> list[OrderRow]:
    """A customer's delivered orders in the order in which they were placed."""
    own = (_order.c.customer_id == customer_id, _order.c.status == "delivered")
    rows = session.connection().execute(_ROW.where(*own).order_by(_order.c.placed_at, _order.c.id).limit(most))
    return [OrderRow(*row) for row in rows]


def placed(session: Session, customer_id: int, since: datetime, until: datetime) -> list[OrderRow]:
    """A customer's orders of a span, by when they were placed; those of one moment by what their sources say."""
    own = (_order.c.customer_id == customer_id, _order.c.placed_at >= since, _order.c.placed_at < until)
    in_order = (_order.c.placed_at, _order.c.source, _order.c.external_id)
    rows = session.connection().execute(_ROW.where(*own).order_by(*in_order))
    return [OrderRow(*row) for row in rows]


def has_before(session: Session, customer_id: int, at: datetime) -> bool:
    """Whether a customer placed an order before this moment that came to something, or still may."""
    own = (_order.c.customer_id == customer_id, _order.c.placed_at < at)
    stands = _order.c.status.not_in(VOID)
    return session.connection().execute(select(_order.c.id).where(*own, stands).limit(1)).first() is not None


def delivered_since(session: Session, customer_id: int, since: datetime, most: int) -> list[OrderRow]:
    """A customer's delivered orders that were placed since this moment, in the order of their delivery."""
    own = (_order.c.customer_id == customer_id, _order.c.status == "delivered", _order.c.placed_at >= since)
    rows = session.connection().execute(_ROW.where(*own).order_by(_order.c.delivered_at, _order.c.id).limit(most))
    return [OrderRow(*row) for row in rows]


def placed_since(session: Session, customer_ids: Collection[int], since: datetime) -> list[OrderRow]:
    """The orders of these customers that stand and were placed after this moment."""
    own = (_order.c.customer_id.in_(sorted(customer_ids)), _order.c.placed_at > since)
    stands = _order.c.status.not_in(VOID)
    return [OrderRow(*row) for row in session.connection().execute(_ROW.where(*own, stands))]


def page(session: Session, after: int, most: int, customer_id: int | None = None) -> list[OrderRow]:
    """Orders with an id above `after`, of one customer or of all, by id."""
    statement = _ROW.where(_order.c.id > after)
    if customer_id is not None:
        statement = statement.where(_order.c.customer_id == customer_id)
    return [OrderRow(*row) for row in session.connection().execute(statement.order_by(_order.c.id).limit(most))]
