"""Broadcasts whose next people all lack the same, a template, say: they rest, and go on for who goes another way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlmodel import Session

from crm import broadcast_moves as moves
from crm.broadcast_moves import SYSTEM
from crm.broadcast_states import STOPS, Pause
from crm.content import Content
from crm.verdicts import Held, Taken, Why
from storage import accounts, jobs, recipient_order
from storage import broadcasts as store
from storage.broadcasts import PAUSED, RUNNING, BroadcastView

SEEK = "broadcast.seek"
"""The job that looks for those who go another way than the one that is shut."""
SEEKS_AGAIN = timedelta(hours=1)
"""To look at a million people takes more than a minute of a reader."""
LOOKS_AGAIN = timedelta(minutes=1)
SINCE, MOST_OTHERS = timedelta(minutes=5), 200
"""Who became due in the meantime comes first: it may have rested for a minute beyond that, and turns may be late."""
_FIRST = timedelta(seconds=1)


def settle(session: Session, taken: Taken, now: datetime) -> None:
    """What becomes of the broadcasts of which a turn looked at somebody, once everybody's verdict is written.

    One of which nobody could go rests at once, whatever number waits behind, unless some come first who waited for
    something else; when that is over it is looked at again, and rests on without a word, or goes on with the first one
    who can.
    """
    goes = {each.recipient.broadcast_id for each in taken.ready}
    goes |= {row.broadcast_id for row, held in taken.waits if held.reason == Why.PACE}
    for each in taken.looked:
        held = taken.stops.get(each.id)
        if held is not None:
            if not _let_others_pass(session, each, now):
                _rest(session, each, held, now)
        elif each.state == PAUSED and each.id in goes:
            moves.move(session, each, RUNNING, SYSTEM, now, "resumed", sought_at=None)


def _let_others_pass(session: Session, each: BroadcastView, now: datetime) -> bool:
    """Bring those forward who waited for anything but what the others lack, such as their turn at the account's pace:
    they would be due behind all of these. Whether there are any."""
    found = recipient_order.due_near(session, each.id, STOPS, now - SINCE, now + LOOKS_AGAIN, MOST_OTHERS)
    others = [row.id for row in found if row.due_at <= now or row.reason == Why.PACE]
    if others and each.as_of is not None:
        recipient_order.bring_forward(session, others, each.as_of - _FIRST)
    return bool(others)


def _rest(session: Session, each: BroadcastView, held: Held, now: datetime) -> None:
    following = recipient_order.next_due(session, each.id, now) or held.until
    until = min(held.until, max(following, now + LOOKS_AGAIN))
    if (each.state, each.pause_reason) == (PAUSED, held.reason):
        store.change(session, each.id, resumes_at=until)
    elif each.state == RUNNING and jobs.waits(session, SEEK, str(each.id)):
        return
    else:
        moves.move(session, each, PAUSED, SYSTEM, now, held.reason, resumes_at=until)
    is_old = each.sought_at is None or each.sought_at <= now - SEEKS_AGAIN
    if is_old and held.reason != Pause.LIMIT and _has_ways(session, each):
        store.change(session, each.id, sought_at=now)
        jobs.add_many(session, [jobs.row(SEEK, str(each.id), {"broadcast": each.id}, now)])


def _has_ways(session: Session, each: BroadcastView) -> bool:
    """Whether it may reach people in more than one way: in words, which every account has its own, by many templates,
    or by one that goes to numbers, too, or that several accounts have."""
    said = Content.loads(each.content)
    if said.text or len(said.templates) > 1:
        return True
    (template,) = said.templates
    if template.to_phone or template.account_id:
        return template.to_phone
    return sum(channel == template.channel for channel, _ in accounts.paces(session)) > 1


def is_resting(each: BroadcastView) -> bool:
    """Whether it rests for what its next people lacked."""
    return each.state == PAUSED and each.resumes_at is not None and each.pause_reason in STOPS


def shorten(session: Session, each: BroadcastView, due_at: datetime, now: datetime) -> None:
    """Where it rests for what its next people lacked, it is looked at when this one is due who got out of that."""
    until = max(due_at, now + LOOKS_AGAIN)
    if is_resting(each) and each.resumes_at is not None and each.resumes_at > until:
        store.change(session, each.id, resumes_at=until)


def goes_another_way(session: Session, broadcast_id: int, recipient_ids: Collection[int], now: datetime) -> bool:
    """These can go although others cannot: they come first, and it goes on. False where it is over or stopped."""
    found = moves.hold(session, broadcast_id)
    if found.as_of is None or not (found.state == RUNNING or is_resting(found)):
        return False
    recipient_order.bring_forward(session, recipient_ids, found.as_of - _FIRST)
    if found.state == PAUSED:
        moves.move(session, found, RUNNING, SYSTEM, now, "resumed")
    return True


def nobody_sends(session: Session, now: datetime) -> bool:
    """Whether no account that there is may send, and that for longer than a token takes to be renewed."""
    paces = accounts.paces(session).values()
    return bool(paces) and all(
        pace.held or (pace.refused_since is not None and pace.refused_since <= now - LOOKS_AGAIN) for pace in paces
    )


def rest_without_account(session: Session, broadcast_id: int, now: datetime) -> None:
    """No account may send: no turn looks at its people, so it rests until one may, unless somebody stopped it."""
    found, until = moves.hold(session, broadcast_id), now + LOOKS_AGAIN
    if found.state == RUNNING:
        moves.move(session, found, PAUSED, SYSTEM, now, Pause.ACCOUNT, resumes_at=until)
    elif is_resting(found) and found.resumes_at is not None and found.resumes_at <= now:
        store.change(session, broadcast_id, resumes_at=until)
