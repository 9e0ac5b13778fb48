"""What the clock does with broadcasts: lets them begin, rest by night and go on, and holds those whose time passed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm import broadcast_moves as moves
from crm import broadcast_rests, broadcast_versions, broadcasts
from crm.broadcast_moves import SYSTEM
from crm.broadcast_states import LASTING, Pause
from crm.verdicts import Policy
from storage import broadcasts as store
from storage import marks, recipients
from storage.broadcasts import FREEZING, PAUSED, RUNNING, SCHEDULED, BroadcastView

TICK = "broadcasts"
"""The mark of the last moment at which somebody looked after broadcasts."""


def start(session: Session, broadcast_id: int, now: datetime, policy: Policy) -> bool:
    """Begin to freeze the audience as of now; False where somebody was faster, or it is too late by the policy."""
    found = moves.hold(session, broadcast_id)
    if not _is_due(found, now) or _is_late(found, now, policy):
        return False
    moves.move(session, found, FREEZING, SYSTEM, now, "due", as_of=now, cursor=0)
    return True


def frozen(session: Session, broadcast_id: int, digest: str, now: datetime, policy: Policy, *, alone: int) -> None:
    """Where the audience is whole: send, unless so many need a second person's word, or its time passed meanwhile. May
    be called twice."""
    found = moves.hold(session, broadcast_id)
    if found.state != FREEZING or found.as_of is None or not recipients.is_whole(session, found.cursor, found.as_of):
        return
    found = broadcast_versions.as_approved(session, found, found.audience)
    facts = {"digest": digest, "frozen_at": now, "approved_by": found.approved_by, "approved_of": found.approved_of}
    if broadcasts.needs_second(found, found.audience, alone):
        words = f"{found.audience} > {alone}"
        moves.move(session, found, PAUSED, SYSTEM, now, Pause.APPROVAL, pause_words=words, **facts)
    elif _is_late(found, now, policy):
        moves.move(session, found, PAUSED, SYSTEM, now, Pause.LATE, **facts)
    else:
        moves.move(session, found, RUNNING, SYSTEM, now, "frozen", **facts)


def stood_still(session: Session, now: datetime, policy: Policy) -> bool:
    """Whether nobody looked after broadcasts for so long that what was to go out meanwhile is late."""
    last = marks.last(session, TICK)
    return last is not None and policy.is_late(last, now)


def tend(session: Session, now: datetime, policy: Policy) -> list[int]:
    """Pause in quiet hours, go on where those are over, and hold what is too late until a person has decided. One that
    rests for what its people lacked goes on by a turn of sending, which looks at them.

    The broadcasts whose time to be frozen has come, to be started.
    """
    due: list[int] = []
    opens_at, was_away = policy.hours.next_moment(now), stood_still(session, now, policy)
    marks.done(session, TICK, now)
    living = store.living(session)
    no_account = any(each.state == RUNNING or broadcast_rests.is_resting(each) for each in living)
    no_account = no_account and broadcast_rests.nobody_sends(session, now)
    for each in living:
        if each.state == FREEZING or _is_due(each, now):
            if _is_late(each, now, policy):
                _hold_late(session, each.id, now, policy)
            else:
                due.append(each.id)
        elif not _is_to_change(each, now, opens_at, was_away=was_away):
            if each.state == RUNNING and no_account:
                broadcast_rests.rest_without_account(session, each.id, now)
            elif each.state == RUNNING:
                _rest_where_nobody_goes(session, each.id, now)
        elif was_away:
            broadcasts.pause(session, each.id, Pause.LATE, SYSTEM, now)
        elif each.state == RUNNING:
            broadcasts.pause(session, each.id, Pause.HOURS, SYSTEM, now, until=opens_at)
        elif broadcast_rests.is_resting(each):
            if no_account:
                broadcast_rests.rest_without_account(session, each.id, now)
        else:
            broadcasts.go_on(session, each.id, now)
    return due


def _hold_late(session: Session, broadcast_id: int, now: datetime, policy: Policy) -> None:
    """Until a person has decided, unless somebody gave it another time meanwhile."""
    if _is_late(moves.hold(session, broadcast_id), now, policy):
        broadcasts.pause(session, broadcast_id, Pause.LATE, SYSTEM, now)


def _rest_where_nobody_goes(session: Session, broadcast_id: int, now: datetime) -> None:
    """Until then nobody is due: whoever else waits waits for longer."""
    reason, until = recipients.first_waits(session, broadcast_id) or ("", now)
    if reason in LASTING and until > now:
        broadcasts.pause(session, broadcast_id, Pause(reason), SYSTEM, now, until=until)


def _is_to_change(each: BroadcastView, now: datetime, opens_at: datetime, *, was_away: bool) -> bool:
    """Whether it runs and may not, or rests and may go on."""
    if each.state == RUNNING:
        return was_away or opens_at > now
    return each.state == PAUSED and each.resumes_at is not None and max(each.resumes_at, opens_at) <= now


def _is_due(each: BroadcastView, now: datetime) -> bool:
    return each.state == SCHEDULED and each.scheduled_at is not None and each.scheduled_at <= now


def _is_late(each: BroadcastView, now: datetime, policy: Policy) -> bool:
    return each.scheduled_at is not None and policy.is_late(each.scheduled_at, now)
