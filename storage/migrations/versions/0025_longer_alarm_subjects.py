"""Let an alarm be about a template whose name is as long as Facebook allows; SQLite never kept it shorter."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("alarm", "subject", type_=sa.String())
