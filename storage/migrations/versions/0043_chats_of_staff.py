"""Find by an index of their own, which is nearly empty, the few chats that are of staff: every segment asks for them."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_identity_of_staff",
        "identity",
        ["customer_id"],
        sqlite_where=sa.text("staff_id IS NOT NULL OR staff_only = 1"),
        postgresql_where=sa.text("staff_id IS NOT NULL OR staff_only"),
    )
