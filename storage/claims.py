"""Claims on messages out: which may go now and in which order, and that they are being sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, or_, select
from sqlmodel import Session

from storage import engines
from storage.customers import Identity
from storage.hot import Among, Fetch
from storage.outbox import SENDING, UNKNOWN, OutboxMessage
from storage.queue import WAITING, set_rows, stands

KEEPS_PLACE = timedelta(seconds=30)
_LOCK = 7_114_001


class Due(NamedTuple):
    """A message that may be claimed, with what decides whether and how it goes."""

    id: int
    identity_id: int
    channel: str
    account_id: str
    user_id: str
    purpose: str
    typed_by_person: bool
    body: str
    attempts: int
    resent: bool
    lease_token: int
    last_interaction_at: datetime | None
    unreachable_since: datetime | None
    customer_id: int
    created_at: datetime


class Claim(NamedTuple):
    """A message that is to be sent: by which lane, under which new token, at which expected cost in đồng."""

    id: int
    lane: str
    token: int
    cost: int = 0


_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_first = _outbox.alias("first")
_flying = _outbox.alias("flying")


def _due(among: Among) -> Select[Any]:
    """The query of `due`. Who is first is asked for each message by itself: joining all with all takes its square."""
    moment = _outbox.c.ready_at.type
    first = (
        select(_first.c.id)
        .where(
            _first.c.identity_id == _outbox.c.identity_id,
            stands(_first.c.state, WAITING, SENDING),
            or_(
                stands(_first.c.state, SENDING),
                _first.c.ready_at <= bindparam("soon", type_=moment, required=True),
            ),
        )
        .order_by(_first.c.priority, _first.c.id)
        .limit(1)
    )
    flying = exists().where(
        _flying.c.identity_id == _outbox.c.identity_id,
        stands(_flying.c.state, SENDING, UNKNOWN),
        stands(_flying.c.state, SENDING),
    )
    return (
        select(
            _outbox.c.id, _outbox.c.identity_id, _outbox.c.channel, _outbox.c.account_id, _outbox.c.user_id,
            _outbox.c.purpose, _outbox.c.typed_by_person, _outbox.c.body, _outbox.c.attempts, _outbox.c.resent,
            _outbox.c.lease_token, _identity.c.last_interaction_at, _identity.c.unreachable_since,
            _identity.c.customer_id, _outbox.c.created_at,
        )
        .join(_identity, _identity.c.id == _outbox.c.identity_id)
        .where(
            stands(_outbox.c.state, WAITING),
            _outbox.c.ready_at <= bindparam("now", type_=moment, required=True),
            among(_outbox.c.account_id, "accounts"),
            _outbox.c.id == first.scalar_subquery(),
            ~flying,
        )
        .order_by(_outbox.c.priority, _outbox.c.id)
        .limit(bindparam("most", required=True))
    )  # fmt: skip


_DUE = Fetch(_due)
_AHEAD = Fetch(
    lambda among: (
        select(_outbox.c.channel, _outbox.c.account_id)
        .where(
            stands(_outbox.c.state, WAITING),
            among(_outbox.c.account_id, "accounts"),
            _outbox.c.priority <= bindparam("priority", required=True),
            _outbox.c.ready_at <= bindparam("now", type_=_outbox.c.ready_at.type, required=True),
        )
        .limit(bindparam("most", required=True))
    )
)
_BUSY = Fetch(
    lambda among: select(_outbox.c.identity_id).where(
        among(_outbox.c.identity_id, "identities"), stands(_outbox.c.state, WAITING, SENDING)
    )
)


def lock(session: Session) -> None:
    """Let one transaction claim at a time (PostgreSQL): one message in flight per identity, one pace per account."""
    if session.get_bind().dialect.name != "sqlite":
        engines.execute(session.connection(), "SELECT pg_advisory_xact_lock($1)", (_LOCK,))


def due(session: Session, accounts: Sequence[str], now: datetime, most: int) -> list[Due]:
    """The first message of each person that has none in flight, by priority and age.

    One that waits for a retry keeps its place before later ones, unless it waits for long.
    """
    rows = _DUE.rows(session.connection(), accounts=sorted(set(accounts)), now=now, soon=now + KEEPS_PLACE, most=most)
    return [Due._make(row) for row in rows]


def ahead(
    session: Session, accounts: Sequence[str], priority: int, now: datetime, most: int
) -> Counter[tuple[str, str]]:
    """How many messages of this priority or a better one are due, by (channel, account id); counting ends at `most`."""
    rows = _AHEAD.rows(session.connection(), accounts=sorted(set(accounts)), priority=priority, now=now, most=most)
    return Counter((channel, account_id) for channel, account_id in rows)


def busy(session: Session, identity_ids: Collection[int]) -> set[int]:
    """Those of these identities for whom something waits or is being sent."""
    return {row[0] for row in _BUSY.rows(session.connection(), identities=list(identity_ids))}


def start(session: Session, owner: str, now: datetime, until: datetime, claims: Sequence[Claim]) -> None:
    """Note that these messages are being sent, and what that costs; this is committed before the call."""
    set_rows(session.connection(), _outbox, [{"id": each.id, **sending(owner, now, until, each)} for each in claims])


def sending(owner: str, now: datetime, until: datetime, claim: Claim) -> Mapping[str, Any]:
    """What a row says of a message that is being sent."""
    return {
        "state": SENDING, "lease_owner": owner, "lease_until": until, "lane": claim.lane, "lease_token": claim.token,
        "cost": claim.cost, "sent_at": now,
    }  # fmt: skip
