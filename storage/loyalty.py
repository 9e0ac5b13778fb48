"""The ledger of points: rows are only ever added, and what somebody holds is their sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, bindparam, func, select, text
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, moment, reference, serial
from storage.hot import inserting
from storage.orders import SalesOrder

SPEND = "spend"
QUALIFY = "qualify"
STAMP = "stamp"

BY_HAND = "adjust:"
"""How the keys of those facts begin that somebody did by hand."""
IS_BY_HAND = text(f"substr(source_key, 1, {len(BY_HAND)}) = '{BY_HAND}'")


class LedgerEntry(SQLModel, table=True):
    """Points that came (+) or went (−), and why. `source_key` names the fact behind it, so that it counts once.

    `pending` is by how much the points that wait changed; `effective_at` when the fact happened, `at` when it was
    written; `reverses` the entry that this one takes back; `programme` the version of the rules that decided.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index("ix_ledger_entry_customer", "customer_id", "id"),
        Index("ix_ledger_entry_order", "order_id"),
        Index("ix_ledger_entry_effective", "customer_id", "currency", "effective_at", "points"),
        Index("ix_ledger_entry_by_hand", "at", sqlite_where=IS_BY_HAND, postgresql_where=IS_BY_HAND),
    )

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    currency: str = Field(default=SPEND, max_length=32)
    points: int = Field(sa_type=BigInt)
    pending: int = Field(default=0, sa_type=BigInt)
    kind: str = Field(max_length=16)
    reason: str = ""
    source_key: str = Field(max_length=255)
    order_id: int | None = reference("sales_order.id", nullable=True)
    reverses: int | None = Field(default=None, sa_type=BigInt)
    programme: int | None = Field(default=None, sa_type=BigInt)
    actor: str = Field(default="", max_length=64)
    at: datetime = moment()
    effective_at: datetime = moment()


def append_only(table: str) -> Mapping[str, tuple[str, ...]]:
    """By engine, the statements that make the database itself refuse to change or remove a row of this table."""
    return {
        "sqlite": (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
        ),
        "postgresql": (
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; "
            "END $$",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
        ),
    }


APPEND_ONLY: Mapping[str, tuple[str, ...]] = append_only("ledger_entry")


class Entry(NamedTuple):
    """An entry as read."""

    id: int
    customer_id: int
    currency: str
    points: int
    pending: int
    kind: str
    reason: str
    source_key: str
    order_id: int | None
    reverses: int | None
    programme: int | None
    actor: str
    at: datetime
    effective_at: datetime


_entry = LedgerEntry.__table__  # type: ignore[attr-defined]
_order = SalesOrder.__table__  # type: ignore[attr-defined]
_ENTRY = select(*(_entry.c[name] for name in Entry._fields))

_ADD = inserting(
    _entry,
    Entry._fields[1:],
    lambda fresh: fresh.on_conflict_do_nothing(index_elements=["source_key"]).returning(
        _entry.c.id, _entry.c.source_key
    ),
)
_TOTAL = select(func.coalesce(func.sum(_entry.c.points), 0)).where(
    _entry.c.customer_id == bindparam("customer"),
    _entry.c.currency == bindparam("in_currency"),
    _entry.c.effective_at >= bindparam("since"),
    _entry.c.effective_at < bindparam("until"),
)


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Add entries; the ids of those that were new, by `source_key`. A fact that is there already adds nothing."""
    return {key: entry_id for entry_id, key in _ADD.returned(session.connection(), rows)}


def by_key(session: Session, source_key: str) -> Entry | None:
    """The entry of a fact."""
    row = session.connection().execute(_ENTRY.where(_entry.c.source_key == source_key)).first()
    return Entry._make(row) if row else None


def one(session: Session, entry_id: int) -> Entry | None:
    """One entry."""
    row = session.connection().execute(_ENTRY.where(_entry.c.id == entry_id)).first()
    return Entry._make(row) if row else None


def latest(
    session: Session, customer_id: int, most: int, currency: str = SPEND, before: int | None = None
) -> list[Entry]:
    """A customer's last entries of a currency, newest first; `before` goes on behind that id."""
    statement = _ENTRY.where(_entry.c.customer_id == customer_id, _entry.c.currency == currency)
    if before is not None:
        statement = statement.where(_entry.c.id < before)
    rows = session.connection().execute(statement.order_by(_entry.c.id.desc()).limit(most))
    return [Entry._make(row) for row in rows]


def of_order(session: Session, order_id: int) -> list[Entry]:
    """All that was ever written about an order, oldest first."""
    rows = session.connection().execute(_ENTRY.where(_entry.c.order_id == order_id).order_by(_entry.c.id))
    return [Entry._make(row) for row in rows]


def of_placed(
    session: Session, customer_id: int, kinds: Sequence[str], since: datetime, until: datetime
) -> dict[int, dict[str, int]]:
    """What a customer's entries of these kinds come to for orders that were placed in a span, by order and currency,
    without what qualifies."""
    whose = (_entry.c.order_id, _entry.c.currency)
    statement = (
        select(*whose, func.sum(_entry.c.points))
        .join(_order, _order.c.id == _entry.c.order_id)
        .where(_order.c.customer_id == customer_id, _order.c.placed_at >= since, _order.c.placed_at < until)
        .where(_entry.c.customer_id == customer_id, _entry.c.kind.in_(kinds), _entry.c.currency != QUALIFY)
        .group_by(*whose)
    )
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for order_id, currency, points in session.connection().execute(statement):
        found[order_id][currency] = int(points)
    return dict(found)


def total(session: Session, customer_id: int, currency: str, since: datetime, until: datetime) -> int:
    """The sum of a customer's entries whose facts happened in this span, its end not included."""
    given = {"customer": customer_id, "in_currency": currency, "since": since, "until": until}
    return int(session.connection().execute(_TOTAL, given).scalar_one())


def has_entries(session: Session) -> bool:
    """Whether anything was ever written."""
    return session.connection().execute(select(_entry.c.id).limit(1)).first() is not None
