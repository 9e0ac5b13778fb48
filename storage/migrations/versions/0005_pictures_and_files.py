"""Pictures and files that we send, and the copies that platforms hold of them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("id", AutoString(64), nullable=False),
        sa.Column("name", AutoString(255), nullable=False),
        sa.Column("content_type", AutoString(128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_table(
        "upload",
        sa.Column("channel", AutoString(32), nullable=False),
        sa.Column("account_id", AutoString(64), nullable=False),
        sa.Column("media_id", AutoString(64), nullable=False),
        sa.Column("remote_id", AutoString(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account_id", "media_id", name=op.f("pk_upload")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_upload_media_id_media")),
    )
