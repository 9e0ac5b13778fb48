"""Looks every few seconds who waits for a person: gives them to somebody on shift, tells, and tells others in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.jobs import Payload, Work
from bot.staff import data_requests, promises
from bot.staff.context import CLI, Office
from bot.staff.summary import say_of
from crm import calls, notices, outbox, privacy, sla, staff
from crm.calls import Ladder, Step
from crm.messages import Message, Purpose
from crm.sla import Policy
from storage import alarms, attendance, customers
from storage import calls as store
from storage import notices as notice_rows
from storage import outbox as queue
from storage.calls import CallRow
from storage.conversations import STAFF
from storage.database import Database
from storage.staff import StaffRow

JOB = "staff.desk"
AT_ONCE = 50
NOBODY_ALARM = "nobody_on_shift"
LOST_ALARM = "notice_lost"
_SHOP = "desk"
_NOBODY = (
    "Customers wait for a person within the opening hours, and nobody is on shift: a member of staff checks in with "
    "/ca; khachquen waiting lists who waits."
)
_LOST = (
    "A customer waits, and no notice about them got through to anybody: staff check in with /ca, which opens the "
    "platform's window; khachquen waiting lists who waits."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a look works with: the texts, the shop's calendar and promises, and whom to tell when."""

    office: Office
    policy: Policy
    ladder: Ladder


class Looking:
    """The job that looks."""

    def __init__(self, database: Database, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._database, self._desk, self._clock = database, desk, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.look}

    async def look(self, payload: Payload) -> None:
        """Do what is due; costs a few readings by index where nothing is."""
        now = self._clock()
        while await self._database.read(partial(_is_any, desk=self._desk, now=now)):
            look = partial(_look, desk=self._desk, now=now)
            if not await self._database.write(look, name=JOB):
                break


def _is_any(session: Session, desk: Desk, now: datetime) -> bool:
    return bool(
        _due(session, desk, now, 1)
        or notice_rows.ended(session, 1)
        or notices.is_any_needless(session)
        or sla.due(session, now, 1)
        or promises.low_scores(session, now)
        or privacy.due(session, now, 1)
        or alarms.subjects(session, LOST_ALARM)
        or _is_deserted(session, desk, now) != bool(alarms.subjects(session, NOBODY_ALARM))
    )


def _look(session: Session, desk: Desk, now: datetime) -> bool:
    """One look; whether there may be more to do."""
    found = [each.id for each in _due(session, desk, now, AT_ONCE)]
    customers.lock_owners(session.connection(), found)
    notices.settle(session)
    notices.void(session)
    due = _due(session, desk, now, AT_ONCE, found)
    lost, unsure = _delivery(session, due)
    store.put(session, [_attend(session, desk, each, each.id in lost, each.id in unsure, now) for each in due])
    promises.tell(session, desk.office, now)
    data_requests.tell(session, desk.office, now)
    _ring_for_nobody(session, desk, now)
    _solve_lost(session, now)
    return len(found) == AT_ONCE


def _due(session: Session, desk: Desk, now: datetime, most: int, among: Sequence[int] | None = None) -> list[CallRow]:
    anybody = desk.policy.calendar.is_open(now) and bool(staff.on_shift(session, now))
    return store.due(session, now, calls.QUIET, calls.COLLECTED_FOR, anybody, most, among)


def _delivery(session: Session, due: Sequence[CallRow]) -> tuple[set[int], set[int]]:
    """Whose last notices got through to nobody, and of whose it is not known yet."""
    states = _states(session, {each.id: each.told_at for each in due if each.told_at is not None})
    unsure = {key for key, found in states.items() if notice_rows.QUEUED in found and queue.SENT not in found}
    return {key for key, found in states.items() if found == {notice_rows.HELD}}, unsure


def _states(session: Session, told: Mapping[int, datetime]) -> dict[int, set[str]]:
    """How the notices stand that were made of each since it was told last."""
    states: dict[int, set[str]] = {key: set() for key in told}
    for key, at, state in notice_rows.states(session, list(told), notices.CALL, min(told.values())) if told else ():
        if at >= told[key]:
            states[key].add(state)
    return states


def _attend(session: Session, desk: Desk, call: CallRow, is_lost: bool, is_unsure: bool, now: datetime) -> CallRow:
    """Do what is due for one who waits; how far it is then."""
    there = staff.on_shift(session, now)
    owner = next((each for each in there if each.id == call.assigned_to), None)
    if owner is None or not call.step:
        return _assign(session, desk, call, owner, there, now)
    step = calls.next_step(call, now, is_lost, desk.ladder, desk.policy.calendar)
    if is_lost and (step is None or step > Step.TEAM):
        alarms.ring(session, LOST_ALARM, str(call.id), _LOST, now)
    if step is None:
        return _tell_news(session, desk, call, owner, is_unsure, now)
    offered_at = call.offered_at
    if step is Step.OFFERED:
        offered_at = now if _offer(session, desk, call, now) else offered_at
    else:
        told = {each.id: each for each in _told(session, step, owner, there)}
        _tell(session, desk, call, step, list(told.values()), owner, now)
    return _looked(desk, call._replace(step=int(step), told_at=now, offered_at=offered_at), True, now)


def _tell_news(session: Session, desk: Desk, call: CallRow, owner: StaffRow, is_unsure: bool, now: datetime) -> CallRow:
    """Tell the owner where their customer waits for another reason by now; the time of the next step stays."""
    if call.told_reason in (None, call.reason):
        return _looked(desk, call, is_unsure, now)
    _tell(session, desk, call, Step.OWNER, [owner], owner, now)
    return _looked(desk, call._replace(told_at=now), True, now)


def _assign(
    session: Session, desk: Desk, call: CallRow, owner: StaffRow | None, there: Sequence[StaffRow], now: datetime
) -> CallRow:
    """Give it to whoever is next, unless its owner is on shift; where nobody can have it, it stays in the queue.

    Who left their shift looks after it no more. While the shop is closed, only an owner who is there is told.
    """
    calendar = desk.policy.calendar
    if owner is None and calendar.is_open(now):
        owner = next(iter(there), None)
    if owner is None:
        attendance.change(session, call.id, assigned_to=None, assigned_at=None)
        offered_at = now if _is_time_to_offer(desk, call, now) and _offer(session, desk, call, now) else call.offered_at
        look_at = calendar.opens_next(now + calls.NOBODY_FOR)
        return call._replace(step=int(Step.QUEUED), called_at=None, told_at=now, look_at=look_at, offered_at=offered_at)
    if owner.id != call.assigned_to:
        attendance.change(session, call.id, assigned_to=owner.id, assigned_at=now)
        staff.given(session, owner.id, now)
    _tell(session, desk, call, Step.OWNER, [owner], owner, now)
    return _looked(desk, call._replace(step=int(Step.OWNER), called_at=now, told_at=now), True, now)


def _told(session: Session, step: Step, owner: StaffRow, there: Sequence[StaffRow]) -> list[StaffRow]:
    """Who is told at this step."""
    if step is Step.AGAIN:
        return [owner]
    if step is Step.TEAM:
        return [each for each in there if each.id != owner.id] or [owner]
    return [*staff.leads(session), *([owner] if step is Step.REPEATED else [])]


def _tell(
    session: Session, desk: Desk, call: CallRow, step: Step, whom: Sequence[StaffRow], owner: StaffRow, now: datetime
) -> None:
    say = say_of(session, desk.office, call, step, owner.name, now)
    for each in whom:
        notices.tell(session, each.id, notices.CALL, say, now, conversation_id=call.id)


def _looked(desk: Desk, call: CallRow, is_unsure: bool, now: datetime) -> CallRow:
    return call._replace(look_at=calls.looks_next(call, now, is_unsure, desk.ladder, desk.policy.calendar))


def _is_time_to_offer(desk: Desk, call: CallRow, now: datetime) -> bool:
    after, calendar = desk.ladder.offer, desk.policy.calendar
    return after is not None and calendar.is_open(now) and calendar.add(call.waiting_since, after) <= now


def _offer(session: Session, desk: Desk, call: CallRow, now: datetime) -> bool:
    """Let the bot say who it is and offer help to who waits where it is silent; False where it had better not."""
    if call.holder != STAFF or not calls.may_offer(call, now):
        return False
    person = customers.person(session, call.id)
    assert person is not None
    office = desk.office
    ahead = attendance.count_waiting(session, now, call.waiting_since)
    message = office.templates.render(
        "person/still_waiting", person.locale or office.locale, person.channel, {"ahead": ahead}
    )
    parts = office.channels[person.channel].split(message)
    return outbox.send(session, person, parts, Purpose.REPLY, now) is None


def _solve_lost(session: Session, now: datetime) -> None:
    """What got through to nobody is of no account any more once nobody waits there, or somebody was told since."""
    rung = {int(each) for each in alarms.subjects(session, LOST_ALARM)}
    if rung:
        states = _states(session, store.told_at(session, rung))
        lost = {key for key, found in states.items() if queue.SENT not in found}
        alarms.solve_many(session, LOST_ALARM, {str(key) for key in rung - lost}, now)


def _is_deserted(session: Session, desk: Desk, now: datetime) -> bool:
    """Whether somebody waits within the opening hours while nobody is on shift."""
    if not desk.policy.calendar.is_open(now) or staff.on_shift(session, now):
        return False
    return attendance.count_waiting(session, now, now - calls.COLLECTED_FOR) > 0


def _ring_for_nobody(session: Session, desk: Desk, now: datetime) -> None:
    """Ring while nobody is there, and tell the leads, once; solve it when somebody is."""
    if not _is_deserted(session, desk, now):
        alarms.solve(session, NOBODY_ALARM, _SHOP, now)
    elif alarms.ring(session, NOBODY_ALARM, _SHOP, _NOBODY, now):
        count = attendance.count_waiting(session, now, now)

        def say(number: int) -> Message:
            return desk.office.templates.render("staff/nobody", desk.office.locale, CLI, {"count": count})

        for each in staff.leads(session):
            notices.tell(session, each.id, "nobody", say, now)
