"""The ledger of points: how they come, are spent, taken back, given back and passed on, each fact once.

Whatever changes a customer's points holds that customer first; several are held in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from crm import lots as choice
from crm import posting
from crm.errors import NotFound
from crm.posting import MOST as MOST
from crm.posting import Fact as Fact
from crm.posting import Frozen as Frozen
from crm.posting import Kind as Kind
from crm.posting import NotEnough as NotEnough
from crm.posting import Posted as Posted
from crm.posting import Terms as Terms
from storage import balances, lots, loyalty, members, postings, reservations
from storage import customers as people
from storage.balances import Holding as Holding
from storage.columns import new_id
from storage.lots import FOREVER as FOREVER
from storage.lots import Lot as Lot
from storage.loyalty import QUALIFY as QUALIFY
from storage.loyalty import SPEND as SPEND
from storage.loyalty import STAMP as STAMP
from storage.loyalty import Entry as Entry
from storage.postings import NewLot, Posting, Use

_MOST_QUALIFYING = 100_000
"""Of a customer who turns out to be another: entries of what qualifies, each of which keeps its day."""


def holding(session: Session, customer_id: int, currency: str = SPEND) -> Holding:
    """What a customer holds, in one read however long their history is."""
    return balances.holding(session, customer_id, currency)


def earn(
    session: Session,
    customer_id: int,
    points: int,
    fact: Fact,
    currency: str = SPEND,
    terms: Terms | None = None,
    kind: Kind = Kind.EARN,
) -> Posted:
    """Give points on these terms. What is available at once first repays what the customer owes."""
    posting.check(points, currency)
    people.lock(session, [customer_id])
    if done := posting.repeated(session, customer_id, currency, kind, points, fact.key):
        return done
    members.join(session, [customer_id], fact.now)
    if currency == QUALIFY:
        return posting.written(session, posting.new(customer_id, currency, kind, points, fact))
    terms = terms or Terms()
    pending = terms.available_at is not None and terms.available_at > fact.now
    available_at = terms.available_at or fact.happened_at or fact.now
    lot = NewLot(new_id(), points, fact.order_id, pending, available_at, terms.expires_at)
    debt = 0 if pending or terms.expires_at <= fact.now else holding(session, customer_id, currency).debt
    uses = choice.repay([(lot.id, points)], debt)
    given = posting.new(
        customer_id, currency, kind, points, fact, new_lots=(lot,), uses=tuple(uses), pending=points if pending else 0
    )
    done = posting.written(session, given)
    if terms.expires_at <= fact.now:
        posting.caught_up(session, customer_id, currency, fact.now)
    return done


def take_back(
    session: Session, customer_id: int, points: int, fact: Fact, currency: str = SPEND, reverses: int | None = None
) -> Posted:
    """Take back what a fact had brought: from the lots of its order, or of the entry that it reverses, first those that
    wait; then from what expires soonest; the rest becomes debt, which later points repay. Never lacks points."""
    posting.check(points, currency)
    people.lock(session, [customer_id])
    if done := posting.repeated(session, customer_id, currency, Kind.REVERSE, -points, fact.key):
        return done
    if currency == QUALIFY:
        back = posting.new(customer_id, currency, Kind.REVERSE, -points, fact, reverses=reverses)
        return posting.written(session, back)
    found = posting.caught_up(session, customer_id, currency, fact.now)
    own = {lot.id for lot in found if reverses is not None and lot.entry_id == reverses}
    own |= {lot.id for lot in found if fact.order_id is not None and lot.order_id == fact.order_id}
    source = choice.taking_back(found, own, fact.now)
    uses, owed = choice.take(source, points)
    waiting = {lot.id for lot in source if lot.pending}
    from_waiting = sum(use.points for use in uses if use.lot_id in waiting)
    if owed:
        uses.append(Use(None, -owed))
    return posting.written(
        session,
        posting.new(
            customer_id, currency, Kind.REVERSE, -points, fact, uses=tuple(uses), pending=from_waiting,
            reverses=reverses,
        ),
    )  # fmt: skip


def redeem(
    session: Session, customer_id: int, points: int, fact: Fact, currency: str = SPEND, kind: Kind = Kind.REDEEM
) -> Posted:
    """Spend points, the soonest expiring first. Raises NotEnough and, but for adjustments, Frozen."""
    posting.check(points, currency, spends=True)
    people.lock(session, [customer_id])
    if done := posting.repeated(session, customer_id, currency, kind, -points, fact.key):
        return done
    if kind is Kind.REDEEM:
        posting.refuse_frozen(session, customer_id)
    uses = posting.chosen(session, customer_id, points, currency, fact.now)
    return posting.written(session, posting.new(customer_id, currency, kind, -points, fact, uses=tuple(uses)))


def reinstate(session: Session, entry_id: int, fact: Fact, at_least_until: datetime | None = None) -> Posted:
    """Undo a redemption: the very lots get their points back, with their expiry.

    What would be gone before `at_least_until` becomes a lot of its own that lives until then. Once for a redemption,
    whatever the fact's key. Raises NotFound where the entry is no redemption.
    """
    entry = loyalty.one(session, entry_id)
    if entry is None or entry.kind != Kind.REDEEM:
        raise NotFound("Không có lần đổi điểm này.", "There is no such redemption.", field="redemption")
    people.lock(session, [entry.customer_id])
    key, points = f"reinstate:{entry_id}", -entry.points
    if done := posting.repeated(session, entry.customer_id, entry.currency, Kind.REINSTATE, points, key):
        return done
    posting.caught_up(session, entry.customer_id, entry.currency, fact.now)
    used = [(use.lot_id, -use.points) for use in lots.uses_of(session, entry_id) if use.lot_id is not None]
    soon = max(fact.now, at_least_until or fact.now)
    back, fresh = _given_back(lots.some(session, [lot_id for lot_id, _ in used]), dict(used), soon, fact.now)
    free = [*((use.lot_id, use.points) for use in back), *((lot.id, lot.points) for lot in fresh)]
    debt = holding(session, entry.customer_id, entry.currency).debt
    uses = [*back, *choice.repay([(lot_id, some) for lot_id, some in free if lot_id is not None], debt)]
    given = posting.new(
        entry.customer_id, entry.currency, Kind.REINSTATE, points, fact, key=key, order_id=entry.order_id,
        reverses=entry_id, new_lots=tuple(fresh), uses=tuple(uses),
    )  # fmt: skip
    return posting.written(session, given)


def transfer(session: Session, source: int, target: int, now: datetime, key: str) -> None:
    """All that one customer holds becomes another's, who they turned out to be: lots with their times, and debts.

    Reservations of the source end. The caller holds both.
    """
    for reservation in reservations.open_of(session, source):
        posting.let_go(session, reservation, reservations.CANCELLED, now)
    held = {currency: holding(session, source, currency) for currency in balances.currencies(session, source)}
    if any(held.values()):
        members.join(session, [target], now)
    for currency, what in held.items():
        fact = Fact(key=f"{key}:{currency}", now=now, reason="join")
        if currency == QUALIFY:
            postings.write(session, _qualified(session, source, target, fact))
            continue
        open_lots = lots.open_lots(session, source, currency)
        if what.balance or what.debt or open_lots:
            postings.write(session, _passed_on(source, target, currency, what, open_lots, fact))
            posting.repay_free(session, target, currency, now, fact.key)


def is_known(session: Session, key: str) -> bool:
    """Whether this fact was told before."""
    return loyalty.by_key(session, key) is not None


def catch_up(session: Session, customer_id: int, now: datetime, currency: str = SPEND) -> None:
    """Write down all that is due in a customer's points by now."""
    people.lock(session, [customer_id])
    posting.caught_up(session, customer_id, currency, now)


def freeze(session: Session, customer_id: int, reason: str, now: datetime) -> None:
    """From now on these points cannot be spent; they are still earned, taken back and expire."""
    people.lock(session, [customer_id])
    members.join(session, [customer_id], now)
    members.set_member(session, customer_id, frozen_at=now, frozen_reason=reason)


def unfreeze(session: Session, customer_id: int) -> None:
    """These points can be spent again."""
    people.lock(session, [customer_id])
    members.set_member(session, customer_id, frozen_at=None, frozen_reason="")


def _given_back(
    found: Sequence[Lot], points: dict[int, int], soon: datetime, now: datetime
) -> tuple[list[Use], list[NewLot]]:
    """Points given back into their lots, and those that get a lot of their own for their time is over too soon."""
    back = [Use(lot.id, points[lot.id]) for lot in found if lot.expires_at > now and lot.expires_at >= soon]
    fresh = [
        NewLot(new_id(), points[lot.id], lot.order_id, False, now, soon)
        for lot in found
        if not (lot.expires_at > now and lot.expires_at >= soon)
    ]
    return back, fresh


def _qualified(session: Session, source: int, target: int, fact: Fact) -> list[Posting]:
    """What qualifies is passed on entry by entry, for each counts on its own day."""
    return [
        posting.new(
            customer_id, QUALIFY, Kind.TRANSFER, points, fact, key=f"{fact.key}:{entry.id}:{side}",
            happened_at=entry.effective_at,
        )
        for entry in loyalty.latest(session, source, _MOST_QUALIFYING, QUALIFY)
        for customer_id, points, side in ((source, -entry.points, "from"), (target, entry.points, "to"))
    ]  # fmt: skip


def _passed_on(
    source: int, target: int, currency: str, held: Holding, open_lots: Sequence[Lot], fact: Fact
) -> list[Posting]:
    away = [Use(lot.id, -lot.remaining) for lot in open_lots]
    here = tuple(
        NewLot(new_id(), lot.remaining, lot.order_id, lot.pending, lot.available_at, lot.expires_at)
        for lot in open_lots
    )
    owed = [Use(None, held.debt)] if held.debt else []
    taken_on = (Use(None, -held.debt),) if held.debt else ()
    return [
        posting.new(
            source, currency, Kind.TRANSFER, -held.balance, fact, key=f"{fact.key}:from", pending=-held.pending,
            uses=(*away, *owed),
        ),
        posting.new(
            target, currency, Kind.TRANSFER, held.balance, fact, key=f"{fact.key}:to", pending=held.pending,
            new_lots=here, uses=taken_on,
        ),
    ]  # fmt: skip
