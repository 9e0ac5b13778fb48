"""Those who would be recipients of a broadcast, as a turn of sending would see them; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from storage.customers import Customer
from storage.turns import Waiting

_customer = Customer.__table__  # type: ignore[attr-defined]
_KNOWN = ("name", "locale", "phone", "merged_into")


def people(
    session: Session, members: Select[int], broadcast_id: int, purpose: str, at: datetime, after: int, most: int
) -> list[Waiting]:
    """Members with an id above `after`, by id, due at this moment; their own id stands for the recipient's."""
    some = members.where(_customer.c.id > after).order_by(_customer.c.id).limit(most).subquery("some")
    these = select(_customer.c.id, *(_customer.c[name] for name in _KNOWN)).where(
        _customer.c.id.in_(select(next(iter(some.c))))
    )
    return [
        _waiting(row[0], broadcast_id, purpose, at, dict(zip(_KNOWN, row[1:], strict=True)))
        for row in session.connection().execute(these.order_by(_customer.c.id))
    ]


def _waiting(customer_id: int, broadcast_id: int, purpose: str, at: datetime, known: Mapping[str, Any]) -> Waiting:
    return Waiting(
        id=customer_id,
        broadcast_id=broadcast_id,
        care_rule_id=None,
        subject="",
        customer_id=customer_id,
        purpose=purpose,
        due_at=at,
        attempts=0,
        created_at=at,
        happened_at=None,
        meant_at=None,
        **known,
    )
