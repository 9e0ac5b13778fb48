"""Who holds a conversation, what it waits for, and how it changes: pure steps from one state to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from storage.conversations import BLOCKED, BOT, ELSEWHERE, STAFF, Standing
from storage.customers import Person

HAND_BACK_AFTER = timedelta(hours=12)
MISSES_BEFORE_PERSON = 2
ANSWERED_WITHIN = timedelta(hours=24)
"""What is older when we learn of it is for a person: nobody expects the bot's answer to it any more."""


class Reason(StrEnum):
    """Why a customer waits for a person."""

    ASKED = "asked"
    MISSED = "missed"
    ANGRY = "angry"
    VIP = "vip"
    WROTE = "wrote"
    TICKET = "ticket"
    LATE = "late"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class State:
    """The part of a conversation that changes while it goes on.

    `reason` tells why somebody waits, while they do. `misses` counts how often in a row the bot did not understand, and
    in a blocked conversation how often it had nothing to say.
    """

    holder: str = BOT
    handed_over_at: datetime | None = None
    waiting_since: datetime | None = None
    last_staff_at: datetime | None = None
    misses: int = 0
    dialog: str = ""
    dialog_data: str = ""
    dialog_until: datetime | None = None
    minute: datetime | None = None
    minute_count: int = 0
    away_until: datetime | None = None
    reason: str = ""

    @property
    def staff_holds(self) -> bool:
        """Whether the bot must be silent: a person holds it, here or elsewhere, or nobody is to answer."""
        return self.holder != BOT

    @property
    def is_blocked(self) -> bool:
        """Whether nobody is to answer, and nobody is called."""
        return self.holder == BLOCKED


_OF_PERSON = attrgetter(*State.__slots__)


def state_of(person: Person | Standing) -> State:
    """The state as it was read."""
    return State(*_OF_PERSON(person))


def row_of(conversation_id: int, state: State) -> dict[str, object]:
    """The state as it is written."""
    return {"id": conversation_id, **{name: getattr(state, name) for name in State.__slots__}}


def hand_over(state: State, now: datetime, reason: Reason = Reason.ASKED) -> State:
    """A person is to answer; the bot falls silent. Who waits already goes on so, since when they did."""
    if state.staff_holds:
        return call_person(state, now, reason)
    return replace(
        state, holder=STAFF, handed_over_at=now, waiting_since=state.waiting_since or now, last_staff_at=None, misses=0,
        dialog="", dialog_data="", dialog_until=None, reason=reason.value,
    )  # fmt: skip


def go_elsewhere(state: State, at: datetime) -> State:
    """Another app or the platform's own inbox holds it from now on; who waited waits on. Keeps the first moment."""
    if state.is_blocked or state.holder == ELSEWHERE:
        return state
    return replace(state, holder=ELSEWHERE, handed_over_at=at, misses=0, dialog="", dialog_data="", dialog_until=None)


def come_back(state: State, at: datetime) -> State:
    """It is ours again, if it was elsewhere by then and nothing later said so; who waited for a person waits on."""
    if state.holder != ELSEWHERE or (state.handed_over_at is not None and at < state.handed_over_at):
        return state
    return given_up(state)


def answered_elsewhere(state: State) -> State:
    """Who holds it there spoke: nobody waits."""
    return replace(state, waiting_since=None) if state.holder == ELSEWHERE else state


def call_person(state: State, at: datetime, reason: Reason = Reason.TICKET) -> State:
    """The customer waits for a person since then, while the bot goes on answering; who waits already goes on so."""
    if state.is_blocked or (state.waiting_since is not None and state.reason != Reason.MISSED):
        return state
    return replace(state, waiting_since=state.waiting_since or at, reason=reason.value)


def content(state: State) -> State:
    """Who only waits because the bot did not understand them waits no more."""
    is_missed = state.waiting_since is not None and state.reason == Reason.MISSED and not state.staff_holds
    return replace(state, waiting_since=None) if is_missed else state


def told_away(state: State, opens: datetime) -> State:
    """The customer was told that nobody is there until then."""
    return replace(state, away_until=opens)


def is_too_old(at: datetime, now: datetime) -> bool:
    """Whether what was said then is answered by the bot no more."""
    return now - at > ANSWERED_WITHIN


def hand_back(state: State) -> State:
    """The bot answers again; changes nothing where it did already, so that who called a person goes on waiting."""
    if state.is_blocked or not state.staff_holds:
        return state
    return replace(state, holder=BOT, handed_over_at=None, waiting_since=None, last_staff_at=None, misses=0)


def blocked(state: State, now: datetime) -> State:
    """Nobody answers any more, and nobody waits."""
    return State(holder=BLOCKED, handed_over_at=now, last_staff_at=state.last_staff_at, away_until=state.away_until)


def unblocked(state: State) -> State:
    """The bot answers again; changes nothing where it did already."""
    return State(last_staff_at=state.last_staff_at, away_until=state.away_until) if state.is_blocked else state


def given_up(state: State) -> State:
    """Staff let it lie for too long: the bot answers again, but who asked for a person still waits for one."""
    return replace(hand_back(state), waiting_since=state.waiting_since)


def staff_spoke(state: State, at: datetime) -> State:
    """A person of the brand wrote: they hold the conversation, and nobody waits."""
    held = state if state.staff_holds and not state.is_blocked else hand_over(unblocked(state), at)
    return replace(held, waiting_since=None, last_staff_at=max(at, held.last_staff_at or at))


def customer_spoke(state: State, at: datetime) -> State:
    """A customer wrote while staff hold the conversation: they wait from now on, if they did not before."""
    return call_person(state, at, Reason.WROTE) if state.staff_holds else state


def is_stale(state: State, now: datetime) -> bool:
    """Whether staff hold it but have said nothing for so long that it returns to the bot."""
    if state.is_blocked or not state.staff_holds or state.handed_over_at is None:
        return False
    return now - max(state.handed_over_at, state.last_staff_at or state.handed_over_at) >= HAND_BACK_AFTER


def asked(state: State, dialog: str, data: str, until: datetime) -> State:
    """The bot asked something; the next answer goes to this dialog, until then."""
    return replace(state, dialog=dialog, dialog_data=data, dialog_until=until, misses=0)


def settled(state: State) -> State:
    """No dialog waits any more."""
    return replace(state, dialog="", dialog_data="", dialog_until=None) if state.dialog else state


def waits_for(state: State, now: datetime) -> str:
    """The dialog that waits for an answer; "" where none does or its time is over."""
    return state.dialog if state.dialog and state.dialog_until and now < state.dialog_until else ""


def counted(state: State, at: datetime, lines: int) -> State:
    """So many more lines in this minute."""
    minute = at.replace(second=0, microsecond=0)
    if state.minute == minute:
        return replace(state, minute_count=state.minute_count + lines)
    return replace(state, minute=minute, minute_count=lines)


def lines_left(state: State, at: datetime, per_minute: int) -> int:
    """How many lines this person may still have answered in this minute."""
    used = state.minute_count if state.minute == at.replace(second=0, microsecond=0) else 0
    return max(0, per_minute - used)


def missed(state: State) -> State:
    """The bot did not understand, once more in a row."""
    return replace(state, misses=state.misses + 1)


def understood(state: State) -> State:
    """The bot understood: the row of misses ends, and nobody waits any more because of it."""
    happy = content(state)
    return replace(happy, misses=0) if happy.misses and not happy.is_blocked else happy
