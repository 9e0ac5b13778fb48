"""Which lots points are taken from, and what becomes due in them: decided on lots as read, nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from storage.lots import Lot
from storage.postings import Posting, Use

RELEASE = "release"
EXPIRE = "expire"


def spendable(lots: Iterable[Lot], now: datetime) -> list[Lot]:
    """Those that can be spent now, the soonest expiring first, then the oldest."""
    found = (lot for lot in lots if not lot.pending and lot.free > 0 and lot.expires_at > now)
    return sorted(found, key=lambda lot: (lot.expires_at, lot.id))


def take(lots: Sequence[Lot], points: int) -> tuple[list[Use], int]:
    """Take points from these lots, in their order; the uses, and what they did not have."""
    uses: list[Use] = []
    for lot in lots:
        if points == 0:
            break
        some = min(points, lot.free)
        if some:
            uses.append(Use(lot.id, -some))
            points -= some
    return uses, points


def taking_back(lots: Sequence[Lot], own: Collection[int], now: datetime) -> list[Lot]:
    """The order in which points are taken back: from its own lots that wait, its other ones, then whatever expires
    soonest. Lots of others that wait are left alone."""
    usable = spendable(lots, now)
    return [
        *(lot for lot in lots if lot.id in own and lot.pending and lot.free > 0),
        *(lot for lot in usable if lot.id in own),
        *(lot for lot in usable if lot.id not in own),
    ]


def repay(lots: Iterable[tuple[int, int]], debt: int) -> list[Use]:
    """Pay a debt from these (lot, points), as far as they go."""
    uses: list[Use] = []
    paid = 0
    for lot_id, points in lots:
        some = min(points, debt - paid)
        if some > 0:
            uses.append(Use(lot_id, -some))
            paid += some
    return [*uses, Use(None, paid)] if paid else []


def due(lots: Sequence[Lot], debts: dict[int, int], now: datetime) -> list[Posting]:
    """What is due in these lots now, the oldest facts first: what waited long enough counts, what expired is gone.

    `debts` holds what each customer owes, and is brought down as points come free.
    """
    postings: list[Posting] = []
    for lot in sorted(lots, key=lambda lot: (lot.available_at, lot.id)):
        if lot.pending and lot.available_at <= now:
            is_alive = lot.expires_at > now
            uses = repay([(lot.id, lot.free)], debts.get(lot.customer_id, 0)) if is_alive else []
            paid = sum(use.points for use in uses if use.lot_id is None)
            debts[lot.customer_id] = debts.get(lot.customer_id, 0) - paid
            postings.append(_released(lot, tuple(uses), now))
    over = (lot for lot in lots if lot.expires_at <= now and lot.free > 0)
    ready = (lot for lot in over if not lot.pending or lot.available_at <= now)
    return [*postings, *(_expired(lot, now) for lot in sorted(ready, key=lambda lot: (lot.expires_at, lot.id)))]


def _released(lot: Lot, uses: tuple[Use, ...], now: datetime) -> Posting:
    return Posting(
        customer_id=lot.customer_id, currency=lot.currency, kind=RELEASE, points=0, pending=-lot.remaining,
        key=f"release:{lot.id}", at=now, effective_at=lot.available_at, order_id=lot.order_id, uses=uses,
        released=(lot.id,),
    )  # fmt: skip


def _expired(lot: Lot, now: datetime) -> Posting:
    return Posting(
        customer_id=lot.customer_id, currency=lot.currency, kind=EXPIRE, points=-lot.free,
        key=f"expire:{lot.id}:{lot.remaining}", at=now, effective_at=lot.expires_at, order_id=lot.order_id,
        uses=(Use(lot.id, -lot.free),),
    )  # fmt: skip
