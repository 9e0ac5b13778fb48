"""Moments in customers' lives, in the order in which they became known or come: the queries that care rules follow.

Each walk gives what lies behind a place, up to a moment, and reads no more than that: by an index, on both engines.
What lies behind it at the place's own moment is asked for by itself: a million tiers may change in one moment, and
SQLite would read all of these again from the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlmodel import Session

from storage.customers import Customer, Identity
from storage.lots import PointLot
from storage.loyalty import SPEND
from storage.members import TierChange
from storage.orders import VOID, SalesOrder

Place = tuple[datetime, int]
"""Where a walk stands: a moment, and the id of the last row of it that was seen."""

DELIVERED = "delivered"


class Walk(NamedTuple):
    """What to walk through: behind `after`, up to `until`, in steps of `most`; or only what is one customer's."""

    after: Place
    until: datetime
    most: int
    customer_id: int | None = None


class Happened(NamedTuple):
    """A moment: whose, when it happened, what it is about (a row's id), a word about it, and its place in the walk."""

    customer_id: int
    at: datetime
    about: int
    word: str
    place: Place


_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_order = SalesOrder.__table__  # type: ignore[attr-defined]
_lot = PointLot.__table__  # type: ignore[attr-defined]
_tier = TierChange.__table__  # type: ignore[attr-defined]
_of_nobody: ColumnElement[str] = literal("")


def joined(session: Session, walk: Walk) -> list[Happened]:
    """People who wrote or followed for the first time on some account; `about` is the identity. No staff."""
    at, key = _identity.c.created_at, _identity.c.id
    found = select(_identity.c.customer_id, at, key, _of_nobody, at).where(
        _identity.c.staff_id.is_(None), _identity.c.staff_only.is_(False)
    )
    return _walk(session, found, walk, at, key, _identity.c.customer_id)


def placed(session: Session, walk: Walk) -> list[Happened]:
    """Orders that stand, when they were placed, as news of them came; `word` is their status."""
    at, key = _order.c.updated_at, _order.c.id
    found = select(_order.c.customer_id, _order.c.placed_at, key, _order.c.status, at)
    return _walk(session, found.where(_order.c.status.not_in(VOID)), walk, at, key, _order.c.customer_id)


def delivered(session: Session, walk: Walk) -> list[Happened]:
    """Orders that were delivered, and when, as news of them came."""
    at, key = _order.c.updated_at, _order.c.id
    found = select(_order.c.customer_id, _order.c.delivered_at, key, _order.c.status, at).where(
        _order.c.status == DELIVERED, _order.c.delivered_at.is_not(None)
    )
    return _walk(session, found, walk, at, key, _order.c.customer_id)


def tiers(session: Session, walk: Walk) -> list[Happened]:
    """Changes of tier as they were noted; `word` is why, and the tier after it: `reached:gold`."""
    at, key = _tier.c.at, _tier.c.id
    word = _tier.c.why + ":" + _tier.c.after
    return _walk(session, select(_tier.c.customer_id, at, key, word, at), walk, at, key, _tier.c.customer_id)


def expiring(session: Session, walk: Walk) -> list[Happened]:
    """Lots of points that can be spent and of which something remains, when they expire."""
    at, key = _lot.c.expires_at, _lot.c.id
    found = select(_lot.c.customer_id, at, key, _of_nobody, at).where(
        _lot.c.remaining > 0, _lot.c.pending.is_(False), _lot.c.currency == SPEND
    )
    return _walk(session, found, walk, at, key, _lot.c.customer_id)


def born_on(session: Session, birthdays: Sequence[str], walk: Walk) -> list[Happened]:
    """Customers with one of these birthdays, by id; `word` is the birthday. Merged ones are left out.

    The place's moment is given back as it is: the day that is walked through.
    """
    day, after = walk.after
    alive = (_customer.c.birthday != "", _customer.c.merged_into.is_(None), _customer.c.id > after)
    found = select(_customer.c.id, _customer.c.birthday).where(_customer.c.birthday.in_(birthdays), *alive)
    found = found.order_by(_customer.c.id).limit(walk.most)
    rows = session.connection().execute(found)
    return [Happened(customer, day, customer, birthday, (day, customer)) for customer, birthday in rows]


def birthday_of(session: Session, customer_id: int) -> str:
    """A customer's birthday as it is kept, "" for none."""
    statement = select(_customer.c.birthday).where(_customer.c.id == customer_id)
    return session.connection().execute(statement).scalar() or ""


def _walk(session: Session, found: Select[Any], walk: Walk, at: Any, key: Any, owner: Any) -> list[Happened]:
    if walk.customer_id is not None:
        return _steps(session, found.where(owner == walk.customer_id, at <= walk.until).order_by(at, key), walk.most)
    moment, number = walk.after
    rest = found.where(at == moment, at <= walk.until, key > number).order_by(key)
    steps = _steps(session, rest, walk.most)
    if len(steps) < walk.most:
        later = found.where(at > moment, at <= walk.until).order_by(at, key)
        steps += _steps(session, later, walk.most - len(steps))
    return steps


def _steps(session: Session, found: Select[Any], most: int) -> list[Happened]:
    rows = session.connection().execute(found.limit(most))
    return [Happened(row[0], row[1], row[2], row[3], (row[4], row[2])) for row in rows]


class Rhythm(NamedTuple):
    """How somebody buys: how many orders of theirs stand, the first and the last one's moment."""

    orders: int
    first_at: datetime
    last_at: datetime


def rhythms(session: Session, customer_ids: Collection[int]) -> dict[int, Rhythm]:
    """How these customers buy; who has no order that stands is left out."""
    statement = (
        select(
            _order.c.customer_id, func.count(), func.min(_order.c.placed_at), func.max(_order.c.placed_at)
        )
        .where(_order.c.customer_id.in_(sorted(customer_ids)), _order.c.status.not_in(VOID))
        .group_by(_order.c.customer_id)
    )  # fmt: skip
    return {row[0]: Rhythm(*row[1:]) for row in session.connection().execute(statement)}


def last_orders(session: Session, customer_ids: Collection[int]) -> dict[int, datetime]:
    """When these customers last placed an order that stands."""
    return {customer: rhythm.last_at for customer, rhythm in rhythms(session, customer_ids).items()}


def last_words(session: Session, customer_ids: Collection[int]) -> dict[int, datetime]:
    """When these customers last wrote or pressed something, on whichever account."""
    statement = (
        select(_identity.c.customer_id, func.max(_identity.c.last_interaction_at))
        .where(_identity.c.customer_id.in_(sorted(customer_ids)), _identity.c.last_interaction_at.is_not(None))
        .group_by(_identity.c.customer_id)
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def remaining(session: Session, customer_ids: Collection[int], since: datetime, until: datetime) -> dict[int, int]:
    """How many points of these customers expire within this span, both ends included."""
    statement = (
        select(_lot.c.customer_id, func.sum(_lot.c.remaining))
        .where(
            _lot.c.customer_id.in_(sorted(customer_ids)), _lot.c.currency == SPEND, _lot.c.remaining > 0,
            _lot.c.pending.is_(False), _lot.c.expires_at >= since, _lot.c.expires_at <= until,
        )
        .group_by(_lot.c.customer_id)
    )  # fmt: skip
    return {row[0]: int(row[1]) for row in session.connection().execute(statement)}
