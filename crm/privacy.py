"""Requests of customers about their own data, to see, correct or erase it or take consent back, with their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import consent, holidays
from crm.errors import Conflict, Invalid, NotFound
from storage import alarms, customers
from storage import privacy as store
from storage.privacy import OPEN as OPEN
from storage.privacy import Request as Request


class Kind(StrEnum):
    """What a customer may ask for."""

    SEE = "see"
    CORRECT = "correct"
    ERASE = "erase"
    WITHDRAW = "withdraw"


class State(StrEnum):
    """How a request stands. WITHDRAWN: the customer took it back."""

    OPEN = OPEN
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


WITHIN: Mapping[Kind, timedelta] = {
    Kind.SEE: timedelta(days=10),
    Kind.CORRECT: timedelta(days=10),
    Kind.ERASE: timedelta(days=20),
    Kind.WITHDRAW: timedelta(days=15),
}
"""How long Decree 356/2025 leaves until it is done."""
ANSWERED_WITHIN_WORKING_DAYS = 2
"""And until the customer has an answer that says so."""

_ANSWER_SOON = timedelta(hours=24)
_DUE_SOON = timedelta(days=3)
_ANSWER_ALARM = "privacy_answer"
_DUE_ALARM = "privacy_due"
_LONGEST = 500
_ANSWER_WORDS = "A customer's request about their data must be answered within a day: khachquen privacy list."
_DUE_WORDS = "A customer's request about their data must be done within three days: khachquen privacy list."


def ask(
    session: Session,
    customer_id: int,
    kind: Kind,
    *,
    now: datetime,
    zone: ZoneInfo,
    identity_id: int | None = None,
    wording: str = "",
    message_id: str = "",
) -> Request | None:
    """Note what a customer asks for, and by when; None where the same is open already.

    Who takes consent back gets neither marketing nor care from this moment on, and that is all there is to do.
    """
    customers.lock(session, [customer_id])
    wording = wording[:_LONGEST]
    if kind is Kind.WITHDRAW:
        person = customers.person(session, identity_id) if identity_id else None
        channel = person.channel if person else ""
        consent.stop(session, customer_id, at=now, channel=channel, wording=wording, message_id=message_id)
    elif store.open_of(session, customer_id, kind):
        return None
    answer_by = working_days_after(now, ANSWERED_WITHIN_WORKING_DAYS, zone)
    is_done = kind is Kind.WITHDRAW
    number = store.add(
        session,
        {
            "customer_id": customer_id, "identity_id": identity_id, "kind": kind.value, "wording": wording,
            "message_id": message_id, "requested_at": now,
            "answer_by": answer_by, "due_at": now + WITHIN[kind], "look_at": None if is_done else now,
            "state": (State.DONE if is_done else State.OPEN).value, "answered_at": now if is_done else None,
            "ended_at": now if is_done else None, "ended_by": "bot" if is_done else "",
        },
    )  # fmt: skip
    return find(session, number)


def working_days_after(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of day so many working days later: neither weekends nor public holidays count."""
    local = at.astimezone(zone)
    while days:
        local += timedelta(days=1)
        if local.weekday() < 5 and local.date() not in holidays.holidays(local.year):
            days -= 1
    return local.astimezone(at.tzinfo)


def find(session: Session, number: int) -> Request:
    """A request. Raises NotFound."""
    found = store.find(session, number)
    if found is None:
        raise NotFound(f"Không có yêu cầu dữ liệu số {number}.", f"There is no data request {number}.")
    return found


def awaits(session: Session, customer_id: int, kind: Kind) -> bool:
    """Whether such a request is open."""
    return store.open_of(session, customer_id, kind) is not None


def open_requests(session: Session) -> list[Request]:
    """Requests that wait to be done, the soonest due first."""
    return store.open_requests(session)


def page(session: Session, after: int, most: int, *, everything: bool = False) -> list[Request]:
    """Open requests, or all of them, with a number above `after`, by number."""
    return store.page(session, [each.value for each in State] if everything else [OPEN], after, most)


def take_back(session: Session, customer_id: int, kind: Kind, now: datetime) -> bool:
    """The customer does not want it any more: the request stays as history. False where none is open."""
    customers.lock(session, [customer_id])
    found = store.open_of(session, customer_id, kind)
    return found is not None and _end(session, found, State.WITHDRAWN, now, "customer", "")


def answered(session: Session, number: int, now: datetime) -> bool:
    """The customer was told that we are at it; False where that was noted before, or the request has ended."""
    request = find(session, number)
    if request.answered_at is not None or not store.change(
        session, number, answered_at=now, look_at=max(now, request.due_at - _DUE_SOON)
    ):
        return False
    alarms.solve(session, _ANSWER_ALARM, str(number), now)
    return True


def done(session: Session, number: int, now: datetime, by: str, outcome: str = "") -> Request:
    """It was done as asked. Raises Conflict for one that has ended, and for an erasure, which `erasure.erase` ends."""
    request = _open(session, number)
    if request.kind == Kind.ERASE and store.certificate(session, request.customer_id, number) is None:
        raise Conflict(
            "Yêu cầu xóa chỉ xong khi dữ liệu đã được xóa.", "A request to erase is done when the data are erased."
        )
    _end(session, request, State.DONE, now, by, outcome)
    return find(session, number)


def refuse(session: Session, number: int, now: datetime, by: str, why: str) -> Request:
    """It is not done, for a reason that the customer is told. Raises Invalid without one, Conflict where it ended."""
    if not why.strip():
        raise Invalid("why", "Cần ghi lý do từ chối để trả lời khách.", "Say why: the customer is told the reason.")
    _end(session, _open(session, number), State.REFUSED, now, by, why.strip()[:_LONGEST])
    return find(session, number)


def end_all(session: Session, customer_id: int, now: datetime, by: str) -> None:
    """Whatever an erased customer asked for is done: nothing is left to see or to correct."""
    for request in store.open_requests_of(session, customer_id):
        _end(session, request, State.DONE, now, by, "")


def due(session: Session, now: datetime, most: int = 50) -> list[Request]:
    """Open requests of which staff must be told now: new ones, and those whose time runs out."""
    return store.due(session, now, most)


def noted(session: Session, request: Request, now: datetime) -> None:
    """Staff are told of this one now: ring where its time runs out, and look again when that changes."""
    if request.answered_at is None and request.answer_by and request.answer_by - _ANSWER_SOON <= now:
        alarms.ring(session, _ANSWER_ALARM, str(request.id), _ANSWER_WORDS, now)
    if request.due_at - _DUE_SOON <= now:
        alarms.ring(session, _DUE_ALARM, str(request.id), _DUE_WORDS, now)
    store.change(session, request.id, look_at=_look_after(request, now))


def is_late(request: Request, now: datetime) -> bool:
    """Whether a moment was missed by which the law wants something."""
    unanswered = request.answered_at is None and request.answer_by is not None and request.answer_by <= now
    return request.state == OPEN and (unanswered or request.due_at <= now)


def carry_over(session: Session, source: int, target: int) -> None:
    """Requests of a customer who turned out to be another."""
    store.move(session, source, target)


def _look_after(request: Request, now: datetime) -> datetime | None:
    moments = [request.due_at - _DUE_SOON, request.due_at]
    if request.answered_at is None and request.answer_by:
        moments += [request.answer_by - _ANSWER_SOON, request.answer_by]
    return min((each for each in moments if each > now), default=None)


def _open(session: Session, number: int) -> Request:
    request = find(session, number)
    if request.state != OPEN:
        raise Conflict(f"Yêu cầu {number} đã kết thúc rồi.", f"The request {number} has ended already.")
    return request


def _end(session: Session, request: Request, state: State, now: datetime, by: str, outcome: str) -> bool:
    values = {"state": state.value, "ended_at": now, "ended_by": by, "outcome": outcome, "look_at": None}
    if request.answered_at is None and state is not State.WITHDRAWN:
        values["answered_at"] = now
    ended = store.change(session, request.id, **values)
    for kind in (_ANSWER_ALARM, _DUE_ALARM):
        alarms.solve(session, kind, str(request.id), now)
    return ended
