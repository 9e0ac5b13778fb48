"""Support tickets: a number, what is wrong, photos, and an end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from crm.errors import NotFound
from storage import conversations, customers
from storage import tickets as store
from storage.tickets import Photo, TicketRow


class State(StrEnum):
    """Where a ticket stands: waits for us, waits for the customer, or is done."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


_LIVE = frozenset({State.OPEN, State.ANSWERED})


def open(session: Session, customer_id: int, conversation_id: int, summary: str, now: datetime) -> int:
    """Start a ticket; its number, shown as `#12`."""
    return store.add(session, customer_id, conversation_id, State.OPEN, summary, now)


def attach(session: Session, number: int, url: str, message_id: str, at: datetime) -> bool:
    """Put a photo to a ticket; False where this message brought it before. Raises NotFound."""
    find(session, number)
    return store.add_photo(session, number, url, message_id, at)


def answer(session: Session, number: int, now: datetime) -> bool:
    """Staff answered; False where it stood so already. Raises NotFound.

    Who waited for this ticket alone waits for a person no more.
    """
    return _set(session, number, State.ANSWERED, now)


def close(session: Session, number: int, now: datetime) -> bool:
    """The matter is done; False where it was already. Raises NotFound.

    Who waited for this ticket alone waits for a person no more.
    """
    return _set(session, number, State.CLOSED, now)


def reopen(session: Session, number: int, now: datetime) -> bool:
    """It waits for us again, and so does the customer; False where it did already. Raises NotFound."""
    return _set(session, number, State.OPEN, now)


def find(session: Session, number: int) -> TicketRow:
    """One ticket. Raises NotFound."""
    ticket = store.find(session, number)
    if ticket is None:
        raise NotFound(f"Không có phiếu #{number}.", f"There is no ticket #{number}.", field="ticket")
    return ticket


def photos(session: Session, number: int) -> list[Photo]:
    """A ticket's photos in the order they came."""
    return store.photos(session, number)


def latest(session: Session, customer_id: int) -> TicketRow | None:
    """The customer's newest ticket that is not closed."""
    return next(iter(store.of_customer(session, customer_id, _LIVE, 1)), None)


def of_customer(session: Session, customer_id: int, most: int = 10) -> list[TicketRow]:
    """A customer's tickets, newest first, closed ones too."""
    return store.of_customer(session, customer_id, frozenset(State), most)


def waiting(session: Session, most: int = 50) -> list[TicketRow]:
    """Tickets that wait for us, oldest first."""
    return store.in_state(session, State.OPEN, most)


def carry_over(session: Session, source: int, target: int) -> None:
    """All tickets of one customer become another's."""
    store.move(session, source, target)


def _set(session: Session, number: int, state: State, now: datetime) -> bool:
    customers.lock_owners(session.connection(), [find(session, number).conversation_id])
    before = find(session, number)
    changed = store.set_state(session, number, state, now)
    if changed:
        _let_wait(session, before, state, now)
    return changed


def _let_wait(session: Session, before: TicketRow, state: State, now: datetime) -> None:
    """Let the customer's waiting follow the ticket.

    A ticket ends only the waiting that it began. Who asked for a person, or wrote after staff did, goes on waiting, and
    so does who opened another ticket meanwhile. While staff hold the conversation, it is theirs to end.
    """
    (conversation,) = conversations.some(session, [before.conversation_id])
    since = conversation.waiting_since
    if conversation.holder != conversations.BOT:
        return
    if state is State.OPEN:
        since = since or now
    elif before.state == State.OPEN and since == before.updated_at:
        since = store.earliest(session, conversation.id, State.OPEN, since)
    if since != conversation.waiting_since:
        conversations.set_conversations(session, [{"id": conversation.id, "waiting_since": since}])
