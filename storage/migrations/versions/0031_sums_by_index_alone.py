"""Let what qualifies be added up from the index alone, without a look at each entry."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_NAME = "ix_ledger_entry_effective"


def upgrade() -> None:
    op.drop_index(_NAME, "ledger_entry")
    op.create_index(_NAME, "ledger_entry", ["customer_id", "currency", "effective_at", "points"])
