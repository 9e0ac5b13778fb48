"""Looking after conversations: who waits, who takes whom, when a matter is done or put off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from crm import conversations, verdicts
from crm.calendar import Calendar
from crm.errors import Conflict
from crm.messages import Purpose
from storage import attendance as store
from storage import conversations as stored
from storage import customers, staff, turns
from storage import outbox as queue
from storage.attendance import Attended, Duty
from storage.conversations import Standing
from storage.turns import Place

ALARM_AFTER = timedelta(minutes=15)
COLLIDES_WITHIN = timedelta(minutes=1)
SOMEBODY = "*"
"""Who answered in the platform's own inbox: it does not say who."""


def waiting(session: Session, now: datetime, most: int) -> list[Attended]:
    """Those whose customer waits for a person, the longest first; what was put off is not among them."""
    return store.waiting(session, now, most)


def count(session: Session, now: datetime) -> int:
    """How many wait."""
    return store.count_waiting(session, now)


def ahead(session: Session, conversation_id: int, since: datetime, now: datetime) -> int:
    """How many others wait since earlier than then."""
    return store.count_waiting(session, now, since, conversation_id)


def overdue(session: Session, now: datetime, calendar: Calendar, among: Collection[int] | None = None) -> set[int]:
    """Conversations whose customer has waited so long that an alarm rings; only `among` these where that is given.

    `ALARM_AFTER` is working time. What was put off is not among them until so long after its time came, unless the
    customer writes before.
    """
    found = store.waiting_at(session, now - ALARM_AFTER, among)
    return {key for key, since in found.items() if calendar.add(since, ALARM_AFTER) <= now}


def mine(session: Session, staff_id: int, most: int) -> list[Attended]:
    """Those that a member of staff looks after, the longest waiting first."""
    return store.of_staff(session, staff_id, most)


def held(session: Session, most: int) -> list[Attended]:
    """Those in which the bot is silent."""
    return store.held(session, most)


def names(session: Session, staff_ids: Collection[int]) -> dict[int, str]:
    """What these members of staff are called."""
    return {each.id: each.name for each in staff.everyone(session) if each.id in staff_ids} if staff_ids else {}


def minutes(row: Attended, now: datetime) -> int:
    """For how long their customer has waited; 0 where nobody does."""
    return max(0, int((now - row.waiting_since).total_seconds() // 60)) if row.waiting_since else 0


class Concern(NamedTuple):
    """Why somebody should think again before they write to a customer.

    `answered_by` just answered (`somebody` where that was in the platform's own inbox), `assigned_to` looks after them,
    `closed`: it was called done, and the customer has said nothing since.
    """

    answered_by: str = ""
    answered_at: datetime | None = None
    assigned_to: str = ""
    closed: bool = False


def concern(session: Session, conversation_id: int, staff_id: int, now: datetime) -> Concern | None:
    """What should be known before this member of staff writes there; None where nothing stands against it.

    Holds the customer, so that of two who answer at once the second is told of the first.
    """
    customers.lock_owners(session.connection(), [conversation_id])
    duty = store.duty(session, conversation_id)
    answered_by, answered_at = "", None
    if duty.answered_at and duty.answered_by not in (None, staff_id) and now - duty.answered_at < COLLIDES_WITHIN:
        answered_by, answered_at = _name(session, duty.answered_by), duty.answered_at
    elif duty.last_staff_at and duty.last_staff_at != duty.answered_at and now - duty.last_staff_at < COLLIDES_WITHIN:
        answered_by, answered_at = SOMEBODY, duty.last_staff_at
    other = duty.assigned_to if duty.assigned_to != staff_id else None
    found = Concern(answered_by, answered_at, _name(session, other), is_closed(duty))
    return None if found == Concern() else found


def asleep_until(session: Session, conversation_id: int, now: datetime) -> datetime | None:
    """Until when it is put off; None where it is not, not any more, or the customer wrote since."""
    duty = store.duty(session, conversation_id)
    until, at, spoke = duty.snoozed_until, duty.snoozed_at, duty.last_interaction_at
    is_asleep = until is not None and until > now and not (spoke and at and spoke > at)
    return until if is_asleep else None


def is_closed(duty: Duty) -> bool:
    """Whether it was called done and the customer has said nothing since."""
    if duty.closed_at is None:
        return False
    return duty.last_interaction_at is None or duty.last_interaction_at <= duty.closed_at


def take(session: Session, conversation_id: int, staff_id: int, now: datetime) -> None:
    """This member of staff looks after it from now on, and the bot is silent; who waits goes on waiting.

    Raises Conflict where another app holds it, or it is blocked; so do the functions below.
    """
    standing = _held(session, conversation_id)
    state = conversations.state_of(standing)
    if not state.staff_holds:
        state = replace(conversations.hand_over(state, now), waiting_since=standing.waiting_since,
                        reason=standing.reason)  # fmt: skip
        stored.set_conversations(session, [conversations.row_of(conversation_id, state)])
    changed = {"assigned_to": staff_id, "assigned_at": now, "snoozed_until": None, "closed_at": None}
    store.change(session, conversation_id, **changed)


class Ended(NamedTuple):
    """What ended when a conversation was given back: that somebody held it, that its customer waited for a person."""

    was_held: bool
    waited: bool


def give_back(session: Session, conversation_id: int) -> Ended:
    """The bot answers again, nobody waits, nobody looks after it; what ended by that."""
    standing = _held(session, conversation_id)
    state = conversations.state_of(standing)
    back = replace(conversations.hand_back(state), waiting_since=None)
    stored.set_conversations(session, [conversations.row_of(conversation_id, back)])
    store.change(session, conversation_id, assigned_to=None, assigned_at=None, snoozed_until=None)
    return Ended(state.staff_holds, state.waiting_since is not None)


def attended(session: Session, customer_id: int, now: datetime) -> list[Place]:
    """The chats in which a customer waits for a person or talks with one: no broadcast and no care message goes to them
    meanwhile, in any chat."""
    return [each for each in turns.places(session, [customer_id], now).get(customer_id, ()) if verdicts.talks(each)]


def close(session: Session, conversation_id: int, now: datetime) -> bool:
    """The matter is done: the bot answers again, nobody waits; False where it was done already."""
    done = is_closed(store.duty(session, conversation_id))
    give_back(session, conversation_id)
    store.change(session, conversation_id, closed_at=now)
    return not done


def snooze(session: Session, conversation_id: int, until: datetime, now: datetime) -> None:
    """It is in no list of those who wait until then, or until the customer writes."""
    _held(session, conversation_id)
    store.change(session, conversation_id, snoozed_at=now, snoozed_until=until)


def wake(session: Session, conversation_id: int, now: datetime) -> Duty | None:
    """End a snooze whose time came; who looks after it then, None where nothing is asleep or it sleeps on."""
    duty = store.duty(session, conversation_id)
    if duty.snoozed_until is None or duty.snoozed_until > now:
        return None
    store.change(session, conversation_id, snoozed_until=None)
    return duty


def block(session: Session, conversation_id: int, now: datetime) -> bool:
    """Nobody answers this customer any more, and nobody is told of them; False where that was so."""
    state = conversations.state_of(_held(session, conversation_id, blocked=True))
    if state.is_blocked:
        return False
    row = conversations.row_of(conversation_id, conversations.blocked(state, now))
    stored.set_conversations(session, [row])
    store.change(session, conversation_id, assigned_to=None, assigned_at=None, snoozed_until=None)
    queue.withdraw(session.connection(), [conversation_id], Purpose.REPLY)
    return True


def unblock(session: Session, conversation_id: int) -> bool:
    """The bot answers this customer again; False where they were not blocked."""
    state = conversations.state_of(_held(session, conversation_id, blocked=True))
    stored.set_conversations(session, [conversations.row_of(conversation_id, conversations.unblocked(state))])
    return state.is_blocked


def _held(session: Session, conversation_id: int, *, blocked: bool = False) -> Standing:
    """The conversation as it stands, with its customer held; a blocked one only where that is asked for."""
    customers.lock_owners(session.connection(), [conversation_id])
    (standing,) = stored.some(session, [conversation_id])
    if standing.holder == stored.BLOCKED and not blocked:
        raise Conflict("Khách này đang bị chặn: /bochan trước.", "This customer is blocked: /bochan first.")
    if standing.holder == stored.ELSEWHERE:
        raise Conflict(
            "Hộp thư Trang hoặc ứng dụng khác đang giữ cuộc trò chuyện này.",
            "The Page's inbox or another app holds this conversation.",
        )
    return standing


def _name(session: Session, staff_id: int | None) -> str:
    found = staff.find(session, staff_id) if staff_id is not None else None
    return found.name if found else ""
