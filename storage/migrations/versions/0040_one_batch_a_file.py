"""Let one batch of points of a file stand. Of those that were loaded twice at once each can still be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_STANDS = sa.text("undone_at IS NULL")


def upgrade() -> None:
    op.execute(
        "UPDATE point_batch SET digest = CAST(id AS VARCHAR(64)) WHERE undone_at IS NULL AND id NOT IN "
        "(SELECT max(id) FROM point_batch WHERE undone_at IS NULL GROUP BY digest)"
    )
    op.create_index(
        "uq_point_batch_standing", "point_batch", ["digest"], unique=True, sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )  # fmt: skip
