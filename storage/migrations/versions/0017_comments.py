"""Public comments that get a private answer, and the words of each account for that."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BY_SOMEBODY = sa.text("author_id <> ''")


def upgrade() -> None:
    op.add_column("account", sa.Column("comment_reply", AutoString(), nullable=False, server_default=""))
    op.create_table(
        "comment",
        sa.Column("channel", AutoString(32), nullable=False),
        sa.Column("account_id", AutoString(64), nullable=False),
        sa.Column("comment_id", AutoString(64), nullable=False),
        sa.Column("post_id", AutoString(64), nullable=False),
        sa.Column("author_id", AutoString(64), nullable=False),
        sa.Column("state", AutoString(16), nullable=False),
        sa.Column("error", AutoString(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "account_id", "comment_id", name=op.f("pk_comment")),
    )
    op.create_index(
        "uq_comment_author",
        "comment",
        ["channel", "account_id", "post_id", "author_id"],
        unique=True,
        sqlite_where=_BY_SOMEBODY,
        postgresql_where=_BY_SOMEBODY,
    )
    op.create_index("ix_comment_due", "comment", ["channel", "account_id", "due_at"])
    op.create_index("ix_comment_at", "comment", ["at"])
