"""What each customer holds of each currency: sums of the ledger, kept beside it so that reading them costs nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, part_of_key


class PointBalance(SQLModel, table=True):
    """`balance` is the sum of the entries, and of the lots less the `debt`; some of the lots is `pending` or `held`."""

    __tablename__ = "point_balance"
    __table_args__ = (CheckConstraint("pending >= 0 AND held >= 0 AND debt >= 0", name="parts"),)

    customer_id: int = part_of_key("customer.id")
    currency: str = Field(primary_key=True, max_length=32)
    balance: int = Field(default=0, sa_type=BigInt)
    pending: int = Field(default=0, sa_type=BigInt)
    held: int = Field(default=0, sa_type=BigInt)
    debt: int = Field(default=0, sa_type=BigInt)


class Holding(NamedTuple):
    """What a customer holds of a currency."""

    balance: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0

    @property
    def spendable(self) -> int:
        """What can be spent now."""
        return self.balance + self.debt - self.pending - self.held


_balance = PointBalance.__table__  # type: ignore[attr-defined]
_HOLDING = tuple(_balance.c[name] for name in Holding._fields)
_ONE = select(*_HOLDING).where(
    _balance.c.customer_id == bindparam("customer"), _balance.c.currency == bindparam("in_currency")
)
_ADD = (
    update(_balance)
    .where(_balance.c.customer_id == bindparam("b_customer_id"), _balance.c.currency == bindparam("b_currency"))
    .values({name: _balance.c[name] + bindparam(f"b_{name}") for name in Holding._fields})
)


@cache
def _opening(dialect: str) -> Insert:
    """Make a row of nothing where there is none yet."""
    fresh = insert(dialect, _balance).values(balance=0, pending=0, held=0, debt=0)
    return fresh.on_conflict_do_nothing(index_elements=["customer_id", "currency"])


def holding(session: Session, customer_id: int, currency: str) -> Holding:
    """What a customer holds."""
    row = session.connection().execute(_ONE, {"customer": customer_id, "in_currency": currency}).first()
    return Holding._make(row) if row else Holding()


def holdings(session: Session, customer_ids: Collection[int], currency: str) -> dict[int, Holding]:
    """What these customers hold, by id; those without a row are left out."""
    statement = select(_balance.c.customer_id, *_HOLDING).where(
        _balance.c.customer_id.in_(customer_ids), _balance.c.currency == currency
    )
    return {row[0]: Holding._make(row[1:]) for row in session.connection().execute(statement)}


def currencies(session: Session, customer_id: int) -> list[str]:
    """The currencies that a customer ever had something of."""
    statement = select(_balance.c.currency).where(_balance.c.customer_id == customer_id)
    return list(session.connection().execute(statement.order_by(_balance.c.currency)).scalars())


def change(session: Session, changes: Mapping[tuple[int, str], Holding]) -> None:
    """Add these differences, by customer and currency. The customers are held by the caller."""
    if not changes:
        return
    rows: list[dict[str, Any]] = [
        {"customer_id": customer, "currency": currency, **by._asdict()}
        for (customer, currency), by in sorted(changes.items())
    ]
    connection = session.connection()
    growing = [row for row in rows if max(row["balance"], row["pending"], row["debt"]) > 0]
    if growing:
        keys = [{"customer_id": row["customer_id"], "currency": row["currency"]} for row in growing]
        connection.execute(_opening(connection.dialect.name), keys)
    connection.execute(_ADD, [{f"b_{name}": value for name, value in row.items()} for row in rows])
