"""Keep what the platforms say of each account."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("checked_at", UTCDateTime(), nullable=True))
    op.add_column("account", sa.Column("facts", AutoString(), nullable=False, server_default=""))
