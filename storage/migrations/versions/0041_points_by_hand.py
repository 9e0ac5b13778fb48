"""Find what was given and taken by hand in a day by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_BY_HAND = sa.text("substr(source_key, 1, 7) = 'adjust:'")


def upgrade() -> None:
    op.create_index("ix_ledger_entry_by_hand", "ledger_entry", ["at"], sqlite_where=_BY_HAND, postgresql_where=_BY_HAND)
