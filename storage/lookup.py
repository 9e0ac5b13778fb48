"""Customers found many at once: by what the POS calls them, and by their birthday."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlmodel import Session

from storage.customers import Customer

_customer = Customer.__table__  # type: ignore[attr-defined]


def born_on(session: Session, days: Sequence[str], after: int, most: int) -> list[int]:
    """Customers with an id above `after` whose birthday ends so (`-11-23`), by id; merged ones are left out."""
    birthday = or_(*(_customer.c.birthday.like(f"%{day}") for day in days))
    statement = select(_customer.c.id).where(_customer.c.id > after, _customer.c.merged_into.is_(None), birthday)
    return list(session.connection().execute(statement.order_by(_customer.c.id).limit(most)).scalars())


def ids_by_external(session: Session, external_ids: Sequence[str]) -> dict[str, int]:
    """The ids of those of these POS customers that are known."""
    statement = select(_customer.c.external_id, _customer.c.id).where(_customer.c.external_id.in_(external_ids))
    return {row[0]: row[1] for row in session.connection().execute(statement)}
