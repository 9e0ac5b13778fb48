"""Customers found many at once, by what the POS calls them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from storage.customers import Customer

_customer = Customer.__table__  # type: ignore[attr-defined]


def ids_by_external(session: Session, external_ids: Sequence[str]) -> dict[str, int]:
    """The ids of those of these POS customers that are known."""
    statement = select(_customer.c.external_id, _customer.c.id).where(_customer.c.external_id.in_(external_ids))
    return {row[0]: row[1] for row in session.connection().execute(statement)}
