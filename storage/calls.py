"""Customers who wait for a person: how far staff were told of it, and when to look again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select
from sqlmodel import Field, Session, SQLModel

from storage.attendance import waits
from storage.columns import BigInt, insert, moment
from storage.conversations import BOT, STAFF, Conversation
from storage.customers import Customer, Identity
from storage.queue import stands
from storage.staff import Staff

T = TypeVar("T")


class Call(SQLModel, table=True):
    """How far staff were told that a conversation waits; one row for each that ever did.

    `since` is the waiting that it is about: the row is of no account for any other, nor where the conversation was put
    off since. `step` is the last that was taken, at `told_at`; `called_at` is when somebody was told first.
    `reason` is why they waited when staff were told last. `offered_at` is when the bot last offered help to who waited.
    """

    __tablename__ = "call"

    conversation_id: int = Field(
        primary_key=True, foreign_key="conversation.id", sa_type=BigInt, sa_column_kwargs={"autoincrement": False}
    )
    since: datetime = moment()
    step: int
    called_at: datetime | None = moment(nullable=True)
    told_at: datetime = moment()
    look_at: datetime = moment()
    offered_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, max_length=16)


class CallRow(NamedTuple):
    """A conversation that waits, with its call; `step` is None where staff were told nothing of this waiting yet.

    `told_reason` is what they were told as its reason; None where that was not kept. `is_woken`: the customer was put
    off and has said nothing since.
    """

    id: int
    customer_id: int
    name: str
    channel: str
    holder: str
    reason: str
    waiting_since: datetime
    last_staff_at: datetime | None
    assigned_to: int | None
    step: int | None
    called_at: datetime | None
    told_at: datetime | None
    look_at: datetime | None
    offered_at: datetime | None
    told_reason: str | None
    is_woken: bool


_call = Call.__table__  # type: ignore[attr-defined]
_conversation = Conversation.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_owner = Staff.__table__  # type: ignore[attr-defined]
_IS_THIS = and_(
    _call.c.since == _conversation.c.waiting_since,
    or_(_conversation.c.snoozed_at.is_(None), _call.c.told_at >= _conversation.c.snoozed_at),
)

_IS_WOKEN = and_(
    _conversation.c.snoozed_at.is_not(None),
    _conversation.c.snoozed_at >= _conversation.c.waiting_since,
    or_(_identity.c.last_interaction_at.is_(None), _identity.c.last_interaction_at <= _conversation.c.snoozed_at),
)


def _of_this(column: ColumnElement[T]) -> ColumnElement[T | None]:
    return case((_IS_THIS, column), else_=None)


_ROW = (
    select(
        _conversation.c.id, _identity.c.customer_id,
        func.coalesce(func.nullif(_customer.c.name, ""), _identity.c.name), _identity.c.channel,
        _conversation.c.holder, _conversation.c.reason, _conversation.c.waiting_since, _conversation.c.last_staff_at,
        _conversation.c.assigned_to, case((_IS_THIS, _call.c.step), else_=None),
        *(_of_this(_call.c[name]) for name in ("called_at", "told_at", "look_at")), _call.c.offered_at,
        _of_this(_call.c.reason), _IS_WOKEN,
    )
    .join(_identity, _identity.c.id == _conversation.c.id)
    .join(_customer, _customer.c.id == _identity.c.customer_id)
    .outerjoin(_call, _call.c.conversation_id == _conversation.c.id)
    .outerjoin(_owner, _owner.c.id == _conversation.c.assigned_to)
)  # fmt: skip


def due(
    session: Session,
    now: datetime,
    quiet: timedelta,
    at_most: timedelta,
    anybody: bool,
    most: int,
    among: Collection[int] | None = None,
) -> list[CallRow]:
    """Those to be looked at now, the longest waiting first; only `among` these where that is given.

    A new one when its customer was `quiet` for so long, or after `at_most`; one that was told of when its time comes,
    and where its customer waits for another reason than was told, once they are quiet; one whose owner went off shift,
    at once; and where there is `anybody` on shift, also those that nobody has.
    """
    statement = _due(now, quiet, at_most, anybody).order_by(_conversation.c.waiting_since, _conversation.c.id)
    if among is not None:
        statement = statement.where(_conversation.c.id.in_(among))
    return [CallRow._make(row) for row in session.connection().execute(statement.limit(most))]


def _due(now: datetime, quiet: timedelta, at_most: timedelta, anybody: bool) -> Select[tuple[object, ...]]:
    spoke = _identity.c.last_interaction_at
    is_quiet = or_(spoke.is_(None), spoke <= now - quiet)
    is_collected = or_(_conversation.c.waiting_since <= now - at_most, is_quiet)
    is_new = and_(or_(_call.c.conversation_id.is_(None), not_(_IS_THIS)), is_collected)
    is_news = and_(_IS_THIS, _call.c.reason != _conversation.c.reason, is_quiet)
    is_off = or_(_owner.c.revoked_at.is_not(None), _owner.c.shift_until.is_(None), _owner.c.shift_until <= now)
    is_left = and_(_conversation.c.assigned_to.is_not(None), is_off)
    looks = [is_new, is_news, and_(_IS_THIS, _call.c.look_at <= now), is_left]
    if anybody:
        looks.append(and_(_IS_THIS, _conversation.c.assigned_to.is_(None)))
    ours = stands(_conversation.c.holder, BOT, STAFF)
    return _ROW.where(waits(now), ours, _identity.c.staff_id.is_(None), or_(*looks))


def told_at(session: Session, conversation_ids: Collection[int]) -> dict[int, datetime]:
    """When staff were told last of each of these that waits now."""
    statement = select(_call.c.conversation_id, _call.c.told_at).join(
        _conversation, _conversation.c.id == _call.c.conversation_id
    )
    statement = statement.where(_call.c.conversation_id.in_(conversation_ids), _IS_THIS)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def put(session: Session, rows: Sequence[CallRow]) -> None:
    """Keep how far these were told of, for their waiting of now."""
    if not rows:
        return
    kept = ("step", "called_at", "told_at", "look_at", "offered_at")
    values = [
        {
            "conversation_id": row.id, "since": row.waiting_since, "reason": row.reason,
            **{name: getattr(row, name) for name in kept},
        }
        for row in rows
    ]  # fmt: skip
    statement = insert(session.get_bind().dialect.name, _call)
    told = {name: statement.excluded[name] for name in ("since", "reason", *kept)}
    session.connection().execute(statement.on_conflict_do_update(index_elements=["conversation_id"], set_=told), values)
