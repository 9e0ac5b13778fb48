"""Keep the message templates that platforms approved, and what every message cost."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_PAID = sa.text("cost > 0")


def upgrade() -> None:
    op.create_table(
        "template",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", _String(length=32), nullable=False),
        sa.Column("account_id", _String(length=64), nullable=False),
        sa.Column("template_id", _String(length=512), nullable=False),
        sa.Column("language", _String(length=16), nullable=False),
        sa.Column("platform_id", _String(length=64), nullable=False),
        sa.Column("name", _String(), nullable=False),
        sa.Column("status", _String(length=16), nullable=False),
        sa.Column("quality", _String(length=16), nullable=False),
        sa.Column("tag", _String(length=16), nullable=False),
        sa.Column("parameters", _String(), nullable=False),
        sa.Column("price_phone", sa.Integer(), nullable=False),
        sa.Column("price_user", sa.Integer(), nullable=False),
        sa.Column("text", _String(), nullable=False),
        sa.Column("preview_url", _String(), nullable=False),
        sa.Column("reason", _String(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint(
            "channel",
            "account_id",
            "template_id",
            "language",
            name=op.f("uq_template_channel_account_id_template_id_language"),
        ),
    )
    op.add_column("outbox", sa.Column("cost", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "ix_outbox_paid",
        "outbox",
        ["channel", "account_id", "sent_at", "cost"],
        sqlite_where=_PAID,
        postgresql_where=_PAID,
    )
