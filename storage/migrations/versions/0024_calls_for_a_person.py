"""Remember why a customer waits, how far staff were told of it, and whom a conversation was given last."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.add_column("conversation", sa.Column("reason", _String(length=16), nullable=False, server_default=""))
    op.add_column("staff", sa.Column("given_at", _Moment, nullable=True))
    op.create_table(
        "call",
        sa.Column("conversation_id", _Big, autoincrement=False, nullable=False),
        sa.Column("since", _Moment, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("called_at", _Moment, nullable=True),
        sa.Column("told_at", _Moment, nullable=False),
        sa.Column("look_at", _Moment, nullable=False),
        sa.Column("offered_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_call_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_call")),
    )
