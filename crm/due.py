"""What is due in anybody's points by now, a range at a time; for one customer `posting.caught_up` does the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlmodel import Session

from crm import lots as choice
from crm import posting, stamps
from storage import balances, lots, postings, reservations
from storage import customers as people
from storage.lots import Lot
from storage.loyalty import STAMP

Cursor = tuple[datetime, int]


def release(session: Session, after: Cursor, most: int, now: datetime) -> Cursor | None:
    """Let up to so many lots be spent that waited long enough, behind this cursor; the next, None at the end.

    Stamp cards that are full by that become vouchers.
    """
    found = lots.due_for_release(session, now, after, most)
    _do(session, found, lambda lot: lot.pending and lot.available_at <= now, now)
    stamps.fill_many(session, sorted({lot.customer_id for lot in found if lot.currency.startswith(STAMP)}), now)
    return (found[-1].available_at, found[-1].id) if len(found) == most else None


def expire(session: Session, after: Cursor, most: int, now: datetime) -> Cursor | None:
    """Let up to so many lots expire, behind this cursor; the next, None at the end. What is reserved stays."""
    found = lots.due_for_expiry(session, now, after, most)
    _do(session, found, lambda lot: lot.expires_at <= now and lot.free > 0, now)
    return (found[-1].expires_at, found[-1].id) if len(found) == most else None


def lapse(session: Session, most: int, now: datetime) -> bool:
    """End up to so many reservations whose time is over; whether there may be more."""
    found = reservations.overdue(session, now, most)
    people.lock(session, sorted({reservation.customer_id for reservation in found}))
    for reservation in found:
        posting.let_go(session, reservation, reservations.LAPSED, now)
    return len(found) == most


def _do(session: Session, found: Sequence[Lot], is_due: Callable[[Lot], bool], now: datetime) -> None:
    """Hold the owners, look again, and write what is due in these very lots."""
    if not found:
        return
    if people.lock(session, sorted({lot.customer_id for lot in found})):
        found = lots.some(session, [lot.id for lot in found])
    held = [lot for lot in found if is_due(lot)]
    by_currency: dict[str, list[Lot]] = {}
    for lot in held:
        by_currency.setdefault(lot.currency, []).append(lot)
    for currency, those in sorted(by_currency.items()):
        owners = sorted({lot.customer_id for lot in those})
        debts = {customer: each.debt for customer, each in balances.holdings(session, owners, currency).items()}
        postings.write(session, choice.due(those, debts, now))
