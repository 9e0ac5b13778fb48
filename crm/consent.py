"""What a customer allows us, and what they ask us to do with their data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm.messages import Purpose
from storage import consent as store
from storage import customers
from storage.consent import Consent, RequestRow

MARKETING = "marketing"
CARE = "care"
GRANTED = "granted"
WITHDRAWN = "withdrawn"

_ASKED: Mapping[Purpose, tuple[str, ...]] = {Purpose.BROADCAST: (MARKETING,), Purpose.CARE: (CARE, MARKETING)}
"""What must have been allowed; of several, the first to which the customer said a word decides."""

ERASE = "erase"
OPEN = "open"
ERASE_WITHIN = timedelta(days=20)
"""How long Decree 356/2025 leaves for an erasure."""


class Standing(StrEnum):
    """How a customer stands to being written to. NONE: they never said a word about it."""

    GRANTED = GRANTED
    WITHDRAWN = WITHDRAWN
    NONE = ""


def standing(session: Session, customer_ids: Collection[int], purpose: Purpose, channel: str) -> dict[int, Standing]:
    """How each of these customers stands to messages for CARE or BROADCAST on this channel; one statement.

    The latest word about this channel or about all counts, a no before a yes in the same moment. A word to care stands
    for itself; who never said one to it stands to it as to marketing.
    """
    words = store.standings(session, customer_ids, _ASKED[purpose], channel)
    return {customer_id: _STANDINGS[words.get(customer_id)] for customer_id in customer_ids}


_STANDINGS = {True: Standing.GRANTED, False: Standing.WITHDRAWN, None: Standing.NONE}


def say(
    session: Session,
    customer_id: int,
    *,
    granted: bool,
    at: datetime,
    purpose: str = MARKETING,
    channel: str = "",
    covers: str | None = None,
    wording: str = "",
    message_id: str = "",
) -> None:
    """The customer said yes or no at this moment; what was said later stands.

    `channel` is where it was said, "" outside of the chats. `covers` is the channel that it is about, "" all of them;
    unless told otherwise a yes is about where it was said, and a no about all.
    """
    customers.lock(session, [customer_id])
    store.add(
        session,
        {
            "customer_id": customer_id, "purpose": purpose, "granted": granted, "channel": channel,
            "covers": (channel if granted else "") if covers is None else covers, "wording": wording,
            "message_id": message_id, "at": at,
        },
    )  # fmt: skip
    if purpose == MARKETING:
        customers.change(session, customer_id, marketing=_word(session, customer_id))


def stop(
    session: Session, customer_id: int, *, at: datetime, channel: str = "", wording: str = "", message_id: str = ""
) -> None:
    """The customer wants neither marketing nor care any more, on no channel."""
    for purpose in (MARKETING, CARE):
        say(
            session, customer_id, granted=False, at=at, purpose=purpose, channel=channel, wording=wording,
            message_id=message_id,
        )  # fmt: skip


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
