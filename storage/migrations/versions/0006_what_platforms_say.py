"""Keep what platforms say of accounts and of what brought people; find conversations that are held elsewhere."""

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
    for name in ("referral_source", "ad_id", "ad_title"):
        op.add_column("identity", sa.Column(name, AutoString(), nullable=False, server_default=""))
    for name in ("ad_silent_since", "ad_first_message_at"):
        op.add_column("identity", sa.Column(name, UTCDateTime(), nullable=True))
    held = sa.text("holder IN ('staff', 'elsewhere')")
    op.drop_index("ix_conversation_held", "conversation")
    op.create_index(
        "ix_conversation_held", "conversation", ["handed_over_at"], sqlite_where=held, postgresql_where=held
    )
