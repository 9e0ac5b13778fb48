"""Keep versions of the programme of points, refunds, adjustments by two, loaded balances and the codes of cards."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "programme_version",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("effective_from", _Moment(), nullable=False),
        sa.Column("timezone", _String(length=64), nullable=False),
        sa.Column("source", _String(), nullable=False),
        sa.Column("loaded_at", _Moment(), nullable=False),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_version")),
    )
    op.create_index("ix_programme_version_effective", "programme_version", ["effective_from", "id"])
    op.create_table(
        "order_refund",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("order_id", _BigInt, nullable=False),
        sa.Column("external_id", _String(length=128), nullable=False),
        sa.Column("amount", _BigInt, nullable=False),
        sa.Column("lines", _String(), nullable=False),
        sa.Column("reason", _String(), nullable=False),
        sa.Column("refunded_at", _Moment(), nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_refund_order_id_sales_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_refund")),
        sa.UniqueConstraint("order_id", "external_id", name=op.f("uq_order_refund_order_id_external_id")),
    )
    _by_hand()


def _by_hand() -> None:
    op.create_table(
        "point_adjustment",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("source_key", _String(length=255), nullable=False),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("points", _BigInt, nullable=False),
        sa.Column("reason", _String(), nullable=False),
        sa.Column("asked_by", _String(length=64), nullable=False),
        sa.Column("asked_at", _Moment(), nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("decided_by", _String(length=64), nullable=False),
        sa.Column("decided_at", _Moment(), nullable=True),
        sa.Column("entry_id", _BigInt, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_point_adjustment_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name=op.f("fk_point_adjustment_entry_id_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_adjustment")),
        sa.UniqueConstraint("source_key", name=op.f("uq_point_adjustment_source_key")),
    )
    waits = sa.text("state = 'waiting'")
    op.create_index(
        "ix_point_adjustment_waiting", "point_adjustment", ["id"], sqlite_where=waits, postgresql_where=waits
    )
    op.create_index(op.f("ix_point_adjustment_customer_id"), "point_adjustment", ["customer_id"])
    op.create_table(
        "point_batch",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("digest", _String(length=64), nullable=False),
        sa.Column("name", _String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("points", _BigInt, nullable=False),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.Column("undone_at", _Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_batch")),
    )
    op.add_column("loyalty_member", sa.Column("code", _String(length=16), nullable=True))
    op.create_index("uq_loyalty_member_code", "loyalty_member", ["code"], unique=True)
