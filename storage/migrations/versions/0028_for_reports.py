"""Find by their times what reports count."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_customer_created_at", "customer", ["created_at"])
    op.create_index("ix_staff_send_at", "staff_send", ["at"])
    op.create_index("ix_ticket_clock_ended_at", "ticket_clock", ["ended_at"])
    op.create_index("ix_ticket_clock_due_at", "ticket_clock", ["due_at"])
    op.create_index("ix_ticket_created_at", "ticket", ["created_at"])
    op.create_index("ix_ticket_closed_at", "ticket", ["closed_at"])
    op.create_index("ix_rating_given_at", "rating", ["given_at"])
