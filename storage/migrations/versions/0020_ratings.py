"""Keep how content customers were with the end of their support requests."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString
_PLANNED = sa.text("state = 'planned'")
_ALERTED = sa.text("alert_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "rating",
        sa.Column("ticket_id", _Big, autoincrement=False, nullable=False),
        sa.Column("conversation_id", _Big, nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("reason", _String(length=32), nullable=False),
        sa.Column("closed_at", _Moment, nullable=False),
        sa.Column("look_at", _Moment, nullable=False),
        sa.Column("asked_at", _Moment, nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", _String(), nullable=False),
        sa.Column("given_at", _Moment, nullable=True),
        sa.Column("alert_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_rating_ticket_id_ticket")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_rating_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_rating")),
    )
    op.create_index(op.f("ix_rating_conversation_id"), "rating", ["conversation_id"], unique=False)
    op.create_index("ix_rating_look_at", "rating", ["look_at"], sqlite_where=_PLANNED, postgresql_where=_PLANNED)
    op.create_index("ix_rating_alert_at", "rating", ["alert_at"], sqlite_where=_ALERTED, postgresql_where=_ALERTED)
