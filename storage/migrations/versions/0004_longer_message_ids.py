"""Let a channel's id of a message be longer than 255 characters; SQLite never kept it shorter."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("consent_entry", "message_id"),
    ("message", "message_id"),
    ("message", "reply_to"),
    ("outbox", "message_id"),
    ("ticket_photo", "message_id"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column in _COLUMNS:
        op.alter_column(table, column, type_=sa.String())
