"""Keep points in lots: currencies, expiry, reservations, members and tiers; what is in the ledger gets its lots.

Delivered orders count towards tiers from the day of their delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from storage.columns import new_id
from storage.loyalty import append_only

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
_BATCH = 1000

_entry = sa.table(
    "ledger_entry",
    sa.column("id", _BigInt),
    sa.column("customer_id", _BigInt),
    sa.column("currency", sa.String),
    sa.column("points", _BigInt),
    sa.column("kind", sa.String),
    sa.column("reason", sa.String),
    sa.column("source_key", sa.String),
    sa.column("order_id", _BigInt),
    sa.column("at", _Moment()),
    sa.column("effective_at", _Moment()),
    sa.column("pending", _BigInt),
    sa.column("actor", sa.String),
)


def upgrade() -> None:
    _ledger()
    _tables()
    connection = op.get_bind()
    connection.execute(sa.text(_QUALIFY))
    _fill_lots(connection)
    connection.execute(sa.text(_QUALIFY_BALANCES))
    connection.execute(sa.text(_MEMBERS), {"forever": _bound(connection, _FOREVER)})
    for statement in append_only("lot_use")[connection.dialect.name]:
        op.execute(statement)


_QUALIFY = """
INSERT INTO ledger_entry (customer_id, currency, points, pending, kind, reason, source_key, order_id, actor, at,
                          effective_at)
SELECT customer_id, 'qualify', total, 0, 'earn', '#' || code, 'qualify:order:' || id, id, '', updated_at,
       coalesce(delivered_at, placed_at)
FROM sales_order WHERE status = 'delivered' AND total > 0 ORDER BY id
"""
_QUALIFY_BALANCES = """
INSERT INTO point_balance (customer_id, currency, balance, pending, held, debt)
SELECT customer_id, 'qualify', sum(points), 0, 0, 0 FROM ledger_entry WHERE currency = 'qualify' GROUP BY customer_id
"""
_MEMBERS = """
INSERT INTO loyalty_member (customer_id, joined_at, tier, tier_since, window_from, review_at, frozen_reason)
SELECT customer_id, min(effective_at), '', min(effective_at), min(effective_at), :forever, ''
FROM ledger_entry GROUP BY customer_id
"""


def _bound(connection: sa.Connection, at: datetime) -> Any:
    """A time as the engine keeps it."""
    process = _Moment().dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return process(at) if process else at


def _ledger() -> None:
    """New columns; the triggers rest while the old rows get the moment of their fact."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("ledger_entry", sa.Column("currency", _String(length=32), nullable=False, server_default="spend"))
    op.add_column("ledger_entry", sa.Column("pending", _BigInt, nullable=False, server_default="0"))
    op.add_column("ledger_entry", sa.Column("reverses", _BigInt, nullable=True))
    op.add_column("ledger_entry", sa.Column("programme", _BigInt, nullable=True))
    op.add_column("ledger_entry", sa.Column("actor", _String(length=64), nullable=False, server_default=""))
    never = "1970-01-01 00:00:00.000000" if sqlite else "1970-01-01T00:00:00Z"
    op.add_column("ledger_entry", sa.Column("effective_at", _Moment(), nullable=False, server_default=never))
    if sqlite:
        op.execute("DROP TRIGGER ledger_entry_no_update")
        op.execute("UPDATE ledger_entry SET effective_at = at")
        op.execute(append_only("ledger_entry")["sqlite"][0])
    else:
        op.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only")
        op.execute("UPDATE ledger_entry SET effective_at = at")
        op.execute("ALTER TABLE ledger_entry ENABLE TRIGGER ledger_entry_append_only")
    op.create_index("ix_ledger_entry_effective", "ledger_entry", ["customer_id", "currency", "effective_at"])


def _tables() -> None:
    op.create_table(
        "point_balance",
        sa.Column("customer_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("currency", _String(length=32), nullable=False),
        sa.Column("balance", _BigInt, nullable=False),
        sa.Column("pending", _BigInt, nullable=False),
        sa.Column("held", _BigInt, nullable=False),
        sa.Column("debt", _BigInt, nullable=False),
        sa.CheckConstraint("pending >= 0 AND held >= 0 AND debt >= 0", name=op.f("ck_point_balance_parts")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_point_balance_customer_id_customer")),
        sa.PrimaryKeyConstraint("customer_id", "currency", name=op.f("pk_point_balance")),
    )
    _lot_tables()
    _member_tables()
    _reservation_tables()


def _lot_tables() -> None:
    op.create_table(
        "point_lot",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("currency", _String(length=32), nullable=False),
        sa.Column("entry_id", _BigInt, nullable=False),
        sa.Column("order_id", _BigInt, nullable=True),
        sa.Column("points", _BigInt, nullable=False),
        sa.Column("remaining", _BigInt, nullable=False),
        sa.Column("held", _BigInt, nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("available_at", _Moment(), nullable=False),
        sa.Column("expires_at", _Moment(), nullable=False),
        sa.CheckConstraint("remaining >= held AND held >= 0", name=op.f("ck_point_lot_remaining")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_point_lot_customer_id_customer")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_point_lot_entry_id_ledger_entry")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_point_lot_order_id_sales_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_lot")),
    )
    is_open, waits = sa.text("remaining > 0"), sa.text("pending")
    for name, columns, where in (
        ("ix_point_lot_open", ["customer_id", "currency", "expires_at", "id"], is_open),
        ("ix_point_lot_expiring", ["expires_at", "id"], is_open),
        ("ix_point_lot_pending", ["available_at", "id"], waits),
        ("ix_point_lot_waiting", ["customer_id", "currency", "available_at"], waits),
    ):
        op.create_index(name, "point_lot", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_point_lot_order", "point_lot", ["order_id"])
    op.create_index(op.f("ix_point_lot_entry_id"), "point_lot", ["entry_id"])
    op.create_table(
        "lot_use",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("entry_id", _BigInt, nullable=False),
        sa.Column("lot_id", _BigInt, nullable=True),
        sa.Column("points", _BigInt, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_lot_use_entry_id_ledger_entry")),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lot.id"], name=op.f("fk_lot_use_lot_id_point_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_use")),
    )
    op.create_index(op.f("ix_lot_use_entry_id"), "lot_use", ["entry_id"])
    op.create_index(op.f("ix_lot_use_lot_id"), "lot_use", ["lot_id"])


def _member_tables() -> None:
    op.create_table(
        "loyalty_member",
        sa.Column("customer_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("joined_at", _Moment(), nullable=False),
        sa.Column("tier", _String(length=32), nullable=False),
        sa.Column("tier_since", _Moment(), nullable=False),
        sa.Column("window_from", _Moment(), nullable=False),
        sa.Column("review_at", _Moment(), nullable=False),
        sa.Column("frozen_at", _Moment(), nullable=True),
        sa.Column("frozen_reason", _String(), nullable=False),
        sa.Column("first_order_id", _BigInt, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_loyalty_member_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["first_order_id"], ["sales_order.id"], name=op.f("fk_loyalty_member_first_order_id_sales_order")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_loyalty_member")),
    )
    op.create_index("ix_loyalty_member_review", "loyalty_member", ["review_at", "customer_id"])
    op.create_table(
        "tier_change",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("before", _String(length=32), nullable=False),
        sa.Column("after", _String(length=32), nullable=False),
        sa.Column("why", _String(length=16), nullable=False),
        sa.Column("total", _BigInt, nullable=False),
        sa.Column("since_before", _Moment(), nullable=False),
        sa.Column("review_before", _Moment(), nullable=False),
        sa.Column("window_before", _Moment(), nullable=False),
        sa.Column("at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_tier_change_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_change")),
    )
    op.create_index("ix_tier_change_customer", "tier_change", ["customer_id", "id"])


def _reservation_tables() -> None:
    op.create_table(
        "point_reservation",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("source_key", _String(length=255), nullable=False),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("currency", _String(length=32), nullable=False),
        sa.Column("points", _BigInt, nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("reason", _String(), nullable=False),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.Column("entry_id", _BigInt, nullable=True),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.Column("expires_at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_point_reservation_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name=op.f("fk_point_reservation_entry_id_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_reservation")),
        sa.UniqueConstraint("source_key", name=op.f("uq_point_reservation_source_key")),
    )
    is_open = sa.text("state = 'open'")
    op.create_index("ix_point_reservation_customer", "point_reservation", ["customer_id"])
    op.create_index(
        "ix_point_reservation_open", "point_reservation", ["expires_at"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "held_lot",
        sa.Column("reservation_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("lot_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("points", _BigInt, nullable=False),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["point_reservation.id"], name=op.f("fk_held_lot_reservation_id_point_reservation")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lot.id"], name=op.f("fk_held_lot_lot_id_point_lot")),
        sa.PrimaryKeyConstraint("reservation_id", "lot_id", name=op.f("pk_held_lot")),
    )


_lot = sa.table(
    "point_lot",
    *(
        sa.column(name, _Moment() if name.endswith("_at") else None)
        for name in (
            "id", "customer_id", "currency", "entry_id", "order_id", "points", "remaining", "held", "pending",
            "available_at", "expires_at",
        )
    ),
)  # fmt: skip
_use = sa.table("lot_use", *(sa.column(name) for name in ("entry_id", "lot_id", "points")))
_balance = sa.table(
    "point_balance",
    *(sa.column(name) for name in ("customer_id", "currency", "balance", "pending", "held", "debt")),
)


def _fill_lots(connection: sa.Connection) -> None:
    """Every entry that brought points gets its lot, and those that took some are told from which; the rest is debt."""
    wanted = (_entry.c.id, _entry.c.customer_id, _entry.c.points, _entry.c.order_id, _entry.c.at)
    ordered = sa.select(*wanted).where(_entry.c.currency == "spend").order_by(_entry.c.customer_id, _entry.c.id)
    for some in _in_batches(groupby(connection.execute(ordered).all(), key=lambda row: row.customer_id)):
        lots: list[dict[str, Any]] = []
        uses: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        for customer_id, entries in some:
            balance, debt = _replayed(customer_id, entries, lots, uses)
            rows.append(
                {
                    "customer_id": customer_id, "currency": "spend", "balance": balance, "pending": 0, "held": 0,
                    "debt": debt,
                }
            )  # fmt: skip
        for table, found in ((_lot, lots), (_use, uses), (_balance, rows)):
            if found:
                connection.execute(table.insert(), found)


def _in_batches(groups: Iterable[tuple[int, Iterator[Any]]]) -> Iterator[list[tuple[int, list[Any]]]]:
    batch: list[tuple[int, list[Any]]] = []
    for key, rows in groups:
        batch.append((key, list(rows)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _replayed(
    customer_id: int, entries: list[Any], lots: list[dict[str, Any]], uses: list[dict[str, Any]]
) -> tuple[int, int]:
    """One customer's entries, oldest first: what they hold and owe at the end."""
    own: list[dict[str, Any]] = []
    balance = debt = 0
    for entry in entries:
        balance += entry.points
        if entry.points > 0:
            lot = {
                "id": new_id(), "customer_id": customer_id, "currency": "spend", "entry_id": entry.id,
                "order_id": entry.order_id, "points": entry.points, "remaining": entry.points, "held": 0,
                "pending": False, "available_at": entry.at, "expires_at": _FOREVER,
            }  # fmt: skip
            own.append(lot)
            paid = min(debt, entry.points)
            debt -= paid
            lot["remaining"] -= paid
            if paid:
                uses += [
                    {"entry_id": entry.id, "lot_id": lot["id"], "points": -paid},
                    {"entry_id": entry.id, "lot_id": None, "points": paid},
                ]
        wanted = max(0, -entry.points)
        for lot in sorted(own, key=lambda lot: lot["order_id"] != entry.order_id or entry.order_id is None):
            taken = min(wanted, lot["remaining"])
            if taken:
                lot["remaining"] -= taken
                wanted -= taken
                uses.append({"entry_id": entry.id, "lot_id": lot["id"], "points": -taken})
        if wanted:
            debt += wanted
            uses.append({"entry_id": entry.id, "lot_id": None, "points": -wanted})
    lots += own
    return balance, debt
