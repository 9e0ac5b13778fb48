"""Keep which picture a recipe gave, members' codes for friends, and who was brought by whom."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_String = sqlmodel.sql.sqltypes.AutoString
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_BigInt = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "drawing",
        sa.Column("recipe", _String(length=64), nullable=False),
        sa.Column("media_id", _String(length=64), nullable=False),
        sa.Column("drawn_at", _Moment(), nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_drawing_media_id_media")),
        sa.PrimaryKeyConstraint("recipe", name=op.f("pk_drawing")),
    )
    op.create_index(op.f("ix_drawing_media_id"), "drawing", ["media_id"])
    op.create_index(op.f("ix_drawing_drawn_at"), "drawing", ["drawn_at"])
    op.create_table(
        "referral_code",
        sa.Column("customer_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("code", _String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_referral_code_customer_id_customer")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_referral_code")),
    )
    op.create_index("uq_referral_code_code", "referral_code", ["code"], unique=True)
    op.create_table(
        "referral",
        sa.Column("friend_id", _BigInt, autoincrement=False, nullable=False),
        sa.Column("referrer_id", _BigInt, nullable=False),
        sa.Column("at", _Moment(), nullable=False),
        sa.Column("state", _String(length=16), nullable=False),
        sa.Column("why", _String(length=16), nullable=False),
        sa.Column("settled_at", _Moment(), nullable=True),
        sa.ForeignKeyConstraint(["friend_id"], ["customer.id"], name=op.f("fk_referral_friend_id_customer")),
        sa.ForeignKeyConstraint(["referrer_id"], ["customer.id"], name=op.f("fk_referral_referrer_id_customer")),
        sa.PrimaryKeyConstraint("friend_id", name=op.f("pk_referral")),
    )
    op.create_index("ix_referral_referrer", "referral", ["referrer_id", "settled_at"])
