"""Reservations of points: set aside for a while, then spent or let go, each once."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm import posting
from crm.errors import Conflict, Invalid, NotFound
from crm.posting import Fact, KeyTaken, Kind, Posted
from storage import balances, lots
from storage import customers as people
from storage import reservations as store
from storage.balances import Holding
from storage.columns import new_id
from storage.loyalty import SPEND
from storage.postings import Use
from storage.reservations import Reservation as Reservation


def reserve(
    session: Session, customer_id: int, points: int, fact: Fact, until: datetime, currency: str = SPEND
) -> Reservation:
    """Set points aside until then; the same fact again finds what it made. Raises NotEnough, Frozen, KeyTaken."""
    posting.check(points, currency, spends=True)
    if until <= fact.now:
        raise Invalid("expires_at", "Thời hạn giữ điểm đã qua.", "A reservation must end later than now.")
    people.lock(session, [customer_id])
    if found := store.by_key(session, fact.key):
        if (found.customer_id, found.currency, found.points) != (customer_id, currency, points):
            raise KeyTaken
        return found
    posting.refuse_frozen(session, customer_id)
    uses = posting.chosen(session, customer_id, points, currency, fact.now)
    held = [(use.lot_id, -use.points) for use in uses if use.lot_id is not None]
    row = {
        "id": new_id(), "source_key": fact.key, "customer_id": customer_id, "currency": currency, "points": points,
        "state": store.OPEN, "reason": fact.reason, "actor": fact.actor, "entry_id": None, "created_at": fact.now,
        "expires_at": until,
    }  # fmt: skip
    if not store.add(session, row, held):
        raise KeyTaken
    lots.move(session, {lot_id: (0, some) for lot_id, some in held})
    balances.change(session, {(customer_id, currency): Holding(held=points)})
    return Reservation(*(row[name] for name in Reservation._fields))  # type: ignore[arg-type]


def spend(session: Session, reservation_id: int, now: datetime, actor: str = "") -> Posted:
    """Spend what was set aside; again, it finds what it did. Raises Conflict where the reservation ended otherwise."""
    found = find(session, reservation_id)
    people.lock(session, [found.customer_id])
    found = find(session, reservation_id)
    key = f"redeem:{found.source_key}"
    if found.state == store.COMMITTED:
        done = posting.repeated(session, found.customer_id, found.currency, Kind.REDEEM, -found.points, key)
        assert done is not None
        return done
    if found.state != store.OPEN or found.expires_at <= now:
        posting.caught_up(session, found.customer_id, found.currency, now)
        raise _ended(found)
    posting.refuse_frozen(session, found.customer_id)
    uses = tuple(Use(lot_id, -points, held=True) for lot_id, points in store.lots_of(session, reservation_id))
    fact = Fact(key=key, now=now, reason=found.reason, actor=actor or found.actor)
    spent = posting.new(found.customer_id, found.currency, Kind.REDEEM, -found.points, fact, uses=uses)
    done = posting.written(session, spent)
    store.end(session, reservation_id, store.COMMITTED, done.entry_id)
    return done


def cancel(session: Session, reservation_id: int, now: datetime) -> Reservation:
    """Let go of what was set aside. Called again it changes nothing. Raises Conflict where it is spent already."""
    found = find(session, reservation_id)
    people.lock(session, [found.customer_id])
    found = find(session, reservation_id)
    if found.state == store.COMMITTED:
        raise _ended(found)
    posting.let_go(session, found, store.CANCELLED, now)
    posting.caught_up(session, found.customer_id, found.currency, now)
    return find(session, reservation_id)


def find(session: Session, reservation_id: int) -> Reservation:
    """One reservation. Raises NotFound."""
    found = store.one(session, reservation_id)
    if found is None:
        raise NotFound("Không có lần giữ điểm này.", "There is no such reservation.", field="reservation")
    return found


def _ended(reservation: Reservation) -> Conflict:
    words = {
        store.COMMITTED: ("Điểm này đã được dùng.", "These points are spent already."),
        store.CANCELLED: ("Lần giữ điểm này đã hủy.", "This reservation was cancelled."),
    }
    lapsed = ("Lần giữ điểm này đã hết hạn.", "This reservation's time is over.")
    return Conflict(*words.get(reservation.state, lapsed), field="reservation")
