"""Short numbers: what #12 means to one member of staff on one surface, and to nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from storage import desks
from storage.desks import Binding

MOST = 99
LIVES = timedelta(hours=24)
"""A number that was not shown for so long means nothing any more."""

CONVERSATION = "conversation"
CUSTOMER = "customer"
"""Of a customer who never wrote."""


def bind(session: Session, staff_id: int, surface: str, kind: str, targets: Sequence[int], now: datetime) -> list[int]:
    """A number for each of these: the one that it has there already, else the next free one.

    Where all are taken, the one that was shown longest ago changes its meaning. One that another process gave away
    meanwhile keeps the meaning that was shown.
    """
    known = desks.bindings(session, staff_id, surface)
    living = [each for each in known if now - each.shown_at < LIVES]
    has = {each.target_id: each.number for each in living if each.kind == kind}
    taken = {each.number for each in living}
    last = max(living, key=lambda each: each.shown_at).number if living else 0
    free = [number % MOST + 1 for number in range(last, last + MOST) if number % MOST + 1 not in taken]
    oldest = [each.number for each in living if not (each.kind == kind and each.target_id in set(targets))]
    fresh = iter([*free, *oldest])
    numbers = [has[target] if target in has else next(fresh) for target in targets[:MOST]]
    rows = [Binding(number, kind, target, now) for number, target in zip(numbers, targets, strict=False)]
    reused = [each.shown_at for each in living if each.number in set(numbers) - {has.get(target) for target in targets}]
    desks.bind(session, staff_id, surface, rows, max([now - LIVES, *reused]))
    kept = {(each.number, each.kind, each.target_id) for each in desks.bindings(session, staff_id, surface)}
    if all((row.number, row.kind, row.target_id) in kept for row in rows):
        return numbers
    return bind(session, staff_id, surface, kind, targets, now)


def meaning(session: Session, staff_id: int, surface: str, number: int, now: datetime) -> Binding | None:
    """What this number means there; None where it means nothing, or nothing any more."""
    for each in desks.bindings(session, staff_id, surface):
        if each.number == number and now - each.shown_at < LIVES:
            return each
    return None
