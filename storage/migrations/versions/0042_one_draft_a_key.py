"""Let who writes a broadcast over the API name it by a key of their own, so that a repeated request writes no second."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=160), nullable=True))
    keyed = sa.text("key IS NOT NULL")
    op.create_index("uq_broadcast_key", "broadcast", ["key"], unique=True, sqlite_where=keyed, postgresql_where=keyed)
