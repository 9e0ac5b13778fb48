"""Postings: entries with everything that they change, written together, one or thousands with the same statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from storage import balances, engines, lots, loyalty
from storage.balances import Holding


class NewLot(NamedTuple):
    """A lot that a posting brings."""

    id: int
    points: int
    order_id: int | None
    pending: bool
    available_at: datetime
    expires_at: datetime


class Use(NamedTuple):
    """By how much a posting changes a lot; without one, the debt. `held` points end their reservation with it."""

    lot_id: int | None
    points: int
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One entry and what comes with it. The points of its new lots and of its uses add up to its own."""

    customer_id: int
    currency: str
    kind: str
    points: int
    key: str
    at: datetime
    effective_at: datetime
    reason: str = ""
    order_id: int | None = None
    reverses: int | None = None
    programme: int | None = None
    actor: str = ""
    pending: int = 0
    new_lots: tuple[NewLot, ...] = ()
    uses: tuple[Use, ...] = ()
    released: tuple[int, ...] = ()


def write(session: Session, postings: Sequence[Posting]) -> dict[str, int]:
    """Write postings whose facts are new, with lots, uses and balances; the entries' ids by key.

    The caller holds the customers. A fact that is there already changes nothing.
    """
    if not postings:
        return {}
    entries = loyalty.add_many(session, [_entry(each) for each in postings])
    fresh = [each for each in postings if each.key in entries]
    lots.release(session, [lot for each in fresh for lot in each.released])
    with engines.together(session.connection()):
        _write_rest(session, fresh, entries)
    return entries


def _write_rest(session: Session, fresh: Sequence[Posting], entries: Mapping[str, int]) -> None:
    lots.add_many(session, [_lot(each, lot, entries[each.key]) for each in fresh for lot in each.new_lots])
    lots.add_uses(
        session,
        [
            {"entry_id": entries[each.key], "lot_id": use.lot_id, "points": use.points}
            for each in fresh
            for use in each.uses
        ],
    )
    lots.move(session, _moves(fresh))
    balances.change(session, _changes(fresh))


def _entry(posting: Posting) -> dict[str, object]:
    return {
        "customer_id": posting.customer_id, "currency": posting.currency, "points": posting.points,
        "pending": posting.pending, "kind": posting.kind, "reason": posting.reason, "source_key": posting.key,
        "order_id": posting.order_id, "reverses": posting.reverses, "programme": posting.programme,
        "actor": posting.actor, "at": posting.at, "effective_at": posting.effective_at,
    }  # fmt: skip


def _lot(posting: Posting, lot: NewLot, entry_id: int) -> dict[str, object]:
    return {
        "id": lot.id, "customer_id": posting.customer_id, "currency": posting.currency, "entry_id": entry_id,
        "order_id": lot.order_id, "points": lot.points, "remaining": lot.points, "held": 0, "pending": lot.pending,
        "available_at": lot.available_at, "expires_at": lot.expires_at,
    }  # fmt: skip


def _moves(postings: Iterable[Posting]) -> dict[int, tuple[int, int]]:
    moves: dict[int, tuple[int, int]] = {}
    for use in (use for each in postings for use in each.uses):
        if use.lot_id is not None:
            points, held = moves.get(use.lot_id, (0, 0))
            moves[use.lot_id] = (points + use.points, held + (use.points if use.held else 0))
    return moves


def _changes(postings: Iterable[Posting]) -> dict[tuple[int, str], Holding]:
    changes: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in postings:
        change = changes[each.customer_id, each.currency]
        change[0] += each.points
        change[1] += each.pending
        change[2] += sum(use.points for use in each.uses if use.held)
        change[3] -= sum(use.points for use in each.uses if use.lot_id is None)
    return {key: Holding(*change) for key, change in changes.items()}
