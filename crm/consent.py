"""What a customer allows us, and what they ask us to do with their data."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from storage import consent as store
from storage import customers
from storage.consent import Consent, RequestRow

MARKETING = "marketing"
GRANTED = "granted"
WITHDRAWN = "withdrawn"

ERASE = "erase"
OPEN = "open"
ERASE_WITHIN = timedelta(days=20)
"""How long Decree 356/2025 leaves for an erasure."""


def say(
    session: Session,
    customer_id: int,
    *,
    granted: bool,
    at: datetime,
    purpose: str = MARKETING,
    channel: str = "",
    wording: str = "",
    message_id: str = "",
) -> None:
    """The customer said yes or no at this moment; what was said later stands."""
    customers.lock(session, [customer_id])
    store.add(
        session,
        {
            "customer_id": customer_id, "purpose": purpose, "granted": granted, "channel": channel,
            "wording": wording, "message_id": message_id, "at": at,
        },
    )  # fmt: skip
    if purpose == MARKETING:
        customers.change(session, customer_id, marketing=_word(session, customer_id))


def entries(session: Session, customer_id: int) -> list[Consent]:
    """Everything that a customer agreed to and took back, oldest first."""
    return store.entries(session, customer_id)


def request_erasure(session: Session, customer_id: int, identity_id: int | None, now: datetime) -> bool:
    """Note that a customer wants to be forgotten; False where such a request is open already."""
    customers.lock(session, [customer_id])
    if store.open_request(session, customer_id, ERASE, OPEN):
        return False
    store.add_request(
        session,
        {
            "customer_id": customer_id, "identity_id": identity_id, "kind": ERASE, "requested_at": now,
            "due_at": now + ERASE_WITHIN, "state": OPEN,
        },
    )  # fmt: skip
    return True


def awaits_erasure(session: Session, customer_id: int) -> bool:
    """Whether a customer's request to be forgotten is open."""
    return store.open_request(session, customer_id, ERASE, OPEN) is not None


def withdraw_erasure(session: Session, customer_id: int) -> bool:
    """The customer wants to be forgotten no more: the request stays as history. False where none is open."""
    customers.lock(session, [customer_id])
    return store.set_requests(session, customer_id, ERASE, OPEN, WITHDRAWN) > 0


def open_requests(session: Session) -> list[RequestRow]:
    """Requests that wait to be done, the soonest due first."""
    return store.requests(session, OPEN)


def carry_over(session: Session, source: int, target: int, was: tuple[str, str]) -> None:
    """Move one customer's entries and requests to another; `was` are their marketing words, and the later one stays.

    Where neither word has an entry that dates it, a no outweighs a yes.
    """
    store.move(session, source, target)
    word = _word(session, target) or next((word for word in (WITHDRAWN, GRANTED) if word in was), "")
    customers.change(session, target, marketing=word)


def _word(session: Session, customer_id: int) -> str:
    granted = store.last_word(session, customer_id, MARKETING)
    return "" if granted is None else GRANTED if granted else WITHDRAWN
