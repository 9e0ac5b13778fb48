"""Keep what each word of consent covers, and how every customer stands now."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString

_LATEST = """
INSERT INTO consent_standing (customer_id, purpose, channel, granted, at, entry_id)
SELECT customer_id, purpose, covers, granted, at, id FROM (
    SELECT customer_id, purpose, covers, granted, at, id, row_number() OVER (
        PARTITION BY customer_id, purpose, covers ORDER BY at DESC, granted, id DESC
    ) AS place FROM consent_entry
) latest WHERE place = 1
"""


def upgrade() -> None:
    op.add_column("consent_entry", sa.Column("covers", _String(length=32), server_default="", nullable=False))
    op.execute("UPDATE consent_entry SET covers = channel WHERE granted")
    op.create_table(
        "consent_standing",
        sa.Column("customer_id", _Big, autoincrement=False, nullable=False),
        sa.Column("purpose", _String(length=32), nullable=False),
        sa.Column("channel", _String(length=32), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("entry_id", _Big, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_consent_standing_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["consent_entry.id"], name=op.f("fk_consent_standing_entry_id_consent_entry")
        ),
        sa.PrimaryKeyConstraint("customer_id", "purpose", "channel", name=op.f("pk_consent_standing")),
    )
    op.execute(_LATEST)
