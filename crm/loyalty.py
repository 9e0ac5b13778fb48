"""Points as customers and staff see them: what somebody holds, and how that came about."""

from __future__ import annotations

from sqlmodel import Session

from crm import ledger
from storage import loyalty as store
from storage.loyalty import Entry


def balance(session: Session, customer_id: int) -> int:
    """The points that a customer holds, with those that wait and less those that they owe."""
    return ledger.holding(session, customer_id).balance


def history(session: Session, customer_id: int, most: int = 10) -> list[Entry]:
    """A customer's last entries that changed how many points they hold, newest first."""
    return store.latest(session, customer_id, most)
