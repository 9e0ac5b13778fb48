"""Know what a second person agreed with: the version of a broadcast, and for how many they saw it meant."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("approved_of", sa.String(40), server_default="", nullable=False))
