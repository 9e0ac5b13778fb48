"""Keep why a customer waited when staff were told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call", sa.Column("reason", sa.String(length=16), nullable=True))
