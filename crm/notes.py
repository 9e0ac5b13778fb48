"""Notes of staff about customers: short, theirs alone, and never a customer's to read."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm.errors import Invalid, NotFound
from storage import customers
from storage import notes as store
from storage.notes import Note

LONGEST = 1000


def write(session: Session, customer_id: int, staff_id: int, text: str, at: datetime) -> int:
    """Keep a note; its id. Raises Invalid where nothing is left of it or it is too long."""
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise Invalid("note", f"Ghi chú cần từ 1 đến {LONGEST} ký tự.", f"A note has 1 to {LONGEST} characters.")
    customers.lock(session, [customer_id])
    return store.add(session, customer_id, staff_id, text, at)


def take_away(session: Session, customer_id: int, staff_id: int, at: datetime) -> int:
    """Take away the last note that this member of staff wrote about them; its id. Raises NotFound."""
    customers.lock(session, [customer_id])
    gone = store.take_away(session, customer_id, staff_id, at)
    if gone is None:
        raise NotFound("Bạn chưa ghi chú gì về khách này.", "You have no note about this customer.")
    return gone


def latest(session: Session, customer_id: int, most: int = 5) -> list[Note]:
    """A customer's last notes, the newest first."""
    return store.latest(session, customer_id, most)


def carry_over(session: Session, source: int, target: int) -> None:
    """All notes about one customer are about another."""
    store.move(session, source, target)
