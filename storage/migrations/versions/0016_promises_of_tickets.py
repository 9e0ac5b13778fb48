"""Give tickets a category, a priority, an order, a cause and clocks; remember of which closed time a customer knows."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString
_LOOKED_FOR = sa.text("look_at IS NOT NULL")
_RUNNING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("ticket") as ticket:
        ticket.add_column(sa.Column("category", _String(length=16), nullable=False, server_default="other"))
        ticket.add_column(sa.Column("priority", _String(length=16), nullable=False, server_default="normal"))
        ticket.add_column(sa.Column("order_id", _Big, nullable=True))
        ticket.add_column(sa.Column("cause", _String(), nullable=False, server_default=""))
        ticket.add_column(sa.Column("closed_at", _Moment, nullable=True))
        ticket.create_foreign_key(op.f("fk_ticket_order_id_sales_order"), "sales_order", ["order_id"], ["id"])
    op.execute("UPDATE ticket SET closed_at = updated_at WHERE state = 'closed'")
    op.add_column("conversation", sa.Column("away_until", _Moment, nullable=True))
    op.create_table(
        "ticket_clock",
        sa.Column("id", _Big, autoincrement=False, nullable=False),
        sa.Column("ticket_id", _Big, nullable=False),
        sa.Column("kind", _String(length=16), nullable=False),
        sa.Column("target_s", sa.Integer(), nullable=False),
        sa.Column("used_s", sa.Integer(), nullable=False),
        sa.Column("started_at", _Moment, nullable=False),
        sa.Column("running_since", _Moment, nullable=True),
        sa.Column("warn_at", _Moment, nullable=True),
        sa.Column("due_at", _Moment, nullable=True),
        sa.Column("look_at", _Moment, nullable=True),
        sa.Column("warned_at", _Moment, nullable=True),
        sa.Column("breached_at", _Moment, nullable=True),
        sa.Column("ended_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_clock_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_clock")),
    )
    op.create_index(
        "ix_ticket_clock_look_at", "ticket_clock", ["look_at"], sqlite_where=_LOOKED_FOR, postgresql_where=_LOOKED_FOR
    )
    op.create_index(
        "ix_ticket_clock_running", "ticket_clock", ["ticket_id"], sqlite_where=_RUNNING, postgresql_where=_RUNNING
    )
    op.create_index("ix_ticket_clock_ticket", "ticket_clock", ["ticket_id", "id"])
