"""What a turn of sending must know of those who are due: who and where they are, and what they got lately."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, func, or_, select
from sqlmodel import Session

from storage import care
from storage.claims import KEEPS_PLACE
from storage.conversations import Conversation
from storage.customers import Customer, Identity
from storage.hot import Among, Fetch
from storage.outbox import SENDING as FLYING
from storage.outbox import OutboxMessage
from storage.queue import WAITING, stands
from storage.recipients import OPEN, PENDING, Recipient

_recipient = Recipient.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_conversation = Conversation.__table__  # type: ignore[attr-defined]
_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]


class Waiting(NamedTuple):
    """A recipient who is due, with their customer as it stands now."""

    id: int
    broadcast_id: int | None
    care_rule_id: int | None
    subject: str
    customer_id: int
    purpose: str
    due_at: datetime
    attempts: int
    created_at: datetime
    happened_at: datetime | None
    meant_at: datetime | None
    name: str
    locale: str
    phone: str | None
    merged_into: int | None


class Place(NamedTuple):
    """One identity of a customer: where they can be written to, who talks with them there, whether something of ours
    waits for them or is on its way."""

    customer_id: int
    identity_id: int
    channel: str
    account_id: str
    user_id: str
    name: str
    last_interaction_at: datetime | None
    unreachable_since: datetime | None
    of_staff: bool
    holder: str
    waiting_since: datetime | None
    is_busy: bool


def _waiting(*of: Any) -> Select[Any]:
    """Those who are due; `of` says of what. Nobody else changes them until the transaction ends: who is being joined to
    another, or erased, is left for later."""
    return (
        select(
            *(_recipient.c[name] for name in Waiting._fields[:11]),
            *(_customer.c[name] for name in Waiting._fields[11:]),
        )
        .join(_customer, _customer.c.id == _recipient.c.customer_id)
        .where(
            *of,
            stands(_recipient.c.state, *OPEN),
            stands(_recipient.c.state, PENDING),
            _recipient.c.due_at <= bindparam("now", type_=_recipient.c.due_at.type, required=True),
        )
        .order_by(_recipient.c.due_at, _recipient.c.id)
        .limit(bindparam("most", required=True))
        .with_for_update(of=_recipient, skip_locked=True)
    )


def _places(among: Among) -> Select[Any]:
    soon = bindparam("soon", type_=_outbox.c.ready_at.type, required=True)
    open_here = (
        _outbox.c.identity_id == _identity.c.id,
        stands(_outbox.c.state, WAITING, FLYING),
        or_(stands(_outbox.c.state, FLYING), _outbox.c.ready_at <= soon),
    )
    of_staff = _identity.c.staff_id.is_not(None) | _identity.c.staff_only
    return (
        select(
            *(_identity.c[name] for name in ("customer_id", "id", "channel", "account_id", "user_id", "name")),
            _identity.c.last_interaction_at, _identity.c.unreachable_since, of_staff.label("of_staff"),
            _conversation.c.holder, _conversation.c.waiting_since, exists().where(*open_here).label("is_busy"),
        )
        .join(_conversation, _conversation.c.id == _identity.c.id)
        .where(among(_identity.c.customer_id, "customers"))
        .order_by(_identity.c.id)
    )  # fmt: skip


def _counts(among: Among) -> Select[Any]:
    """How many each customer got since `day`, and since `week`, which is the longer span."""
    moment = _recipient.c.sent_at.type
    day = bindparam("day", type_=moment, required=True)
    return (
        select(
            _recipient.c.customer_id,
            func.count().filter(_recipient.c.sent_at > day).label("day"),
            func.count().label("week"),
        )
        .where(
            among(_recipient.c.customer_id, "customers"),
            _recipient.c.sent_at > bindparam("week", type_=moment, required=True),
            _recipient.c.sent_at.is_not(None),
            _recipient.c.purpose != "transaction",
        )
        .group_by(_recipient.c.customer_id)
    )


_OF_BROADCAST = Fetch(lambda _among: _waiting(_recipient.c.broadcast_id == bindparam("broadcast", required=True)))
_OF_CARE = Fetch(
    lambda _among: _waiting(_recipient.c.broadcast_id.is_(None), _recipient.c.care_rule_id.not_in(care.paused()))
)
_PLACES = Fetch(_places)
_COUNTS = Fetch(_counts)
_USED = Fetch(
    lambda among: select(_recipient.c.identity_id).where(
        _recipient.c.broadcast_id == bindparam("broadcast", required=True),
        among(_recipient.c.identity_id, "identities"),
    )
)


def of_broadcast(session: Session, broadcast_id: int, now: datetime, most: int) -> list[Waiting]:
    """Who of a broadcast is due, those first that wait longest."""
    rows = _OF_BROADCAST.rows(session.connection(), broadcast=broadcast_id, now=now, most=most)
    return [Waiting._make(row) for row in rows]


def of_care(session: Session, now: datetime, most: int) -> list[Waiting]:
    """Who is due by any care rule that is not paused, those first that wait longest."""
    return [Waiting._make(row) for row in _OF_CARE.rows(session.connection(), now=now, most=most)]


def places(session: Session, customer_ids: Collection[int], now: datetime) -> dict[int, list[Place]]:
    """Where these customers can be found, each one's oldest identity first.

    One is busy while something goes to it, or will soon; what is held for longer is in nobody's way.
    """
    found: dict[int, list[Place]] = {}
    for row in _PLACES.rows(session.connection(), customers=sorted(set(customer_ids)), soon=now + KEEPS_PLACE):
        place = Place._make(row)
        found.setdefault(place.customer_id, []).append(place)
    return found


def counts(
    session: Session, customer_ids: Collection[int], day: datetime, week: datetime
) -> dict[int, tuple[int, int]]:
    """How many messages of care and advertising each of these may have got since `day`, and since `week`."""
    rows = _COUNTS.rows(session.connection(), customers=sorted(set(customer_ids)), day=day, week=week)
    return {row[0]: (row[1], row[2]) for row in rows}


def used(session: Session, broadcast_id: int, identity_ids: Collection[int]) -> set[int]:
    """Those of these identities that another recipient of the broadcast was written to at."""
    rows = _USED.rows(session.connection(), broadcast=broadcast_id, identities=sorted(set(identity_ids)))
    return {row[0] for row in rows}
