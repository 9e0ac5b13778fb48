"""Who a broadcast was meant for, page by page, with what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from storage.customers import Customer
from storage.recipients import Recipient

_recipient = Recipient.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]


class Told(NamedTuple):
    """A recipient as people read of them."""

    id: int
    customer_id: int
    external_id: str | None
    name: str
    state: str
    reason: str
    lane: str
    sent_at: datetime | None


def page(session: Session, broadcast_id: int, after: int, most: int, state: str = "", reason: str = "") -> list[Told]:
    """Recipients of a broadcast with an id above `after`, by id; those in one state or for one reason, if wished."""
    statement = (
        select(
            _recipient.c.id, _recipient.c.customer_id, _customer.c.external_id, _customer.c.name, _recipient.c.state,
            _recipient.c.reason, _recipient.c.lane, _recipient.c.sent_at,
        )
        .join(_customer, _customer.c.id == _recipient.c.customer_id)
        .where(_recipient.c.broadcast_id == broadcast_id, _recipient.c.id > after)
    )  # fmt: skip
    if state:
        statement = statement.where(_recipient.c.state == state)
    if reason:
        statement = statement.where(_recipient.c.reason == reason)
    rows = session.connection().execute(statement.order_by(_recipient.c.id).limit(most))
    return [Told._make(row) for row in rows]
