"""The queue of messages out: what is to be said, to whom, why, and how it went."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Index,
    false,
    func,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlmodel import Field, Session

from storage import recipients
from storage.columns import NEVER, given_id, moment, reference
from storage.hot import Fetch, inserting, updating
from storage.queue import DEAD, WAITING, Leased, QueueRow, Replayed, dead_among, set_rows, stands
from storage.work import wake

TOPIC = "outbox"
SENDING = "sending"
SENT = "sent"
UNKNOWN = "unknown"
WITHDRAWN = "withdrawn"

_WAITING = text("state = 'waiting'")
_OPEN = text("state IN ('waiting', 'sending')")
_UNSETTLED = text("state = 'unknown'")
_IN_DOUBT = text("state IN ('sending', 'unknown')")
_DEAD = text("state = 'dead'")
_PAID = text("cost > 0")
_KEYED = text("dedup_key IS NOT NULL")


class OutboxMessage(QueueRow, Leased, table=True):
    """One message that takes one call. States: waiting → sending → sent | unknown | dead; or waiting → withdrawn.

    `unknown`: the platform may have taken it; `ready_at` says when it is looked into.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_dedup_key", "dedup_key", unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED),
        Index("ix_outbox_person", "identity_id", "priority", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_outbox_due", "priority", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_outbox_unknown", "ready_at", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
        Index("ix_outbox_in_doubt", "identity_id", sqlite_where=_IN_DOUBT, postgresql_where=_IN_DOUBT),
        Index("ix_outbox_dead", "id", sqlite_where=_DEAD, postgresql_where=_DEAD),
        Index("ix_outbox_paid", "channel", "account_id", "sent_at", "cost", sqlite_where=_PAID, postgresql_where=_PAID),
    )

    id: int = given_id()
    identity_id: int = reference("identity.id")
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    user_id: str = Field(max_length=255)
    purpose: str = Field(max_length=16)
    priority: int
    typed_by_person: bool = False
    body: str
    dedup_key: str | None = Field(default=None, max_length=128)
    lane: str = ""
    resent: bool = False
    message_id: str = ""
    quota: str = ""
    cost: int = Field(sa_column_kwargs={"server_default": "0"})
    created_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)


_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]
_SENT = updating(
    _outbox,
    ("message_id", "quota", "sent_at"),
    stands(_outbox.c.state, SENDING, UNKNOWN),
    constants={"state": SENT, "lease_until": NEVER, "error": ""},
)
_ID = attrgetter("id")
_CHARGED = updating(_outbox, ("quota", "cost"), stands(_outbox.c.state, SENT))
_LOCK = Fetch(
    lambda among: select(_outbox.c.id).where(among(_outbox.c.id, "ids")).order_by(_outbox.c.id).with_for_update()
)
_KEYS = (
    "id", "identity_id", "channel", "account_id", "user_id", "purpose", "priority", "typed_by_person", "body",
    "dedup_key", "state", "ready_at", "attempts", "error", "lease_owner", "lease_until", "lease_token", "lane",
    "resent", "message_id", "quota", "cost", "created_at", "sent_at",
)  # fmt: skip
_ADD = inserting(
    _outbox, _KEYS, lambda statement: statement.on_conflict_do_nothing(index_elements=["dedup_key"], index_where=_KEYED)
)


class Sending(NamedTuple):
    """A message that nobody asked for, as it is written down when it is sent."""

    id: int
    identity_id: int
    channel: str
    account_id: str
    user_id: str
    purpose: str
    priority: int
    body: str
    ready_at: datetime
    attempts: int
    lease_owner: str
    lease_until: datetime
    lane: str
    cost: int
    created_at: datetime
    sent_at: datetime


_ADD_SENDING = inserting(
    _outbox,
    Sending._fields,
    alike={
        "typed_by_person": false(), "dedup_key": null(), "state": literal_column(f"'{SENDING}'"),
        "error": literal_column("''"), "lease_token": literal_column("1"), "resent": false(),
        "message_id": literal_column("''"), "quota": literal_column("''"),
    },
)  # fmt: skip


class Sent(NamedTuple):
    """A message that the platform took; `cost` in đồng where the platform charged something else than was expected.

    `unasked` is False where it is surely no recipient's of a broadcast or a care rule.
    """

    id: int
    message_id: str
    quota: str
    sent_at: datetime
    cost: int | None = None
    unasked: bool = True


def add_many(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue messages. One whose `dedup_key` is there already is dropped."""
    _ADD.run(connection, rows)


def add_sending(connection: Connection, rows: Sequence[Sending]) -> None:
    """Write down messages that are being sent from now on, each under its first lease."""
    _ADD_SENDING.run(connection, rows)


def sent(connection: Connection, rows: Sequence[Sent]) -> None:
    """The platform took these; an echo may have said so before, or say so again."""
    if rows:
        _LOCK.lock(connection, ids=[row.id for row in rows])
    rows = sorted(rows, key=_ID)
    _SENT.run(connection, rows)
    _CHARGED.run(connection, [row for row in rows if row.cost is not None])
    recipients.sent(connection, [recipients.Went(row.id, row.sent_at) for row in rows if row.unasked])


def prolong(session: Session, outbox_id: int, token: int, until: datetime) -> None:
    """Keep a message that is being sent for longer."""
    mine = (_outbox.c.id == outbox_id, _outbox.c.lease_token == token, stands(_outbox.c.state, SENDING))
    session.connection().execute(update(_outbox).where(*mine).values(lease_until=until))


def move(session: Session, outbox_id: int, came_from: str, token: int | None = None, **values: Any) -> bool:
    """Change one message if it still stands where the caller left it (`came_from`, under `token` where one is given).

    False where an echo was faster, or another worker has taken it over.
    """
    statement = update(_outbox).where(_outbox.c.id == outbox_id, _outbox.c.state == came_from)
    if token is not None:
        statement = statement.where(_outbox.c.lease_token == token)
    moved = session.connection().execute(statement.values(lease_until=NEVER, **values)).rowcount == 1
    if moved:
        wake(session, TOPIC)
    return moved


def give_up(session: Session, reasons: Mapping[int, str]) -> None:
    """These waiting messages will not be sent, each for its reason."""
    rows = [{"id": key, "state": DEAD, "error": reason[:500], "lease_until": NEVER} for key, reason in reasons.items()]
    set_rows(session.connection(), _outbox, rows)


def hurry(session: Session, channel: str, account_id: str, now: datetime) -> None:
    """What failed before and waits with this account is tried again now."""
    failed = (stands(_outbox.c.state, WAITING), _outbox.c.ready_at > now, _outbox.c.error != "")
    theirs = (_outbox.c.channel == channel, _outbox.c.account_id == account_id)
    session.connection().execute(update(_outbox).where(*failed, *theirs).values(ready_at=now))
    wake(session, TOPIC)


def withdraw(connection: Connection, identity_ids: Collection[int], purpose: str) -> None:
    """What waits for these persons with this purpose is not sent; what is on its way goes on."""
    mine = (_outbox.c.identity_id.in_(identity_ids), stands(_outbox.c.state, WAITING, SENDING, UNKNOWN))
    waiting = (*mine, stands(_outbox.c.state, WAITING), _outbox.c.purpose == purpose)
    found = select(_outbox.c.id).where(*waiting).order_by(_outbox.c.id).with_for_update(skip_locked=True)
    connection.execute(update(_outbox).where(_outbox.c.id.in_(found)).values(state=WITHDRAWN))


class Totals(NamedTuple):
    """How many messages stand where; `oldest` is when the one that waits longest became ready."""

    waiting: int
    unknown: int
    oldest: datetime | None


def sent_between(session: Session, channel: str, account_id: str, since: datetime, until: datetime, most: int) -> int:
    """How many messages of an account went out in this time; counting ends at `most`."""
    sent = (
        select(_outbox.c.id)
        .where(
            _outbox.c.channel == channel,
            _outbox.c.account_id == account_id,
            _outbox.c.sent_at.between(since, until),
            stands(_outbox.c.state, SENT),
        )
        .limit(most)
    )
    return int(session.connection().execute(select(func.count()).select_from(sent.subquery())).scalar_one())


def totals(session: Session) -> Totals:
    """The state of the outbox."""
    run = session.connection().execute
    count = select(func.count()).select_from(_outbox)
    return Totals(
        waiting=run(count.where(stands(_outbox.c.state, WAITING, SENDING))).scalar_one(),
        unknown=run(count.where(stands(_outbox.c.state, UNKNOWN))).scalar_one(),
        oldest=run(select(func.min(_outbox.c.ready_at)).where(stands(_outbox.c.state, WAITING))).scalar_one(),
    )


def dead_count(session: Session, but_not: Collection[str] = ()) -> int:
    """How many messages were given up, without those of the purposes `but_not`."""
    statement = select(func.count()).select_from(_outbox).where(stands(_outbox.c.state, DEAD))
    statement = statement.where(_outbox.c.purpose.not_in(sorted(but_not)))
    return int(session.connection().execute(statement).scalar_one())


class Struggling(NamedTuple):
    """How many messages of one account failed alike and wait for their next try."""

    channel: str
    account_id: str
    error: str
    messages: int
    attempts: int


def struggling(session: Session) -> list[Struggling]:
    """The messages that a failure holds up, by account and by what the last one was.

    `attempts` is 0 where none of them was counted: then waiting alone may mend it.
    """
    alike = (_outbox.c.channel, _outbox.c.account_id, _outbox.c.error)
    statement = (
        select(*alike, func.count(), func.max(_outbox.c.attempts))
        .where(stands(_outbox.c.state, WAITING), _outbox.c.error != "")
        .group_by(*alike)
        .order_by(*alike)
    )
    return [Struggling._make(row) for row in session.connection().execute(statement)]


class DeadMessage(NamedTuple):
    """A message that was given up."""

    id: int
    channel: str
    account_id: str
    purpose: str
    created_at: datetime
    error: str


def dead(session: Session, most: int = 100) -> list[DeadMessage]:
    """The messages that were given up, newest first."""
    statement = select(*(_outbox.c[name] for name in DeadMessage._fields)).where(stands(_outbox.c.state, DEAD))
    return [
        DeadMessage._make(row)
        for row in session.connection().execute(statement.order_by(_outbox.c.id.desc()).limit(most))
    ]


def replay(session: Session, ids: Sequence[int], now: datetime, but_not: Collection[str] = ()) -> Replayed:
    """Let given-up messages wait again, with all their tries; those of the purposes `but_not` are kept as they are."""
    statement = (
        update(_outbox)
        .where(_outbox.c.id.in_(ids), stands(_outbox.c.state, DEAD), _outbox.c.purpose.not_in(sorted(but_not)))
        .values(state=WAITING, attempts=0, error="", ready_at=now, resent=False, lease_until=NEVER)
        .returning(_outbox.c.id)
    )
    again = sorted(session.connection().execute(statement).scalars())
    if again:
        wake(session, TOPIC)
    return Replayed(again, dead_among(session, _outbox, ids))
