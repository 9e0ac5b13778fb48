"""Keep broadcasts, and every person whom one or a care rule means to write to."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "broadcast",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("name", _String(length=80), nullable=False),
        sa.Column("purpose", _String(length=16), nullable=False),
        sa.Column("content", _String(), nullable=False),
        sa.Column("segment", _String(), nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("pause_reason", _String(length=32), nullable=False),
        sa.Column("pause_words", _String(), nullable=False),
        sa.Column("resumes_at", _Moment(), nullable=True),
        sa.Column("created_by", _String(length=64), nullable=False),
        sa.Column("tested_at", _Moment(), nullable=True),
        sa.Column("approved_by", _String(length=64), nullable=False),
        sa.Column("scheduled_at", _Moment(), nullable=True),
        sa.Column("as_of", _Moment(), nullable=True),
        sa.Column("cursor", _BigInt, nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("digest", _String(length=64), nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.Column("changed_at", _Moment(), nullable=False),
        sa.Column("frozen_at", _Moment(), nullable=True),
        sa.Column("closed_at", _Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    _index("ix_broadcast_living", "broadcast", ["state"], "state IN ('scheduled', 'freezing', 'running', 'paused')")
    op.create_table(
        "recipient",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("broadcast_id", _BigInt, nullable=True),
        sa.Column("care_rule_id", _BigInt, nullable=True),
        sa.Column("subject", _String(length=128), server_default="", nullable=False),
        sa.Column("once_key", _String(length=255), nullable=True),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("identity_id", _BigInt, nullable=True),
        sa.Column("purpose", _String(length=16), nullable=False),
        sa.Column("state", _String(length=16), server_default="pending", nullable=False),
        sa.Column("reason", _String(), server_default="", nullable=False),
        sa.Column("due_at", _Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outbox_id", _BigInt, nullable=True),
        sa.Column("lane", _String(length=32), server_default="", nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.Column("sent_at", _Moment(), nullable=True),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name=op.f("fk_recipient_broadcast_id_broadcast")),
        sa.ForeignKeyConstraint(["care_rule_id"], ["care_rule.id"], name=op.f("fk_recipient_care_rule_id_care_rule")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_recipient_customer_id_customer")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_recipient_identity_id_identity")),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_recipient_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
    )
    chosen = "broadcast_id IS NOT NULL AND identity_id IS NOT NULL"
    person = ["broadcast_id", "customer_id"]
    _index("uq_recipient_person", "recipient", person, "broadcast_id IS NOT NULL", unique=True)
    _index("uq_recipient_identity", "recipient", ["broadcast_id", "identity_id"], chosen, unique=True)
    _index("uq_recipient_once", "recipient", ["once_key"], "once_key IS NOT NULL", unique=True)
    _index("ix_recipient_due", "recipient", ["broadcast_id", "state", "due_at"], "state IN ('pending', 'sending')")
    _index("ix_recipient_outbox", "recipient", ["outbox_id"], "outbox_id IS NOT NULL")
    op.create_index("ix_recipient_ledger", "recipient", ["customer_id", "sent_at"])


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
