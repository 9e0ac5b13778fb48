"""Keep what customers were told before they agreed, the clocks of their requests, and what is left of the erased."""

from datetime import timedelta

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime
_String = sqlmodel.sql.sqltypes.AutoString
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "consent_terms",
        sa.Column("version", _String(length=16), nullable=False),
        sa.Column("purpose", _String(length=32), nullable=False),
        sa.Column("locale", _String(length=16), nullable=False),
        *(sa.Column(name, _String(), nullable=False) for name in ("text", "content", "method", "form", "frequency")),
        sa.Column("since", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_terms")),
    )
    with op.batch_alter_table("consent_entry") as entry:
        entry.add_column(sa.Column("way", _String(length=16), server_default="", nullable=False))
        entry.add_column(sa.Column("terms", _String(length=16), nullable=True))
        entry.add_column(sa.Column("actor", _String(length=64), server_default="", nullable=False))
        entry.create_foreign_key(op.f("fk_consent_entry_terms_consent_terms"), "consent_terms", ["terms"], ["version"])
    _requests()
    op.create_table(
        "erasure",
        sa.Column("id", _Big, nullable=False),
        sa.Column("customer_id", _Big, nullable=False),
        sa.Column("request_id", _Big, nullable=True),
        sa.Column("at", _Moment(), nullable=False),
        sa.Column("actor", _String(length=64), nullable=False),
        sa.Column("touched", _String(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_erasure_customer_id_customer")),
        sa.ForeignKeyConstraint(["request_id"], ["data_request.id"], name=op.f("fk_erasure_request_id_data_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_customer_id"), "erasure", ["customer_id"])
    op.create_table(
        "suppression",
        sa.Column("digest", _String(length=64), nullable=False),
        sa.Column("at", _Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_suppression")),
    )


def _requests() -> None:
    """Requests of before are to be answered within four days, which holds a weekend, and looked at now."""
    for name in ("wording", "message_id", "outcome"):
        op.add_column("data_request", sa.Column(name, _String(), server_default="", nullable=False))
    op.add_column("data_request", sa.Column("ended_by", _String(length=64), server_default="", nullable=False))
    for name in ("answer_by", "look_at", "answered_at", "ended_at"):
        op.add_column("data_request", sa.Column(name, _Moment(), nullable=True))
    request = sa.table(
        "data_request", sa.column("id", _Big), sa.column("state", _String()), sa.column("requested_at", _Moment()),
        sa.column("answer_by", _Moment()), sa.column("look_at", _Moment()),
    )  # fmt: skip
    rows = op.get_bind().execute(sa.select(request.c.id, request.c.requested_at).where(request.c.state == "open")).all()
    for number, asked in rows:
        clocks = {"answer_by": asked + timedelta(days=4), "look_at": asked}
        op.execute(request.update().where(request.c.id == number).values(**clocks))
    op.create_index("ix_data_request_look", "data_request", ["look_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
