"""Members and their tiers as kept: raised at once, reviewed when it is time, corrected where an order is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from crm import codes, programmes, tiers
from crm.errors import NotFound
from crm.programme import Programme
from crm.tiers import Position, Standing
from storage import customers as people
from storage import loyalty, members
from storage.lots import FOREVER
from storage.loyalty import QUALIFY
from storage.members import Change, Due, Member

REACHED = "reached"
KEPT = "kept"
LOWERED = "lowered"
CORRECTED = "corrected"

_CODE_LENGTH = 10

Cursor = tuple[datetime, int]
Placed = tuple[Member | Due, Position, str, int]
"""A member as they were, where they are now, why, and what was counted."""


def standing(session: Session, customer_id: int, now: datetime) -> Standing:
    """Where a customer stands, what is missing to the next tier, and what to keep this one, and by when."""
    return standing_of(session, customer_id, members.member(session, customer_id), programmes.at(session, now), now)


def standing_of(
    session: Session, customer_id: int, member: Member | None, programme: Programme, now: datetime
) -> Standing:
    """The same, of a customer as read, under a programme as read."""
    position = _position(member, now)
    if member is None or not programme.tiers.levels:
        return tiers.standing(programme.tiers, programme.zone, position, 0, 0, now)
    total = _total(session, customer_id, programme, position, now)
    kept = 0
    if position.review_at < FOREVER:
        kept = loyalty.total(session, customer_id, QUALIFY, position.window_from, position.review_at)
    return tiers.standing(programme.tiers, programme.zone, position, total, kept, now)


def tier_at(session: Session, customer_id: int, at: datetime) -> str:
    """The code of the tier that a customer was in at a moment; "" where that was nobody's."""
    return members.tier_at(session, customer_id, at) or ""


def code_of(session: Session, customer_id: int) -> str | None:
    """The code on a member's card; None where they have none yet."""
    member = members.member(session, customer_id)
    return member.code if member else None


def issue_code(session: Session, customer_id: int, now: datetime) -> str:
    """The code on a member's card, made when it is first asked for. It says who stands there, and opens nothing."""
    people.lock(session, [customer_id])
    members.join(session, [customer_id], now)
    while (code := code_of(session, customer_id)) is None:
        members.give_code(session, customer_id, codes.new(_CODE_LENGTH))
    return code


def by_code(session: Session, code: str) -> int:
    """The customer on whose card this code stands, however it is typed. Raises NotFound."""
    tidied = codes.tidy(code)
    found = members.by_code(session, tidied) if codes.is_code(tidied, _CODE_LENGTH) else None
    if found is None:
        raise NotFound("Không có thẻ này.", "There is no card with this code.", field="code")
    return found


def history(session: Session, customer_id: int, most: int = 20) -> list[Change]:
    """How a customer's tier changed, newest first."""
    return members.changes(session, customer_id, most)


def requalify(session: Session, customer_id: int, now: datetime) -> None:
    """After more or less qualifies: raise the tier at once; take back one that was never earned.

    Lower than that a tier goes only at its review. The customer is held and is a member.
    """
    programme = programmes.at(session, now)
    member = members.member(session, customer_id)
    if not programme.tiers.levels or member is None:
        return
    _correct(session, programme, member, now)
    member = members.member(session, customer_id)
    assert member is not None
    position = _position(member, now)
    total = _total(session, customer_id, programme, position, now)
    level = tiers.earned_level(programme.tiers, total)
    if level > tiers.level_of(programme.tiers, position.tier):
        _place(
            session, member, tiers.placed(programme.tiers, programme.zone, position, level, now), REACHED, total, now
        )


def review(session: Session, after: Cursor, most: int, now: datetime) -> Cursor | None:
    """Review the tiers of up to so many members whose time has come, behind this cursor; the next, None at the end.

    May be called again and by several at once: a member who was reviewed has another time.
    """
    due = members.due_for_review(session, now, after, most)
    if not due:
        return None
    ids = [customer_id for _, customer_id in due]
    people.lock(session, ids)
    programme = programmes.at(session, now)
    rows: list[Placed] = []
    for member in members.to_review(session, ids, now):
        position = tiers.reviewed(programme.tiers, programme.zone, _position(member, now), member.kept)
        rows.append((member, position, KEPT if position.tier == member.tier else LOWERED, member.kept))
    _write(session, rows, now)
    return due[-1] if len(due) == most else None


def place(session: Session, after: int, most: int, now: datetime) -> int | None:
    """Give up to so many members behind this id the tier that they earned under a new programme; the next id."""
    found = members.page(session, after, most)
    people.lock(session, [member.customer_id for member in found])
    for member in found:
        requalify(session, member.customer_id, now)
    return found[-1].customer_id if len(found) == most else None


def _correct(session: Session, programme: Programme, member: Member, now: datetime) -> None:
    """A tier that was reached in this window by what was taken back since was never earned: what was before stands."""
    for change in members.changes(session, member.customer_id, len(programme.tiers.levels)):
        position = _position(member, now)
        start = tiers.window(programme.tiers, programme.zone, position.joined_at, now)[0]
        if change.why != REACHED or change.after != member.tier or change.at < start:
            return
        total = _total(session, member.customer_id, programme, position, now)
        if total >= programme.tiers.levels[tiers.level_of(programme.tiers, member.tier)].at:
            return
        before = Position(
            position.joined_at, change.before, change.since_before, change.window_before, change.review_before
        )
        _place(session, member, before, CORRECTED, total, now)
        found = members.member(session, member.customer_id)
        assert found is not None
        member = found


def _total(session: Session, customer_id: int, programme: Programme, position: Position, now: datetime) -> int:
    start, end = tiers.window(programme.tiers, programme.zone, position.joined_at, now)
    return loyalty.total(session, customer_id, QUALIFY, start, end)


def _position(member: Member | Due | None, now: datetime) -> Position:
    if member is None:
        return Position(now, "", now, now, FOREVER)
    return Position(member.joined_at, member.tier, member.tier_since, member.window_from, member.review_at)


def _place(session: Session, member: Member, position: Position, why: str, total: int, now: datetime) -> None:
    _write(session, [(member, position, why, total)], now)


def _write(session: Session, rows: Sequence[Placed], now: datetime) -> None:
    members.set_tiers(session, [_row(member.customer_id, position) for member, position, _, _ in rows])
    members.add_changes(session, [_change(*row, now) for row in rows])


def _row(customer_id: int, position: Position) -> Mapping[str, object]:
    return {
        "customer_id": customer_id, "tier": position.tier, "tier_since": position.since,
        "window_from": position.window_from, "review_at": position.review_at,
    }  # fmt: skip


def _change(member: Member | Due, position: Position, why: str, total: int, now: datetime) -> Mapping[str, object]:
    return {
        "customer_id": member.customer_id, "before": member.tier, "after": position.tier, "why": why, "total": total,
        "since_before": member.tier_since, "review_before": member.review_at, "window_before": member.window_from,
        "at": now,
    }  # fmt: skip
