"""Know until when digits alone may be the PIN that a member of staff was asked for."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff_desk", sa.Column("pin_asked_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
