"""Keep segments that were saved, version by version."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_String = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "segment",
        sa.Column("id", _Big, nullable=False),
        sa.Column("name", _String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", _String(), nullable=False),
        sa.Column("created_by", _String(length=64), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_segment_name_version")),
    )
