"""Support tickets: a number, what is wrong, photos, promises, and an end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm import categories, sla
from crm.categories import Category
from crm.conversations import Reason
from crm.errors import CrmError, Invalid, NotFound
from crm.sla import Kind, Policy, Priority
from storage import conversations, customers, ratings
from storage import tickets as store
from storage.conversations import Standing
from storage.tickets import Photo
from storage.tickets import TicketRow as TicketRow

REOPENS_WITHIN = timedelta(days=7)
"""So long after its end a customer may open a ticket again; later it is a new matter."""
LONGEST_CAUSE = 500


class State(StrEnum):
    """Where a ticket stands: waits for us, waits for the customer, or is done."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class NotReady(CrmError):
    """A ticket cannot be moved on yet."""

    status = 409
    code = "not_ready"


_LIVE = frozenset({State.OPEN, State.ANSWERED})
_STEPS: Mapping[State, frozenset[State]] = {
    State.OPEN: frozenset({State.ANSWERED, State.CLOSED}),
    State.ANSWERED: frozenset({State.OPEN, State.CLOSED}),
    State.CLOSED: frozenset({State.OPEN}),
}
_NEEDS: Mapping[State, tuple[str, ...]] = {State.CLOSED: ("cause",)}
"""What must be known of a ticket before it may come into a state."""
_FIELDS = {"cause": ("nguyên nhân", "its cause")}


def label(number: int) -> str:
    """A ticket's number as people see it: `T12`."""
    return f"T{number}"


def open(
    session: Session,
    customer_id: int,
    conversation_id: int,
    summary: str,
    now: datetime,
    policy: Policy,
    order_id: int | None = None,
) -> int:
    """Start a ticket with its promises, its category guessed; its number, shown as `T12`."""
    row = {
        "customer_id": customer_id, "conversation_id": conversation_id, "state": State.OPEN, "summary": summary,
        "category": categories.guess(summary), "priority": Priority.NORMAL, "order_id": order_id, "cause": "",
        "created_at": now, "updated_at": now, "closed_at": None,
    }  # fmt: skip
    number = store.add(session, row)
    sla.start(session, number, (Kind.FIRST, Kind.RESOLUTION), Priority.NORMAL, now, policy)
    return number


def give_clocks(session: Session, now: datetime, policy: Policy, most: int = 100) -> int:
    """Promise an answer and an end, from now on, to tickets that wait for us since before there were promises.

    How many; may be called by many at once, and again until it is less than `most`.
    """
    found = sla.unclocked(session, State.OPEN, most)
    customers.lock_owners(session.connection(), [ticket.conversation_id for ticket in found])
    for ticket in sla.unclocked(session, State.OPEN, most) if found else ():
        answer = Kind.FIRST if ticket.updated_at == ticket.created_at else Kind.NEXT
        sla.start(session, ticket.id, (answer, Kind.RESOLUTION), Priority(ticket.priority), now, policy)
    return len(found)


def attach(session: Session, number: int, url: str, message_id: str, at: datetime) -> int | None:
    """Put a photo to a ticket; its id, None where this message brought it before. Raises NotFound."""
    find(session, number)
    return store.add_photo(session, number, url, message_id, at)


def answer(session: Session, number: int, now: datetime, policy: Policy) -> bool:
    """Staff answered; False where it stood so already. Raises NotFound, and NotReady for one that is closed.

    Who waited for this ticket alone waits for a person no more.
    """
    return _set(session, number, State.ANSWERED, now, policy)


def close(session: Session, number: int, now: datetime, policy: Policy, cause: str = "") -> bool:
    """The matter is done; False where it was already. Raises NotFound, and NotReady where the cause is missing.

    Who waited for this ticket alone waits for a person no more.
    """
    if len(cause) > LONGEST_CAUSE:
        raise Invalid(
            "cause", f"Nguyên nhân dài quá {LONGEST_CAUSE} ký tự.", f"The cause is over {LONGEST_CAUSE} long."
        )
    given = {"cause": cause.strip()} if cause.strip() else {}
    return _set(session, number, State.CLOSED, now, policy, given)


def reopen(session: Session, number: int, now: datetime, policy: Policy) -> bool:
    """It waits for us again, and so does the customer; False where it did already. Raises NotFound."""
    return _set(session, number, State.OPEN, now, policy)


def staff_answered(session: Session, conversation_id: int, at: datetime, policy: Policy) -> None:
    """Somebody of the brand wrote in this conversation: that answers every ticket of it that waited for us."""
    numbers = [ticket.id for ticket in store.of_conversation(session, conversation_id, {State.OPEN})]
    for number in numbers:
        store.set_state(session, number, State.ANSWERED, at, {})
    sla.answered(session, numbers, at, policy)


def customer_replied(session: Session, conversation_id: int, at: datetime, policy: Policy) -> None:
    """The customer wrote to staff again: their tickets that were answered wait for us anew."""
    for ticket in store.of_conversation(session, conversation_id, {State.ANSWERED}):
        reopened_by_customer(session, ticket, at, policy)


def reopened_by_customer(session: Session, ticket: TicketRow, at: datetime, policy: Policy) -> None:
    """The customer says that it is not done; that they wait for a person is for the caller to note."""
    if store.set_state(session, ticket.id, State.OPEN, at, {"closed_at": None}):
        sla.waits_again(session, ticket.id, Priority(ticket.priority), at, policy)
        ratings.unplan(session, ticket.id)


def correct_category(session: Session, number: int, category: Category) -> bool:
    """The matter is about something else than was guessed; False where it stood so. Raises NotFound."""
    if find(session, number).category == category:
        return False
    store.change(session, number, {"category": category})
    return True


def set_priority(session: Session, number: int, priority: Priority, now: datetime, policy: Policy) -> bool:
    """It is more or less urgent, and its clocks with it; False where it stood so. Raises NotFound."""
    customers.lock_owners(session.connection(), [find(session, number).conversation_id])
    if find(session, number).priority == priority:
        return False
    store.change(session, number, {"priority": priority})
    sla.retarget(session, number, priority, now, policy)
    return True


def find(session: Session, number: int) -> TicketRow:
    """One ticket. Raises NotFound."""
    ticket = store.find(session, number)
    if ticket is None:
        raise NotFound(f"Không có phiếu {label(number)}.", f"There is no ticket {label(number)}.", field="ticket")
    return ticket


def photos(session: Session, number: int) -> list[Photo]:
    """A ticket's photos in the order they came."""
    return store.photos(session, number)


def latest(session: Session, customer_id: int) -> TicketRow | None:
    """The customer's newest ticket that is not closed."""
    return next(iter(store.of_customer(session, customer_id, _LIVE, 1)), None)


def reopenable(session: Session, customer_id: int, now: datetime) -> TicketRow | None:
    """The customer's newest ticket that ended so lately that it may be opened again."""
    return next(
        (one for one in store.of_customer(session, customer_id, {State.CLOSED}, 1) if may_reopen(one, now)), None
    )


def may_reopen(ticket: TicketRow, now: datetime) -> bool:
    """Whether the customer may open this ticket again."""
    return ticket.closed_at is not None and now - ticket.closed_at <= REOPENS_WITHIN


def has_live(session: Session, conversation_id: int) -> bool:
    """Whether a ticket of this conversation goes on."""
    return bool(store.of_conversation(session, conversation_id, _LIVE))


def of_customer(session: Session, customer_id: int, most: int = 10) -> list[TicketRow]:
    """A customer's tickets, newest first, closed ones too."""
    return store.of_customer(session, customer_id, frozenset(State), most)


def waiting(session: Session, most: int = 50) -> list[TicketRow]:
    """Tickets that wait for us, oldest first."""
    return store.in_state(session, State.OPEN, most)


def carry_over(session: Session, source: int, target: int, conversation_id: int | None = None) -> None:
    """All tickets of one customer become another's; or those of one conversation alone."""
    store.move(session, source, target, conversation_id)


def _set(
    session: Session, number: int, state: State, now: datetime, policy: Policy, given: Mapping[str, str] | None = None
) -> bool:
    customers.lock_owners(session.connection(), [find(session, number).conversation_id])
    before = find(session, number)
    if before.state == state:
        return False
    _check(before, state, given or {})
    closed_at = now if state is State.CLOSED else None
    store.set_state(session, number, state, now, {**(given or {}), "closed_at": closed_at})
    if state is State.OPEN:
        sla.waits_again(session, number, Priority(before.priority), now, policy)
        ratings.unplan(session, number)
    elif state is State.ANSWERED:
        sla.answered(session, [number], now, policy)
    else:
        sla.closed(session, [number], now, policy)
        ratings.plan(session, number, before.conversation_id, now)
    _let_wait(session, before, state, now)
    return True


def _check(ticket: TicketRow, state: State, given: Mapping[str, str]) -> None:
    """Raise NotReady where the ticket may not come into this state, with what is missing."""
    name = label(ticket.id)
    if state not in _STEPS[State(ticket.state)]:
        raise NotReady(f"Phiếu {name} đã đóng: mở lại trước đã.", f"Ticket {name} is closed: reopen it first.")
    missing = [_FIELDS[field] for field in _NEEDS.get(state, ()) if not (given.get(field) or getattr(ticket, field))]
    if missing:
        vi, en = (", ".join(words) for words in zip(*missing, strict=True))
        raise NotReady(f"Phiếu {name} chưa đóng được, thiếu: {vi}.", f"Ticket {name} cannot be closed, it lacks: {en}.")


def _let_wait(session: Session, before: TicketRow, state: State, now: datetime) -> None:
    """Let the customer's waiting follow the ticket.

    A ticket ends only the waiting that it began. Who asked for a person, or wrote after staff did, goes on waiting, and
    so does who opened another ticket meanwhile. While staff hold the conversation, it is theirs to end.
    """
    (conversation,) = conversations.some(session, [before.conversation_id])
    since = conversation.waiting_since
    if conversation.holder != conversations.BOT:
        return
    if since is None and state is State.OPEN:
        row = {"id": conversation.id, "waiting_since": now, "reason": Reason.TICKET.value}
        conversations.set_conversations(session, [row])
    elif since is not None and before.state == State.OPEN and _began(before, conversation):
        since = store.earliest(session, conversation.id, State.OPEN, since)
        conversations.set_conversations(session, [{"id": conversation.id, "waiting_since": since}])


def _began(ticket: TicketRow, waiting: Standing) -> bool:
    """Whether the customer waits because of tickets; where no reason was kept, whether because of this one."""
    if waiting.reason:
        return waiting.reason == Reason.TICKET
    return waiting.waiting_since == ticket.updated_at
