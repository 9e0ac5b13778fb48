"""Points: what an order earns, what its return takes back, and what a customer holds."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from storage import loyalty as ledger
from storage.loyalty import Entry
from storage.orders import OrderRow

DONG_PER_POINT = 10_000
"""How much a customer pays for one point; what is left over earns nothing."""

EARNING_STATUS = "delivered"


class Kind(StrEnum):
    """Why an entry was written."""

    EARN = "earn"
    REVERSE = "reverse"
    ADJUST = "adjust"


def points_for(total: int) -> int:
    """What an order of `total` đồng earns."""
    return total // DONG_PER_POINT


def balance(session: Session, customer_id: int) -> int:
    """The points that a customer holds."""
    return ledger.balance(session, customer_id)


def history(session: Session, customer_id: int, most: int = 10) -> list[Entry]:
    """A customer's last entries, newest first."""
    return ledger.latest(session, customer_id, most)


def settle_order(session: Session, order: OrderRow, now: datetime) -> None:
    """Make the ledger hold what this order has earned in the state it is in now.

    A delivered order earns once; returned, cancelled or sent back on its way it earns nothing, so what it earned is
    reversed; a changed total or another customer moves the difference. Whatever order the news came in, the sums end
    the same. The caller holds the order's row.
    """
    earned, count = ledger.of_order(session, order.id)
    due = points_for(order.total) if order.status == EARNING_STATUS else 0
    for customer_id in sorted({*earned, order.customer_id}):
        points = (due if customer_id == order.customer_id else 0) - earned.get(customer_id, 0)
        if points:
            kind = Kind.EARN if points > 0 else Kind.REVERSE
            key = f"order:{order.id}:{count}"
            _post(session, customer_id, points, kind, f"#{order.code}", key, now, order.id)
            count += 1


def carry_over(session: Session, source: int, target: int, now: datetime) -> None:
    """Give one customer's points to another, who they turned out to be."""
    points = ledger.balance(session, source)
    if points:
        for customer_id, change in ((source, -points), (target, points)):
            key = f"join:{source}:{target}:{customer_id}:{now.isoformat()}"
            _post(session, customer_id, change, Kind.ADJUST, "join", key, now)


def _post(
    session: Session,
    customer_id: int,
    points: int,
    kind: Kind,
    reason: str,
    source_key: str,
    at: datetime,
    order_id: int | None = None,
) -> None:
    row = {"customer_id": customer_id, "points": points, "kind": kind, "reason": reason, "source_key": source_key}
    ledger.add(session, {**row, "order_id": order_id, "at": at})
