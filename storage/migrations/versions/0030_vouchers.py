"""Keep vouchers with their uses, how many of each reward are taken, and codes that somebody guessed."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reward_taken",
        sa.Column("reward", _String(length=32), nullable=False),
        sa.Column("taken", _BigInt, nullable=False),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_reward_taken_taken")),
        sa.PrimaryKeyConstraint("reward", name=op.f("pk_reward_taken")),
    )
    op.create_table(
        "voucher",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("code", _String(length=16), nullable=False),
        sa.Column("customer_id", _BigInt, nullable=False),
        sa.Column("reward", _String(length=32), nullable=False),
        sa.Column("vi", _String(), nullable=False),
        sa.Column("en", _String(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("amount", _BigInt, nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("source_key", _String(length=255), nullable=False),
        sa.Column("entry_id", _BigInt, nullable=False),
        sa.Column("currency", _String(length=32), nullable=False),
        sa.Column("points", _BigInt, nullable=False),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.Column("created_at", _Moment(), nullable=False),
        sa.Column("expires_at", _Moment(), nullable=False),
        sa.Column("cancelled_at", _Moment(), nullable=True),
        sa.CheckConstraint("uses > 0", name=op.f("ck_voucher_uses")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_voucher_customer_id_customer")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_voucher_entry_id_ledger_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
        sa.UniqueConstraint("source_key", name=op.f("uq_voucher_source_key")),
    )
    op.create_index("ix_voucher_customer", "voucher", ["customer_id", "expires_at"])
    op.create_table(
        "voucher_use",
        sa.Column("id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("voucher_id", _BigInt, nullable=False),
        sa.Column("source_key", _String(length=160), nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("until", _Moment(), nullable=True),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.Column("at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_use_voucher_id_voucher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_use")),
        sa.UniqueConstraint("voucher_id", "source_key", name=op.f("uq_voucher_use_voucher_id_source_key")),
    )
    op.create_table(
        "voucher_guess",
        sa.Column("id", _BigInt, nullable=False),
        sa.Column("asker", _String(length=64), nullable=False),
        sa.Column("at", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_guess")),
    )
    op.create_index("ix_voucher_guess_asker_at", "voucher_guess", ["asker", "at"])
