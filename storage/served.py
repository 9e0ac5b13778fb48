"""Who is a customer, and not somebody of the staff: every list, count and segment asks for it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Index, exists, or_, select, text
from sqlmodel import Session

from storage.customers import Customer, Identity

_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]

CHATS_OF_STAFF = Index(
    "ix_identity_of_staff",
    _identity.c.customer_id,
    sqlite_where=text("staff_id IS NOT NULL OR staff_only = 1"),
    postgresql_where=text("staff_id IS NOT NULL OR staff_only"),
)
"""Holds few: to see that somebody is not there costs next to nothing."""


def is_served(customer_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether this customer is one: who stands behind a chat of staff is left out of whatever counts or addresses."""
    chat = _identity.alias()
    of_staff = or_(chat.c.staff_id.is_not(None), chat.c.staff_only)
    return ~exists().where(chat.c.customer_id == customer_id, of_staff)


def serves(session: Session, customer_id: int) -> bool:
    """Whether this is a customer, and not somebody of the staff."""
    statement = select(_customer.c.id).where(_customer.c.id == customer_id, is_served(_customer.c.id))
    return session.connection().execute(statement).first() is not None
