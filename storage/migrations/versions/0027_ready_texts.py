"""Keep replies and macros that staff have ready."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_String = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "ready_text",
        sa.Column("id", _Big, nullable=False),
        sa.Column("kind", _String(length=16), nullable=False),
        sa.Column("name", _String(length=30), nullable=False),
        sa.Column("folded", _String(length=30), nullable=False),
        sa.Column("text", _String(), nullable=False),
        sa.Column("picture", _String(), nullable=False),
        sa.Column("edited_by", _Big, nullable=False),
        sa.Column("edited_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["edited_by"], ["staff.id"], name=op.f("fk_ready_text_edited_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ready_text")),
        sa.UniqueConstraint("kind", "folded", name=op.f("uq_ready_text_kind_folded")),
    )
