"""What an order has earned: the ledger is made to hold it, whatever news of the order came in which order."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlmodel import Session

from crm import ledger
from crm.ledger import Fact, Kind
from storage import loyalty as store
from storage.orders import OrderRow

DONG_PER_POINT = 10_000
"""How much a customer pays for one point; what is left over earns nothing."""

EARNING_STATUS = "delivered"


def settle_order(session: Session, order: OrderRow, now: datetime) -> None:
    """Make the ledger hold what this order has earned in the state it is in now.

    A delivered order earns once; returned, cancelled or sent back on its way it earns nothing, so what it earned is
    reversed; a changed total or another customer moves the difference. Whatever order the news came in, the sums end
    the same. The caller holds the order's row and its customers.
    """
    written = store.of_order(session, order.id)
    earned: defaultdict[tuple[int, str], int] = defaultdict(int)
    for entry in written:
        if entry.kind in (Kind.EARN, Kind.REVERSE):
            earned[entry.customer_id, entry.currency] += entry.points
    due = {(order.customer_id, currency): points for currency, points in _entitled(order).items()}
    count = len(written)
    for customer_id, currency in sorted({*earned, *due}):
        points = due.get((customer_id, currency), 0) - earned[customer_id, currency]
        fact = Fact(
            key=f"order:{order.id}:{count}", now=now, reason=f"#{order.code}", order_id=order.id,
            happened_at=order.delivered_at or order.placed_at,
        )  # fmt: skip
        if points > 0:
            ledger.earn(session, customer_id, points, fact, currency)
        elif points < 0:
            ledger.take_back(session, customer_id, -points, fact, currency)
        count += bool(points)


def _entitled(order: OrderRow) -> dict[str, int]:
    total = order.total if order.status == EARNING_STATUS else 0
    return {ledger.SPEND: total // DONG_PER_POINT, ledger.QUALIFY: total}
