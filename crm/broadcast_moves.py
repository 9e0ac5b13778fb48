"""The one way in which broadcasts go from state to state, with who wanted it and why."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm import audit
from crm.broadcast_states import ALARM, FINISHED, Pause, alarm_of, may, refused, told
from crm.errors import NotFound
from storage import alarms, outbox, recipients
from storage import broadcasts as store
from storage.broadcasts import PAUSED, RUNNING, BroadcastView
from storage.work import wake

SYSTEM = "system"
"""Who acts where nobody asked: the clock."""


def move(
    session: Session, found: BroadcastView, to: str, actor: str, now: datetime, reason: str, **values: object
) -> None:
    """The one way from state to state, with who wanted it and why. Raises Conflict where there is no such way."""
    if not may(found, to):
        raise refused(found, f"không chuyển sang “{told(to, 'vi')}” được", f"cannot become {told(to, 'en')}")
    if to == PAUSED:
        values = {"resumes_at": None, "pause_words": "", "pause_reason": reason, **values}
    else:
        values = {"resumes_at": None, "pause_words": "", "pause_reason": "", **values}
    store.change(session, found.id, state=to, **values)
    if to == RUNNING:
        wake(session, recipients.TOPIC)
        wake(session, outbox.TOPIC)
    if found.state == PAUSED and actor != SYSTEM:
        alarms.solve_many(session, ALARM, [alarm_of(found.id, each) for each in Pause], now)
    note(session, found.id, to, actor, now, f"{found.state} → {to}: {reason}")


def note(session: Session, broadcast_id: int, what: str, actor: str, now: datetime, details: str = "") -> None:
    """Keep in the audit what was done with one, and by whom."""
    kind, _, key = actor.partition(":")
    who = {"staff_id": int(key)} if kind == "staff" and key.isdecimal() else {}
    audit.note(
        session, f"broadcast.{what}", now, surface=kind[:24], subject="broadcast", subject_id=broadcast_id,
        details=details, **who,
    )  # fmt: skip


def hold(session: Session, broadcast_id: int) -> BroadcastView:
    """One broadcast, which nobody else changes until the transaction ends. Raises NotFound."""
    found = store.hold(session, broadcast_id)
    if found is None:
        raise NotFound(f"Không có tin gửi loạt số {broadcast_id}.", f"There is no broadcast {broadcast_id}.")
    return found


def standing(session: Session, broadcast_id: int) -> BroadcastView:
    """The same in the state that people are told: one that is finished is neither running nor paused."""
    found = hold(session, broadcast_id)
    return found._replace(state=state(session, found))


def state(session: Session, found: BroadcastView) -> str:
    """Where a broadcast stands: finished where all of it is frozen and nobody waits or is being written to."""
    may_be_over = found.frozen_at is not None and found.state in (RUNNING, PAUSED)
    return FINISHED if may_be_over and not recipients.is_open(session, found.id) else found.state
