"""The names under which staff are seen to write, as platforms know them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "persona",
        sa.Column("channel", AutoString(32), nullable=False),
        sa.Column("account_id", AutoString(64), nullable=False),
        sa.Column("name", AutoString(200), nullable=False),
        sa.Column("remote_id", AutoString(64), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "account_id", "name", name=op.f("pk_persona")),
    )
