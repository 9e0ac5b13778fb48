"""Who of staff looks after which conversation, and who waits for one of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlmodel import Session

from storage.conversations import BOT, Conversation
from storage.customers import Customer, Identity
from storage.queue import stands
from storage.transcripts import TranscriptMessage


class Attended(NamedTuple):
    """A conversation in a list of staff's; `line` is the last thing the customer said."""

    id: int
    customer_name: str
    identity_name: str
    channel: str
    holder: str
    waiting_since: datetime | None
    assigned_to: int | None
    snoozed_until: datetime | None
    line: str | None

    @property
    def name(self) -> str:
        """Who it is, as staff see them."""
        return self.customer_name or self.identity_name or "khách"


class Duty(NamedTuple):
    """Who looks after a conversation and who answered it last."""

    assigned_to: int | None
    assigned_at: datetime | None
    answered_by: int | None
    answered_at: datetime | None
    snoozed_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    last_staff_at: datetime | None
    last_interaction_at: datetime | None


_conversation = Conversation.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_message = TranscriptMessage.__table__  # type: ignore[attr-defined]

_LINE = (
    select(_message.c.text)
    .where(_message.c.conversation_id == _conversation.c.id, _message.c.author == "customer")
    .order_by(_message.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_ATTENDED = (
    select(
        _conversation.c.id, _customer.c.name, _identity.c.name, _identity.c.channel, _conversation.c.holder,
        _conversation.c.waiting_since, _conversation.c.assigned_to, _conversation.c.snoozed_until, _LINE,
    )
    .join(_identity, _identity.c.id == _conversation.c.id)
    .join(_customer, _customer.c.id == _identity.c.customer_id)
    .where(_identity.c.staff_id.is_(None))
)  # fmt: skip
_DUTY = select(
    *(_conversation.c[name] for name in Duty._fields[:-1]), _identity.c.last_interaction_at
).join(_identity, _identity.c.id == _conversation.c.id)  # fmt: skip


def waits(now: datetime) -> ColumnElement[bool]:
    """Whether a customer waits for a person and was not put off, in a statement that joins the identity."""
    until, spoke = _conversation.c.snoozed_until, _identity.c.last_interaction_at
    awake = or_(until.is_(None), until <= now, spoke > _conversation.c.snoozed_at)
    return and_(_conversation.c.waiting_since.is_not(None), awake)


def waiting(session: Session, now: datetime, most: int) -> list[Attended]:
    """Those whose customer waits for a person, the longest waiting first.

    What was put off is not among them, until its time comes or the customer writes.
    """
    statement = _ATTENDED.where(waits(now)).order_by(_conversation.c.waiting_since, _conversation.c.id).limit(most)
    return [Attended._make(row) for row in session.connection().execute(statement)]


def count_waiting(session: Session, now: datetime, before: datetime | None = None, besides: int | None = None) -> int:
    """How many there are of those, `besides` one; only who waits since earlier than `before` where that is given."""
    statement = select(func.count()).select_from(_conversation).join(_identity, _identity.c.id == _conversation.c.id)
    statement = statement.where(waits(now), _identity.c.staff_id.is_(None))
    if before is not None:
        statement = statement.where(_conversation.c.waiting_since < before)
    if besides is not None:
        statement = statement.where(_conversation.c.id != besides)
    return int(session.connection().execute(statement).scalar_one())


def waiting_at(session: Session, at: datetime, among: Collection[int] | None = None) -> dict[int, datetime]:
    """The conversations whose customer waits since then or longer, and was not put off then.

    Each with since when: a customer who was put off and has said nothing since waits from the end of that on.
    """
    until, spoke = _conversation.c.snoozed_until, _identity.c.last_interaction_at
    statement = select(
        _conversation.c.id, _conversation.c.waiting_since, case((spoke > _conversation.c.snoozed_at, None), else_=until)
    ).join(_identity, _identity.c.id == _conversation.c.id)
    statement = statement.where(waits(at), _conversation.c.waiting_since <= at, _identity.c.staff_id.is_(None))
    if among is not None:
        statement = statement.where(_conversation.c.id.in_(among))
    return {row[0]: max(filter(None, row[1:])) for row in session.connection().execute(statement)}


def of_staff(session: Session, staff_id: int, most: int) -> list[Attended]:
    """Those that a member of staff looks after, the longest waiting first."""
    longest = (_conversation.c.waiting_since.is_(None), _conversation.c.waiting_since, _conversation.c.id)
    statement = _ATTENDED.where(_conversation.c.assigned_to == staff_id).order_by(*longest).limit(most)
    return [Attended._make(row) for row in session.connection().execute(statement)]


def held(session: Session, most: int) -> list[Attended]:
    """Those in which the bot is silent, the longest held first."""
    silent = ~stands(_conversation.c.holder, BOT)
    statement = _ATTENDED.where(silent).order_by(_conversation.c.handed_over_at, _conversation.c.id).limit(most)
    return [Attended._make(row) for row in session.connection().execute(statement)]


def some(session: Session, conversation_ids: Collection[int]) -> list[Attended]:
    """These, by id; those that are not there or belong to staff are left out."""
    statement = _ATTENDED.where(_conversation.c.id.in_(conversation_ids)).order_by(_conversation.c.id)
    return [Attended._make(row) for row in session.connection().execute(statement)]


def duty(session: Session, conversation_id: int) -> Duty:
    """Who looks after this conversation."""
    row = session.connection().execute(_DUTY.where(_conversation.c.id == conversation_id)).one()
    return Duty._make(row)


def change(session: Session, conversation_id: int, **values: object) -> None:
    """Set columns of one conversation."""
    statement = update(_conversation).where(_conversation.c.id == conversation_id)
    session.connection().execute(statement.values(**values))
