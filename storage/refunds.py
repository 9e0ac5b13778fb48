"""Refunds of orders: what was given back of which order, each told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, reference
from storage.orders import SalesOrder


class OrderRefund(SQLModel, table=True):
    """Đồng that were given back of an order, and the lines (JSON) where they are known."""

    __tablename__ = "order_refund"
    __table_args__ = (UniqueConstraint("order_id", "external_id"),)

    id: int = given_id()
    order_id: int = reference("sales_order.id")
    external_id: str = Field(max_length=128)
    amount: int = Field(sa_type=BigInt)
    lines: str = "[]"
    reason: str = ""
    refunded_at: datetime = moment()
    created_at: datetime = moment()


class RefundRow(NamedTuple):
    """A refund as read; `lines` is JSON."""

    id: int
    order_id: int
    external_id: str
    amount: int
    lines: str
    reason: str
    refunded_at: datetime
    created_at: datetime


_refund = OrderRefund.__table__  # type: ignore[attr-defined]
_order = SalesOrder.__table__  # type: ignore[attr-defined]
_ROW = select(*(_refund.c[name] for name in RefundRow._fields))


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Add a refund; False where the order has one of that name."""
    statement = insert(session.get_bind().dialect.name, _refund).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["order_id", "external_id"]).returning(_refund.c.id)
    return session.connection().execute(added).first() is not None


def of_order(session: Session, order_id: int) -> list[RefundRow]:
    """An order's refunds, by name."""
    rows = session.connection().execute(_ROW.where(_refund.c.order_id == order_id).order_by(_refund.c.external_id))
    return [RefundRow._make(row) for row in rows]


def of_placed(session: Session, customer_id: int, since: datetime, until: datetime) -> dict[int, list[RefundRow]]:
    """The refunds of a customer's orders that were placed in a span, by order, each by name."""
    own = (_order.c.customer_id == customer_id, _order.c.placed_at >= since, _order.c.placed_at < until)
    statement = _ROW.join(_order, _order.c.id == _refund.c.order_id).where(*own).order_by(_refund.c.external_id)
    found: defaultdict[int, list[RefundRow]] = defaultdict(list)
    for row in session.connection().execute(statement):
        refund = RefundRow._make(row)
        found[refund.order_id].append(refund)
    return dict(found)
