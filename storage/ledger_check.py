"""The ledger counted anew from nothing, beside what is kept of it: every sum that must agree, and who it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session


class Fault(NamedTuple):
    """A customer's sums that do not agree: what is kept, and what was counted."""

    what: str
    customer_id: int
    currency: str
    kept: int
    counted: int


_ENTRIES = "SELECT customer_id, currency, sum(points) AS n FROM ledger_entry GROUP BY customer_id, currency"
_WAITING = "SELECT customer_id, currency, sum(pending) AS n FROM ledger_entry GROUP BY customer_id, currency"
_LOTS = """
SELECT customer_id, currency, sum(n) AS n FROM (
  SELECT customer_id, currency, points AS n FROM point_lot
  UNION ALL
  SELECT e.customer_id, e.currency, u.points FROM lot_use u JOIN ledger_entry e ON e.id = u.entry_id
) AS parts GROUP BY customer_id, currency
"""
_REMAINING = "SELECT customer_id, currency, sum(remaining) AS n FROM point_lot GROUP BY customer_id, currency"
_LOTS_WAITING = (
    "SELECT customer_id, currency, sum(remaining) AS n FROM point_lot WHERE pending GROUP BY customer_id, currency"
)
_HELD = "SELECT customer_id, currency, sum(held) AS n FROM point_lot GROUP BY customer_id, currency"
_RESERVED = (
    "SELECT customer_id, currency, sum(points) AS n FROM point_reservation WHERE state = 'open' "
    "GROUP BY customer_id, currency"
)
_OWED = """
SELECT e.customer_id, e.currency, -sum(u.points) AS n FROM lot_use u JOIN ledger_entry e ON e.id = u.entry_id
WHERE u.lot_id IS NULL GROUP BY e.customer_id, e.currency
"""

_AGREE: Mapping[str, tuple[str, str, str]] = {
    "balance and entries": ("balance", _ENTRIES, ""),
    "balance and lots": ("balance", _LOTS, "b.currency <> 'qualify'"),
    "balance, lots and debt": ("balance + debt", _REMAINING, "b.currency <> 'qualify'"),
    "pending and entries": ("pending", _WAITING, ""),
    "pending and lots": ("pending", _LOTS_WAITING, ""),
    "held and lots": ("held", _HELD, ""),
    "held and reservations": ("held", _RESERVED, ""),
    "debt and its uses": ("debt", _OWED, ""),
}
_EACH_LOT = """
SELECT l.customer_id, l.currency, l.remaining, l.points + coalesce(u.n, 0) FROM point_lot l
LEFT JOIN (SELECT lot_id, sum(points) AS n FROM lot_use GROUP BY lot_id) u ON u.lot_id = l.id
WHERE l.remaining <> l.points + coalesce(u.n, 0) ORDER BY l.id
"""
_EACH_HELD = """
SELECT l.customer_id, l.currency, l.held, coalesce(h.n, 0) FROM point_lot l
LEFT JOIN (SELECT h.lot_id, sum(h.points) AS n FROM held_lot h JOIN point_reservation r ON r.id = h.reservation_id
           WHERE r.state = 'open' GROUP BY h.lot_id) h ON h.lot_id = l.id
WHERE l.held <> coalesce(h.n, 0) ORDER BY l.id
"""
_SPENT_LATE = """
SELECT e.customer_id, e.currency, u.points, 0 FROM lot_use u
JOIN ledger_entry e ON e.id = u.entry_id JOIN point_lot l ON l.id = u.lot_id
LEFT JOIN point_reservation r ON r.entry_id = e.id
WHERE u.points < 0 AND e.kind = 'redeem' AND coalesce(r.created_at, e.at) >= l.expires_at ORDER BY u.id
"""
_UNBALANCED = """
SELECT e.customer_id, e.currency, e.points, coalesce(l.n, 0) + coalesce(u.n, 0) FROM ledger_entry e
LEFT JOIN (SELECT entry_id, sum(points) AS n FROM point_lot GROUP BY entry_id) l ON l.entry_id = e.id
LEFT JOIN (SELECT entry_id, sum(points) AS n FROM lot_use GROUP BY entry_id) u ON u.entry_id = e.id
WHERE e.currency <> 'qualify' AND e.points <> coalesce(l.n, 0) + coalesce(u.n, 0) ORDER BY e.id
"""
_ROWS: Mapping[str, str] = {
    "a lot and its uses": _EACH_LOT,
    "a lot and its reservations": _EACH_HELD,
    "points spent after their expiry": _SPENT_LATE,
    "an entry and its lots": _UNBALANCED,
}


def faults(session: Session, most: int = 100) -> list[Fault]:
    """What does not agree, up to so many of each kind. Reads the whole ledger."""
    found: list[Fault] = []
    connection = session.connection()
    for what, (kept, counted, where) in _AGREE.items():
        query = (
            f"SELECT b.customer_id, b.currency, {kept}, coalesce(c.n, 0) FROM point_balance b "
            f"LEFT JOIN ({counted}) c ON c.customer_id = b.customer_id AND c.currency = b.currency "
            f"WHERE {kept} <> coalesce(c.n, 0) {f'AND {where}' if where else ''} "
            "ORDER BY b.customer_id, b.currency LIMIT :most"
        )
        found += [Fault(what, *row) for row in connection.execute(text(query), {"most": most})]
    for what, query in _ROWS.items():
        found += [Fault(what, *row) for row in connection.execute(text(f"{query} LIMIT :most"), {"most": most})]
    return found
