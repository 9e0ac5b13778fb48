"""Keep of care messages what they are about, when that was and when they were meant for; find them by their rule."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_Moment = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.add_column("recipient", sa.Column("happened_at", _Moment(), nullable=True))
    op.add_column("recipient", sa.Column("meant_at", _Moment(), nullable=True))
    of_care = sa.text("care_rule_id IS NOT NULL")
    op.create_index(
        "ix_recipient_care", "recipient", ["care_rule_id", "sent_at", "id"], sqlite_where=of_care,
        postgresql_where=of_care,
    )  # fmt: skip
