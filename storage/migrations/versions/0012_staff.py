"""Give staff a place: who they are, their chats and desks, what they are told, what they send, what they did."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString
_OPEN = sa.text("state IN ('queued', 'held')")
_UNTOLD = sa.text("told_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", _Big, autoincrement=False, nullable=False),
        sa.Column("name", _String(), nullable=False),
        sa.Column("role", _String(length=16), nullable=False),
        sa.Column("pin", _String(length=64), nullable=False),
        sa.Column("pin_misses", sa.Integer(), nullable=False),
        sa.Column("pin_locked_at", _Moment, nullable=True),
        sa.Column("shift_until", _Moment, nullable=True),
        sa.Column("revoked_at", _Moment, nullable=True),
        sa.Column("created_at", _Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    op.create_table(
        "audit",
        sa.Column("id", _Big, nullable=False),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("staff_id", _Big, nullable=True),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("action", _String(length=48), nullable=False),
        sa.Column("subject", _String(length=16), nullable=False),
        sa.Column("subject_id", _Big, nullable=True),
        sa.Column("details", _String(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_audit_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_staff_id"), "audit", ["staff_id"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject", "subject_id", "id"], unique=False)
    op.create_table(
        "pairing",
        sa.Column("digest", _String(length=64), nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("expires_at", _Moment, nullable=False),
        sa.Column("used_at", _Moment, nullable=True),
        sa.Column("created_at", _Moment, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_pairing_staff_id_staff")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pairing")),
    )
    op.create_index(op.f("ix_pairing_staff_id"), "pairing", ["staff_id"], unique=False)
    op.create_table(
        "short_id",
        sa.Column("id", _Big, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", _String(length=16), nullable=False),
        sa.Column("target_id", _Big, nullable=False),
        sa.Column("shown_at", _Moment, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_short_id_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_short_id")),
        sa.UniqueConstraint("staff_id", "surface", "number", name=op.f("uq_short_id_staff_id_surface_number")),
    )
    op.create_table(
        "staff_preview",
        sa.Column("id", _Big, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("code", _String(length=8), nullable=False),
        sa.Column("command", _String(length=32), nullable=False),
        sa.Column("given", _String(), nullable=False),
        sa.Column("digest", _String(length=64), nullable=False),
        sa.Column("until", _Moment, nullable=False),
        sa.Column("used_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_preview_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_preview")),
        sa.UniqueConstraint("staff_id", "surface", "code", name=op.f("uq_staff_preview_staff_id_surface_code")),
    )
    op.create_table(
        "staff_desk",
        sa.Column("id", _Big, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("entered_id", _Big, nullable=True),
        sa.Column("entered_until", _Moment, nullable=True),
        sa.Column("dialog", _String(), nullable=False),
        sa.Column("dialog_data", _String(), nullable=False),
        sa.Column("dialog_until", _Moment, nullable=True),
        sa.Column("stepped_up_until", _Moment, nullable=True),
        sa.Column("as_customer_until", _Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_id"], ["conversation.id"], name=op.f("fk_staff_desk_entered_id_conversation")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_desk_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_desk")),
        sa.UniqueConstraint("staff_id", "surface", name=op.f("uq_staff_desk_staff_id_surface")),
    )
    op.create_table(
        "staff_send",
        sa.Column("id", _Big, autoincrement=False, nullable=False),
        sa.Column("part_of", _Big, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("conversation_id", _Big, nullable=False),
        sa.Column("waited_since", _Moment, nullable=True),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("told_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_staff_send_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["id"], ["outbox.id"], name=op.f("fk_staff_send_id_outbox")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_send_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_send")),
    )
    op.create_index(op.f("ix_staff_send_conversation_id"), "staff_send", ["conversation_id"], unique=False)
    op.create_index("ix_staff_send_staff", "staff_send", ["staff_id", "id"], unique=False)
    op.create_index(
        "ix_staff_send_untold", "staff_send", ["id"], unique=False, sqlite_where=_UNTOLD, postgresql_where=_UNTOLD
    )
    op.create_table(
        "notice",
        sa.Column("id", _Big, autoincrement=False, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("conversation_id", _Big, nullable=True),
        sa.Column("ticket_id", _Big, nullable=True),
        sa.Column("kind", _String(length=24), nullable=False),
        sa.Column("surface", _String(length=24), nullable=False),
        sa.Column("outbox_id", _Big, nullable=True),
        sa.Column("body", _String(), nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_notice_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_notice_outbox_id_outbox")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notice_staff_id_staff")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_notice_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_conversation_id"), "notice", ["conversation_id"], unique=False)
    op.create_index("ix_notice_open", "notice", ["id"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_notice_staff", "notice", ["staff_id", "id"], unique=False)
    _refer("conversation", "assigned_to")
    op.add_column("conversation", sa.Column("assigned_at", _Moment, nullable=True))
    _refer("conversation", "answered_by")
    op.add_column("conversation", sa.Column("answered_at", _Moment, nullable=True))
    op.add_column("conversation", sa.Column("snoozed_until", _Moment, nullable=True))
    op.add_column("conversation", sa.Column("closed_at", _Moment, nullable=True))
    op.create_index(
        "ix_conversation_assigned",
        "conversation",
        ["assigned_to"],
        unique=False,
        sqlite_where=sa.text("assigned_to IS NOT NULL"),
        postgresql_where=sa.text("assigned_to IS NOT NULL"),
    )
    op.create_index(
        "ix_conversation_snoozed",
        "conversation",
        ["snoozed_until"],
        unique=False,
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    _refer("identity", "staff_id")
    op.create_index(
        "ix_identity_staff",
        "identity",
        ["staff_id"],
        unique=False,
        sqlite_where=sa.text("staff_id IS NOT NULL"),
        postgresql_where=sa.text("staff_id IS NOT NULL"),
    )


def _refer(table: str, column: str) -> None:
    """Add a column that points at staff, or at nobody: SQLite takes a foreign key only together with its column."""
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    name = f"fk_{table}_{column}_staff"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT {name} REFERENCES staff (id)")
