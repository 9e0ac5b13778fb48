"""Keep care rules in their versions and how they stand; find by an index what became known, and who was born when."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "care_rule",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("name", _String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", _String(), nullable=False),
        sa.Column("created_by", _String(length=64), nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_rule")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_care_rule_name_version")),
    )
    op.create_table(
        "care_standing",
        sa.Column("name", _String(length=32), nullable=False),
        sa.Column("rule_id", _BigInt, nullable=False),
        sa.Column("state", _String(length=8), nullable=False),
        sa.Column("since", _Moment(), nullable=False),
        sa.Column("seen_at", _Moment(), nullable=False),
        sa.Column("seen_id", _BigInt, nullable=False),
        sa.Column("changed_by", _String(length=64), nullable=False),
        sa.Column("changed_at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["care_rule.id"], name=op.f("fk_care_standing_rule_id_care_rule")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_care_standing")),
    )
    op.create_index("ix_sales_order_updated", "sales_order", ["updated_at", "id"])
    op.create_index("ix_tier_change_at", "tier_change", ["at", "id"])
    op.create_index("ix_identity_created_at", "identity", ["created_at", "id"])
    known = sa.text("birthday <> ''")
    op.create_index("ix_customer_birthday", "customer", ["birthday"], sqlite_where=known, postgresql_where=known)
