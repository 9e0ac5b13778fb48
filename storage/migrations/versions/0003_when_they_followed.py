"""Keep when somebody followed, so that an event that comes late does not undo a later one."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identity", sa.Column("followed_at", UTCDateTime(), nullable=True))
