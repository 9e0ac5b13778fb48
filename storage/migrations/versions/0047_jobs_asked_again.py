"""Know when a job that is being done was asked for once more, beside the moment from which it was due."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("again_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.execute("UPDATE job SET again_at = ready_at WHERE lease_owner = 'asked again' AND state = 'waiting'")
