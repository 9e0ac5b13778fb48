"""Know when those of a broadcast were last looked for who go another way than the one that is shut."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("sought_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
