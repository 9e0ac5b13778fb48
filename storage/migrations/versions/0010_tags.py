"""Keep tags of customers."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "tag",
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("folded", _String(length=100), nullable=False),
        sa.Column("name", _String(length=100), nullable=False),
        sa.Column("set_by", _String(length=64), nullable=False),
        sa.Column("set_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_tag_customer_id_customer")),
        sa.PrimaryKeyConstraint("customer_id", "folded", name=op.f("pk_tag")),
    )
    op.create_index(op.f("ix_tag_folded"), "tag", ["folded"])
