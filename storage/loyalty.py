"""The ledger of points: rows are only ever added, and a balance is their sum."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, func, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, reference, serial


class LedgerEntry(SQLModel, table=True):
    """Points that came (+) or went (−), and why. `source_key` names the fact behind it, so that it counts once."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index("ix_ledger_entry_customer", "customer_id", "id"),
        Index("ix_ledger_entry_order", "order_id"),
    )

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    points: int = Field(sa_type=BigInt)
    kind: str = Field(max_length=16)
    reason: str = ""
    source_key: str = Field(max_length=255)
    order_id: int | None = reference("sales_order.id", nullable=True)
    at: datetime = moment()


APPEND_ONLY: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry "
        "BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
        "CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry "
        "BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION ledger_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'ledger_entry is append-only' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$",
        "CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_refuse()",
    ),
}
"""By engine, the statements that make the database itself refuse to change or remove an entry."""


class Entry(NamedTuple):
    """An entry as read."""

    id: int
    points: int
    kind: str
    reason: str
    order_id: int | None
    at: datetime


_entry = LedgerEntry.__table__  # type: ignore[attr-defined]


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Add an entry; changes nothing where its `source_key` is there already."""
    statement = insert(session.get_bind().dialect.name, _entry).values(**row)
    session.connection().execute(statement.on_conflict_do_nothing(index_elements=["source_key"]))


def balance(session: Session, customer_id: int) -> int:
    """The sum of a customer's entries."""
    statement = select(func.coalesce(func.sum(_entry.c.points), 0)).where(_entry.c.customer_id == customer_id)
    return int(session.connection().execute(statement).scalar_one())


def latest(session: Session, customer_id: int, most: int) -> list[Entry]:
    """A customer's last entries, newest first."""
    statement = select(*(_entry.c[name] for name in Entry._fields)).where(_entry.c.customer_id == customer_id)
    return [Entry(*row) for row in session.connection().execute(statement.order_by(_entry.c.id.desc()).limit(most))]


def of_order(session: Session, order_id: int) -> tuple[dict[int, int], int]:
    """What an order has earned so far, by customer id, and how many entries that took."""
    statement = select(_entry.c.customer_id, func.sum(_entry.c.points), func.count()).where(
        _entry.c.order_id == order_id
    )
    rows = session.connection().execute(statement.group_by(_entry.c.customer_id)).all()
    return {row[0]: int(row[1]) for row in rows}, sum(row[2] for row in rows)
