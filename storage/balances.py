"""What each customer holds of each currency: sums of the ledger, kept beside it so that reading them costs nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, bindparam, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, part_of_key
from storage.hot import Fetch, inserting, updating


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
_SOME = Fetch(
    lambda among: select(_balance.c.customer_id, *_HOLDING).where(
        among(_balance.c.customer_id, "customers"), _balance.c.currency == bindparam("in_currency", required=True)
    )
)
_KEY = ("customer_id", "currency")
_OPEN = inserting(
    _balance, (*_KEY, *Holding._fields), lambda fresh: fresh.on_conflict_do_nothing(index_elements=list(_KEY))
)
_ADD = updating(_balance, (), by=_KEY, adds=Holding._fields)
_NOTHING = Holding()._asdict()


def holding(session: Session, customer_id: int, currency: str) -> Holding:
    """What a customer holds."""
    row = session.connection().execute(_ONE, {"customer": customer_id, "in_currency": currency}).first()
    return Holding._make(row) if row else Holding()


def holdings(session: Session, customer_ids: Collection[int], currency: str) -> dict[int, Holding]:
    """What these customers hold, by id; those without a row are left out."""
    rows = _SOME.rows(session.connection(), customers=list(customer_ids), in_currency=currency)
    return {row[0]: Holding._make(row[1:]) for row in rows}


def currencies(session: Session, customer_id: int) -> list[str]:
    """The currencies that a customer ever had something of."""
    statement = select(_balance.c.currency).where(_balance.c.customer_id == customer_id)
    return list(session.connection().execute(statement.order_by(_balance.c.currency)).scalars())


def change(session: Session, changes: Mapping[tuple[int, str], Holding]) -> None:
    """Add these differences, by customer and currency. The customers are held by the caller."""
    rows: list[dict[str, Any]] = [
        {"customer_id": customer, "currency": currency, **by._asdict()}
        for (customer, currency), by in sorted(changes.items())
    ]
    growing = [row for row in rows if max(row["balance"], row["pending"], row["debt"]) > 0]
    _OPEN.run(session.connection(), [{**row, **_NOTHING} for row in growing])
    _ADD.run(session.connection(), rows)
