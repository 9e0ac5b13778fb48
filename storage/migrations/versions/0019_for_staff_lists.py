"""Find orders by their code alone, as staff ask for them, and keep when a conversation was put off."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sales_order_code", "sales_order", ["code_key"])
    op.add_column("conversation", sa.Column("snoozed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
