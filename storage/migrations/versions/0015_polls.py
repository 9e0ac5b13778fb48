"""Keep who asks a platform that posts nothing, and when it answered; and which chats are staff's by their place."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Time = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "poll",
        sa.Column("lease_owner", _String(), nullable=False),
        sa.Column("lease_until", _Time(), nullable=False),
        sa.Column("lease_token", sa.Integer(), nullable=False),
        sa.Column("channel", _String(length=32), nullable=False),
        sa.Column("account_id", _String(length=64), nullable=False),
        sa.Column("answered_at", _Time(), nullable=True),
        sa.Column("heard_at", _Time(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "account_id", name=op.f("pk_poll")),
    )
    op.add_column("identity", sa.Column("staff_only", sa.Boolean(), nullable=False, server_default=sa.false()))
