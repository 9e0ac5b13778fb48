"""Keep whose labels are shared, and customers' reactions on lines."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("shares_labels", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(
        "message",
        sa.Column("reaction", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False, server_default=""),
    )
