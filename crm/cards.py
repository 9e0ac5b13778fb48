"""A customer on one card: who they are, how they are reached, what they hold, what is open, what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from crm import fields, loyalty, notes, orders, sla, tags, tickets
from crm.orders import Status
from storage import customers, search
from storage.customers import Person, Profile
from storage.notes import Note
from storage.orders import OrderRow
from storage.tickets import TicketRow

OPEN = (Status.PENDING, Status.CONFIRMED, Status.SHIPPING)
CHATS = 3
LOOKED_AT = 10
"""So many of the last orders and tickets are looked at for open ones."""


@dataclass(frozen=True, slots=True)
class Card:
    """What staff see of a customer at once. `promise` is when an answer was promised, the earliest."""

    profile: Profile
    chats: list[Person]
    loyalty: loyalty.Card
    orders: list[OrderRow]
    tickets: list[TicketRow]
    promise: datetime | None
    note: Note | None
    tags: list[str]
    fields: list[tuple[str, str]]


def of(session: Session, customer_id: int, now: datetime) -> Card:
    """The card of a customer who is there, in some two dozen reads by index however much is known of them."""
    profile = customers.profile(session, customer_id)
    assert profile is not None
    chats = [customers.person(session, each) for each in search.chats(session, customer_id, CHATS)]
    open_tickets = [
        each for each in tickets.of_customer(session, customer_id, LOOKED_AT) if each.state != tickets.State.CLOSED
    ]
    promises = sla.promises(session, [each.id for each in open_tickets]) if open_tickets else {}
    return Card(
        profile=profile,
        chats=[each for each in chats if each is not None],
        loyalty=loyalty.card(session, customer_id, now),
        orders=[each for each in orders.recent(session, customer_id, LOOKED_AT) if each.status in OPEN],
        tickets=open_tickets,
        promise=min(promises.values(), default=None),
        note=next(iter(notes.latest(session, customer_id, 1)), None),
        tags=[each.name for each in tags.of_customer(session, customer_id)],
        fields=fields.of_customer(session, customer_id),
    )
