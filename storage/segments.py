"""Who a condition is true of: one statement, whatever was asked, on both engines."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, true
from sqlmodel import Session

from storage.customers import Customer, is_served
from storage.segment_facts import Rows, found
from storage.segment_tree import All, Fact, No, Some, Tree

_customer = Customer.__table__  # type: ignore[attr-defined]

Condition = Tree[Fact]


def select_members(condition: Condition) -> Select[int]:
    """The ids of the customers of whom this is true; staff, and who was joined to another, are no customers.

    `customer` itself is selected from: a range of ids may be asked for by `.where(customer.id > …)`.
    """
    return select(_customer.c.id).where(_customer.c.merged_into.is_(None), is_served(_customer.c.id), _test(condition))


def count(session: Session, condition: Condition) -> int:
    """How many they are."""
    members = select_members(condition).subquery()
    return int(session.connection().execute(select(func.count()).select_from(members)).scalar_one())


def some(session: Session, condition: Condition, after: int, most: int) -> list[int]:
    """Up to so many of them with an id above `after`, by id."""
    statement = select_members(condition).where(_customer.c.id > after).order_by(_customer.c.id).limit(most)
    return list(session.connection().execute(statement).scalars())


def _test(tree: Condition) -> ColumnElement[bool]:
    """Whether it is true of the customer whose row is looked at; never unknown."""
    match tree:
        case All(parts):
            return and_(true(), *map(_test, parts))
        case Some(parts):
            return or_(false(), *map(_test, parts))
        case No(part):
            return not_(_test(part))
        case Fact():
            source = found(tree)
            return source.of(_customer.c.id) if isinstance(source, Rows) else source
    raise TypeError(tree)
