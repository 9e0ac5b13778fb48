"""Members of the programme: since when, in which tier until when, and whether their points are frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, bindparam, func, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, part_of_key, reference, serial
from storage.lots import FOREVER
from storage.loyalty import QUALIFY, LedgerEntry


class LoyaltyMember(SQLModel, table=True):
    """A customer who ever had points. The tier is reviewed at `review_at` by what was bought since `window_from`.

    `first_order_id` is the order that counts as the first one, `code` what stands on the member's card.
    """

    __tablename__ = "loyalty_member"
    __table_args__ = (
        Index("uq_loyalty_member_code", "code", unique=True),
        Index("ix_loyalty_member_review", "review_at", "customer_id"),
        Index("ix_loyalty_member_tier", "tier", "customer_id"),
    )

    customer_id: int = part_of_key("customer.id")
    joined_at: datetime = moment()
    tier: str = Field(default="", max_length=32)
    tier_since: datetime = moment()
    window_from: datetime = moment()
    review_at: datetime = moment()
    frozen_at: datetime | None = moment(nullable=True)
    frozen_reason: str = ""
    first_order_id: int | None = reference("sales_order.id", nullable=True)
    code: str | None = Field(default=None, max_length=16)


class TierChange(SQLModel, table=True):
    """A change of tier: from which to which, why, and what was counted. What stood before is kept to undo it."""

    __tablename__ = "tier_change"
    __table_args__ = (
        Index("ix_tier_change_customer", "customer_id", "id"),
        Index("ix_tier_change_at", "at", "id"),
    )

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    before: str = Field(max_length=32)
    after: str = Field(max_length=32)
    why: str = Field(max_length=16)
    total: int = Field(sa_type=BigInt)
    since_before: datetime = moment()
    review_before: datetime = moment()
    window_before: datetime = moment()
    at: datetime = moment()


class Member(NamedTuple):
    """A member as read."""

    customer_id: int
    joined_at: datetime
    tier: str
    tier_since: datetime
    window_from: datetime
    review_at: datetime
    frozen_at: datetime | None
    frozen_reason: str
    first_order_id: int | None
    code: str | None


class Change(NamedTuple):
    """A change of tier as read."""

    id: int
    customer_id: int
    before: str
    after: str
    why: str
    total: int
    since_before: datetime
    review_before: datetime
    window_before: datetime
    at: datetime


_member = LoyaltyMember.__table__  # type: ignore[attr-defined]
_change = TierChange.__table__  # type: ignore[attr-defined]
_entry = LedgerEntry.__table__  # type: ignore[attr-defined]
_MEMBER = select(*(_member.c[name] for name in Member._fields))
_ONE = _MEMBER.where(_member.c.customer_id == bindparam("customer"))
_SET_TIER = (
    update(_member)
    .where(_member.c.customer_id == bindparam("b_customer_id"))
    .values({name: bindparam(f"b_{name}") for name in ("tier", "tier_since", "window_from", "review_at")})
)
_CHANGE = select(*(_change.c[name] for name in Change._fields))


def join(session: Session, customer_ids: Collection[int], now: datetime) -> None:
    """Make these customers members; who is one already stays as they are."""
    rows = [
        {
            "customer_id": customer_id, "joined_at": now, "tier": "", "tier_since": now, "window_from": now,
            "review_at": FOREVER, "frozen_reason": "",
        }
        for customer_id in sorted(customer_ids)
    ]  # fmt: skip
    if rows:
        statement = insert(session.get_bind().dialect.name, _member)
        session.connection().execute(statement.on_conflict_do_nothing(index_elements=["customer_id"]), rows)


def member(session: Session, customer_id: int) -> Member | None:
    """A member; None for who never had points."""
    row = session.connection().execute(_ONE, {"customer": customer_id}).first()
    return Member._make(row) if row else None


def some(session: Session, customer_ids: Collection[int]) -> list[Member]:
    """These members, by id."""
    rows = session.connection().execute(
        _MEMBER.where(_member.c.customer_id.in_(customer_ids)).order_by(_member.c.customer_id)
    )
    return [Member._make(row) for row in rows]


def set_member(session: Session, customer_id: int, **values: object) -> None:
    """Set columns of one member."""
    session.connection().execute(update(_member).where(_member.c.customer_id == customer_id).values(**values))


def set_tiers(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set `tier`, `tier_since`, `window_from` and `review_at` of these members, each by `customer_id`."""
    if rows:
        session.connection().execute(_SET_TIER, [{f"b_{key}": value for key, value in row.items()} for row in rows])


def claim_first(session: Session, customer_id: int, order_id: int) -> None:
    """This order is the first one of a customer who has none."""
    free = (_member.c.customer_id == customer_id, _member.c.first_order_id.is_(None))
    session.connection().execute(update(_member).where(*free).values(first_order_id=order_id))


def free_first(session: Session, order_id: int, customer_ids: Collection[int]) -> list[int]:
    """This order is the first one of these customers no more; those whom it was."""
    claimed = (_member.c.customer_id.in_(customer_ids), _member.c.first_order_id == order_id)
    freeing = update(_member).where(*claimed).values(first_order_id=None).returning(_member.c.customer_id)
    return sorted(session.connection().execute(freeing).scalars()) if customer_ids else []


def give_code(session: Session, customer_id: int, code: str) -> bool:
    """Give a member without a code this one; False where they have one, or it is somebody else's."""
    taken = select(_member.c.customer_id).where(_member.c.code == code).exists()
    free = (_member.c.customer_id == customer_id, _member.c.code.is_(None), ~taken)
    return session.connection().execute(update(_member).where(*free).values(code=code)).rowcount == 1


def by_code(session: Session, code: str) -> int | None:
    """The customer on whose card this code stands."""
    found: int | None = (
        session.connection().execute(select(_member.c.customer_id).where(_member.c.code == code)).scalar()
    )
    return found


def frozen_among(session: Session, customer_ids: Collection[int]) -> set[int]:
    """Those of these customers whose points are frozen."""
    statement = select(_member.c.customer_id).where(
        _member.c.customer_id.in_(customer_ids), _member.c.frozen_at.is_not(None)
    )
    return set(session.connection().execute(statement).scalars())


def due_for_review(session: Session, now: datetime, after: tuple[datetime, int], most: int) -> list[Member]:
    """Members whose tier is to be reviewed, behind this (time, id), in order."""
    place, number = after
    found = _MEMBER.where(
        _member.c.review_at <= now, _member.c.review_at >= place,
        (_member.c.review_at > place) | (_member.c.customer_id > number),
    )  # fmt: skip
    rows = session.connection().execute(found.order_by(_member.c.review_at, _member.c.customer_id).limit(most))
    return [Member._make(row) for row in rows]


def page(session: Session, after: int, most: int) -> list[Member]:
    """Members with an id above `after`, by id."""
    rows = session.connection().execute(
        _MEMBER.where(_member.c.customer_id > after).order_by(_member.c.customer_id).limit(most)
    )
    return [Member._make(row) for row in rows]


def qualified(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """What counts at each member's review: all that qualifies from `window_from` until `review_at`."""
    statement = (
        select(_entry.c.customer_id, func.sum(_entry.c.points))
        .join(_member, _member.c.customer_id == _entry.c.customer_id)
        .where(
            _entry.c.customer_id.in_(customer_ids), _entry.c.currency == QUALIFY,
            _entry.c.effective_at >= _member.c.window_from, _entry.c.effective_at < _member.c.review_at,
        )
        .group_by(_entry.c.customer_id)
    )  # fmt: skip
    return {row[0]: int(row[1]) for row in session.connection().execute(statement)}


def add_changes(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note changes of tiers."""
    if rows:
        session.connection().execute(_change.insert(), list(rows))


def changes(session: Session, customer_id: int, most: int) -> list[Change]:
    """A customer's changes of tier, newest first."""
    rows = session.connection().execute(
        _CHANGE.where(_change.c.customer_id == customer_id).order_by(_change.c.id.desc()).limit(most)
    )
    return [Change._make(row) for row in rows]


def tiers_after(session: Session, change_ids: Collection[int]) -> dict[int, str]:
    """The tiers to which these changes led, by the change's id."""
    statement = select(_change.c.id, _change.c.after).where(_change.c.id.in_(sorted(change_ids)))
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def tier_at(session: Session, customer_id: int, at: datetime) -> str | None:
    """The tier that a customer was in when a moment came; None where no change was noted before it."""
    statement = select(_change.c.after).where(_change.c.customer_id == customer_id, _change.c.at < at)
    found: str | None = session.connection().execute(statement.order_by(_change.c.id.desc()).limit(1)).scalar()
    return found
