"""Find who bears a tag, who is in a tier and who bought since a day by an index alone."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_tag_folded", "tag")
    op.create_index("ix_tag_folded", "tag", ["folded", "customer_id"])
    op.create_index("ix_loyalty_member_tier", "loyalty_member", ["tier", "customer_id"])
    op.create_index("ix_sales_order_placed", "sales_order", ["placed_at", "status", "customer_id"])
