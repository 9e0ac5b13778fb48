"""Members of the programme: since when, in which tier until when, and whether their points are frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, Select, bindparam, cast, func, select, tuple_, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert, moment, part_of_key, reference, serial
from storage.hot import Among, Fetch, inserting, updating
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


class Due(NamedTuple):
    """A member whose tier is to be reviewed, and what counts at it: all that qualifies from `window_from` until
    `review_at`."""

    customer_id: int
    joined_at: datetime
    tier: str
    tier_since: datetime
    window_from: datetime
    review_at: datetime
    kept: int


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
_SET_TIER = updating(_member, ("tier", "tier_since", "window_from", "review_at"), by="customer_id")
_CHANGE = select(*(_change.c[name] for name in Change._fields))
_ADD_CHANGE = inserting(_change, Change._fields[1:])


def _in_order(_among: Among) -> Select[Any]:
    now, place = (bindparam(name, type_=_member.c.review_at.type, required=True) for name in ("now", "place"))
    number = bindparam("number", type_=_member.c.customer_id.type, required=True)
    order = (_member.c.review_at, _member.c.customer_id)
    found = select(*order).where(_member.c.review_at <= now, tuple_(*order) > tuple_(place, number))
    return found.order_by(*order).limit(bindparam("most", required=True))


def _with_what_counts(among: Among) -> Select[Any]:
    counts = (
        _entry.c.customer_id == _member.c.customer_id, _entry.c.currency == QUALIFY,
        _entry.c.effective_at >= _member.c.window_from, _entry.c.effective_at < _member.c.review_at,
    )  # fmt: skip
    kept = select(cast(func.coalesce(func.sum(_entry.c.points), 0), BigInt)).where(*counts).scalar_subquery()
    now = bindparam("now", type_=_member.c.review_at.type, required=True)
    read = select(*(_member.c[name] for name in Due._fields[:-1]), kept)
    return read.where(among(_member.c.customer_id, "ids"), _member.c.review_at <= now)


_DUE = Fetch(_in_order)
_TO_REVIEW = Fetch(_with_what_counts)


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
    _SET_TIER.run(session.connection(), rows)


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


def due_for_review(
    session: Session, now: datetime, after: tuple[datetime, int], most: int
) -> list[tuple[datetime, int]]:
    """When the tiers of members are to be reviewed, and whose: those behind this (time, id), in order."""
    place, number = after
    rows = _DUE.rows(session.connection(), now=now, place=place, number=number, most=most)
    return [(at, customer_id) for at, customer_id in rows]


def to_review(session: Session, customer_ids: Collection[int], now: datetime) -> list[Due]:
    """Those of these members whose tier is to be reviewed by now."""
    rows = _TO_REVIEW.rows(session.connection(), ids=list(customer_ids), now=now)
    return [Due._make(row) for row in rows]


def page(session: Session, after: int, most: int) -> list[Member]:
    """Members with an id above `after`, by id."""
    rows = session.connection().execute(
        _MEMBER.where(_member.c.customer_id > after).order_by(_member.c.customer_id).limit(most)
    )
    return [Member._make(row) for row in rows]


def add_changes(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note changes of tiers."""
    _ADD_CHANGE.run(session.connection(), rows)


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
