"""Keep notes and fields of customers, and what they are found by; look through those who are there already."""

import re
import unicodedata
from collections.abc import Iterator

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Moment = sqlmodel.sql.sqltypes.UTCDateTime()
_String = sqlmodel.sql.sqltypes.AutoString
_AT_ONCE = 2000


def upgrade() -> None:
    _notes()
    _fields()
    words = op.create_table(
        "customer_word",
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("customer_id", _Big, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_word_customer_id_customer")),
        sa.PrimaryKeyConstraint("word", "customer_id", name=op.f("pk_customer_word")),
    )
    for rows in _words():
        op.bulk_insert(words, rows)
    op.create_index(op.f("ix_customer_word_customer_id"), "customer_word", ["customer_id"])


def _notes() -> None:
    op.create_table(
        "customer_note",
        sa.Column("id", _Big, nullable=False),
        sa.Column("customer_id", _Big, nullable=False),
        sa.Column("staff_id", _Big, nullable=False),
        sa.Column("text", _String(length=1000), nullable=False),
        sa.Column("at", _Moment, nullable=False),
        sa.Column("gone_at", _Moment, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_note_customer_id_customer")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_customer_note_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_note")),
    )
    op.create_index("ix_customer_note_customer", "customer_note", ["customer_id", "id"])


def _fields() -> None:
    op.create_table(
        "custom_field",
        sa.Column("id", _Big, nullable=False),
        sa.Column("name", _String(length=40), nullable=False),
        sa.Column("folded", _String(length=40), nullable=False),
        sa.Column("kind", _String(length=16), nullable=False),
        sa.Column("choices", _String(), nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("folded", name=op.f("uq_custom_field_folded")),
    )
    op.create_table(
        "customer_field",
        sa.Column("customer_id", _Big, nullable=False),
        sa.Column("field_id", _Big, nullable=False),
        sa.Column("value", _String(length=500), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("set_by", _Big, nullable=False),
        sa.Column("set_at", _Moment, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_field_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["field_id"], ["custom_field.id"], name=op.f("fk_customer_field_field_id_custom_field")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["staff.id"], name=op.f("fk_customer_field_set_by_staff")),
        sa.PrimaryKeyConstraint("customer_id", "field_id", name=op.f("pk_customer_field")),
    )


def _words() -> Iterator[list[dict[str, object]]]:
    """What the customers of this database are found by, a part of them at a time."""
    customers = sa.text(
        "SELECT id, name, coalesce(external_id, ''), coalesce(phone, '') FROM customer"
        " WHERE merged_into IS NULL AND id > :after ORDER BY id LIMIT :most"
    )
    identities = sa.text(
        "SELECT customer_id, name FROM identity WHERE name <> '' AND customer_id > :after AND customer_id <= :last"
    )
    after = -1
    while rows := op.get_bind().execute(customers, {"after": after, "most": _AT_ONCE}).all():
        kept = {(each, word) for each, *names, _ in rows for name in names for word in _starts(name)}
        kept |= {(each, _cut("#" + re.sub(r"\D", "", phone)[::-1])) for each, *_, phone in rows if phone}
        seen = {row[0] for row in rows}
        for each, name in op.get_bind().execute(identities, {"after": after, "last": rows[-1][0]}):
            kept |= {(each, word) for word in _starts(name) if each in seen}
        if kept:
            yield [{"customer_id": each, "word": word} for each, word in sorted(kept)]
        after = rows[-1][0]


def _starts(name: str) -> set[bytes]:
    letters = unicodedata.normalize("NFD", name.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("đ", "d")
    words = re.findall(r"\w+", bare)[:12]
    return {_cut(" ".join(words[place:])) for place in range(len(words))}


def _cut(text: str) -> bytes:
    return text.encode()[:40]
