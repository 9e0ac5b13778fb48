"""Who a condition is true of: one statement, whatever was asked, on both engines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, func, select
from sqlmodel import Session

from storage import segment_plan
from storage.customers import Customer, Identity
from storage.orders import SalesOrder
from storage.segment_facts import GONE
from storage.segment_plan import SERVED, Condition, test

_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_order = SalesOrder.__table__  # type: ignore[attr-defined]


def select_members(condition: Condition) -> Select[int]:
    """The ids of the customers of whom this is true; staff, and who was joined to another, are no customers.

    `customer` itself is selected from: a range of ids may be asked for by `.where(customer.id > …)`.
    """
    return select(_customer.c.id).where(*SERVED, test(condition))


def among(session: Session, condition: Condition, customer_ids: Collection[int]) -> set[int]:
    """Those of these customers of whom it is true."""
    statement = select_members(condition).where(_customer.c.id.in_(sorted(customer_ids)))
    return set(session.connection().execute(statement).scalars())


def count(session: Session, condition: Condition) -> int:
    """How many they are."""
    members = segment_plan.members(session, condition).subquery()
    return int(session.connection().execute(select(func.count()).select_from(members)).scalar_one())


def everyone(session: Session, condition: Condition) -> list[int]:
    """All of them, in no order."""
    return list(session.connection().execute(segment_plan.members(session, condition)).scalars())


def some(session: Session, condition: Condition, after: int, most: int) -> list[int]:
    """Up to so many of them with an id above `after`, by id."""
    statement = select_members(condition).where(_customer.c.id > after).order_by(_customer.c.id).limit(most)
    return list(session.connection().execute(statement).scalars())


class Own(NamedTuple):
    """What a customer's own rows come to: orders since a moment that came to something, and whether they are one."""

    orders: int
    spent: int
    first: datetime | None
    last: datetime | None


def verdicts(session: Session, conditions: Sequence[Condition], customer_id: int) -> list[bool] | None:
    """Whether each of these is true of a customer, whoever they are; None where there is none."""
    statement = select(*(test(each) for each in conditions)).select_from(_customer).where(_customer.c.id == customer_id)
    row = session.connection().execute(statement).first()
    return [bool(each) for each in row] if row else None


def is_member(session: Session, condition: Condition, customer_id: int) -> bool:
    """Whether a customer is one of those who are selected."""
    statement = select_members(condition).where(_customer.c.id == customer_id)
    return session.connection().execute(statement).first() is not None


def own_orders(session: Session, customer_id: int, since: datetime | None) -> Own:
    """A customer's orders since a moment, added up."""
    statement = select(
        func.count(), func.coalesce(func.sum(_order.c.total), 0), func.min(_order.c.placed_at),
        func.max(_order.c.placed_at),
    ).where(_order.c.customer_id == customer_id, _order.c.status.not_in(GONE))  # fmt: skip
    if since is not None:
        statement = statement.where(_order.c.placed_at >= since)
    return Own._make(session.connection().execute(statement).one())


def channels(session: Session, customer_id: int) -> list[tuple[str, datetime | None, bool]]:
    """Where a customer is, when they last wrote there, and whether they cannot be reached there."""
    statement = select(
        _identity.c.channel, _identity.c.last_interaction_at, _identity.c.unreachable_since.is_not(None)
    ).where(_identity.c.customer_id == customer_id)  # fmt: skip
    return [(row[0], row[1], row[2]) for row in session.connection().execute(statement.order_by(_identity.c.id))]
