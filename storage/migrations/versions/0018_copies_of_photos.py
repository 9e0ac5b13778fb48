"""Remember where our copies of tickets' photos are, or why there is none."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    with op.batch_alter_table("ticket_photo") as photo:
        photo.add_column(sa.Column("media_id", _String(length=64), nullable=True))
        photo.add_column(sa.Column("trouble", _String(), nullable=False, server_default=""))
        photo.create_foreign_key(op.f("fk_ticket_photo_media_id_media"), "media", ["media_id"], ["id"])
