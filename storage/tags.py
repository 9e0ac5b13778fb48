"""Tags: short words that staff, or the platforms' own labels, put on customers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, delete, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment
from storage.customers import Identity


class TagRow(SQLModel, table=True):
    """One tag of one customer: `folded` tells tags apart, `name` is how whoever set it first wrote it."""

    __tablename__ = "tag"
    __table_args__ = (Index("ix_tag_folded", "folded", "customer_id"),)

    customer_id: int = Field(
        primary_key=True, foreign_key="customer.id", sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    folded: str = Field(primary_key=True, max_length=100)
    name: str = Field(max_length=100)
    set_by: str = Field(max_length=64)
    set_at: datetime = moment()


class Tag(NamedTuple):
    """A tag as read: how it is shown, who set it, and when."""

    name: str
    folded: str
    set_by: str
    set_at: datetime


_tag = TagRow.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Put tags on; the customers who did not have theirs. One that is there stays as it is."""
    if not rows:
        return set()
    statement = insert(session.get_bind().dialect.name, _tag).values(list(rows)).on_conflict_do_nothing()
    return set(session.connection().execute(statement.returning(_tag.c.customer_id)).scalars())


def remove(session: Session, customer_ids: Collection[int], folded: str, upto: datetime) -> set[int]:
    """Take a tag off that was set by then; the customers who had it."""
    these = (_tag.c.customer_id.in_(sorted(customer_ids)), _tag.c.folded == folded, _tag.c.set_at <= upto)
    return set(session.connection().execute(delete(_tag).where(*these).returning(_tag.c.customer_id)).scalars())


def bearers(session: Session, folded: str, channel: str, account_id: str) -> list[int]:
    """The customers with this tag whom this account knows, by id."""
    statement = (
        select(_tag.c.customer_id)
        .join(_identity, _identity.c.customer_id == _tag.c.customer_id)
        .where(_tag.c.folded == folded, _identity.c.channel == channel, _identity.c.account_id == account_id)
    )
    return list(session.connection().execute(statement.distinct().order_by(_tag.c.customer_id)).scalars())


def of_customer(session: Session, customer_id: int) -> list[Tag]:
    """A customer's tags, by name."""
    statement = select(*(_tag.c[name] for name in Tag._fields)).where(_tag.c.customer_id == customer_id)
    return [Tag._make(row) for row in session.connection().execute(statement.order_by(_tag.c.folded))]


def move(session: Session, source: int, target: int) -> None:
    """All tags of one customer become another's; those that both have stay as they were set first on the other."""
    taken = delete(_tag).where(_tag.c.customer_id == source).returning(*_tag.c)
    rows = session.connection().execute(taken).mappings().all()
    add_many(session, [{**row, "customer_id": target} for row in rows])
