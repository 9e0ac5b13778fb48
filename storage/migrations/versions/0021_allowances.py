"""Keep what platforms let accounts send, and the lanes that they shut."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "allowance",
        sa.Column("channel", _String(length=32), nullable=False),
        sa.Column("account_id", _String(length=64), nullable=False),
        sa.Column("name", _String(length=64), nullable=False),
        sa.Column("remain", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("ends_at", _Moment(), nullable=True),
        sa.Column("told_at", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account_id", "name", name=op.f("pk_allowance")),
    )
    op.create_table(
        "shut_lane",
        sa.Column("channel", _String(length=32), nullable=False),
        sa.Column("account_id", _String(length=64), nullable=False),
        sa.Column("lane", _String(length=64), nullable=False),
        sa.Column("marketing", sa.Boolean(), nullable=False),
        sa.Column("why", _String(), nullable=False),
        sa.Column("until", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account_id", "lane", "marketing", name=op.f("pk_shut_lane")),
    )
