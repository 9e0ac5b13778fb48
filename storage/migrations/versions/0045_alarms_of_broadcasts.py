"""End the alarms of broadcasts that errors stopped, under the name that nothing ends any more; what is still stopped rings
under its new one."""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE alarm SET solved_at = since WHERE kind = 'broadcast_errors' AND solved_at IS NULL")
