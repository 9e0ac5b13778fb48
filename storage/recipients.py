"""Recipients: one row for each person whom a broadcast or a care rule means to write to, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Index, Select, bindparam, exists, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import Insert
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, reference, serial
from storage.customers import Customer
from storage.hot import Fetch, updating
from storage.queue import stands

TOPIC = "recipients"
PENDING = "pending"
SENDING = "sending"
SENT = "sent"
DELIVERED = "delivered"
READ = "read"
FAILED = "failed"
SKIPPED = "skipped"
UNKNOWN = "unknown"

MERGED = "merged"
OPEN = (PENDING, SENDING)

_OPEN = text(f"state IN ('{PENDING}', '{SENDING}')")
_OF_BROADCAST = text("broadcast_id IS NOT NULL")
_CHOSEN = text("broadcast_id IS NOT NULL AND identity_id IS NOT NULL")
_KEYED = text("once_key IS NOT NULL")
_WENT = text("outbox_id IS NOT NULL")
_OF_CARE = text("care_rule_id IS NOT NULL")


class Recipient(SQLModel, table=True):
    """One person of one broadcast, or one subject of a care rule. States: pending → sending → sent → delivered → read,
    or failed, skipped, unknown, each with its `reason`.

    Exactly one of `broadcast_id` and `care_rule_id` is there. `once_key` is what a care rule does once. The identity
    is chosen when it is sent. A care message is about what was at `happened_at` and meant for `meant_at`, however much
    later it is due. `sent_at` is there as long as the person may have got it: caps count by it.
    """

    __tablename__ = "recipient"
    __table_args__ = (
        Index(
            "uq_recipient_person", "broadcast_id", "customer_id", unique=True, sqlite_where=_OF_BROADCAST,
            postgresql_where=_OF_BROADCAST,
        ),
        Index(
            "uq_recipient_identity", "broadcast_id", "identity_id", unique=True, sqlite_where=_CHOSEN,
            postgresql_where=_CHOSEN,
        ),
        Index("uq_recipient_once", "once_key", unique=True, sqlite_where=_KEYED, postgresql_where=_KEYED),
        Index("ix_recipient_due", "broadcast_id", "state", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_recipient_outbox", "outbox_id", sqlite_where=_WENT, postgresql_where=_WENT),
        Index(
            "ix_recipient_care", "care_rule_id", "sent_at", "id", sqlite_where=_OF_CARE, postgresql_where=_OF_CARE
        ),
        Index("ix_recipient_ledger", "customer_id", "sent_at"),
    )  # fmt: skip

    id: int | None = serial()
    broadcast_id: int | None = reference("broadcast.id", nullable=True)
    care_rule_id: int | None = reference("care_rule.id", nullable=True)
    subject: str = Field(default="", max_length=128, sa_column_kwargs={"server_default": ""})
    once_key: str | None = Field(default=None, max_length=255)
    customer_id: int = reference("customer.id")
    identity_id: int | None = reference("identity.id", nullable=True)
    purpose: str = Field(max_length=16)
    state: str = Field(default=PENDING, max_length=16, sa_column_kwargs={"server_default": PENDING})
    reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    due_at: datetime = moment()
    happened_at: datetime | None = moment(nullable=True)
    meant_at: datetime | None = moment(nullable=True)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    outbox_id: int | None = reference("outbox.id", nullable=True)
    lane: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    created_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)


_recipient = Recipient.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_FREEZES = ("broadcast_id", "customer_id", "purpose", "due_at", "created_at")
_BOUND = Fetch(
    lambda _among: (
        select(_customer.c.id)
        .where(_customer.c.id > bindparam("after", type_=_customer.c.id.type, required=True))
        .order_by(_customer.c.id)
        .offset(bindparam("passed", required=True))
        .limit(1)
    )
)


class Start(NamedTuple):
    """Where a recipient is written to from this moment on, by which message and lane."""

    id: int
    identity_id: int
    outbox_id: int
    lane: str
    sent_at: datetime


class Went(NamedTuple):
    """A message that the platform took at this moment."""

    outbox_id: int
    sent_at: datetime


_START = updating(
    _recipient,
    Start._fields[1:],
    stands(_recipient.c.state, PENDING),
    constants={"state": SENDING, "reason": ""},
)
_PUT_OFF = updating(_recipient, ("due_at", "reason", "attempts"), stands(_recipient.c.state, PENDING))
_SKIP = updating(_recipient, ("reason",), stands(_recipient.c.state, PENDING), constants={"state": SKIPPED})
_SENT = updating(
    _recipient, ("sent_at",), stands(_recipient.c.state, SENDING, UNKNOWN, FAILED),
    constants={"state": SENT, "reason": ""}, by="outbox_id",
)  # fmt: skip


def enrol(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add recipients; how many are new. One whose `once_key` is there already is left as it is."""
    if not rows:
        return 0
    statement = insert(session.get_bind().dialect.name, _recipient)
    statement = statement.on_conflict_do_nothing(index_elements=["once_key"], index_where=_KEYED)
    new = statement.returning(_recipient.c.id)
    return len(session.connection().execute(new, list(rows)).all())


def next_bound(session: Session, after: int, size: int) -> int | None:
    """The id of the customer so many after this one, or of the last; None where there is none after it."""
    found = _BOUND.rows(session.connection(), after=after, passed=size - 1)
    if found:
        return int(found[0][0])
    last = session.connection().execute(select(func.max(_customer.c.id)).where(_customer.c.id > after)).scalar_one()
    return None if last is None else int(last)


def is_whole(session: Session, cursor: int, as_of: datetime) -> bool:
    """Whether everybody who was here at a moment has been looked at, up to the customer `cursor`."""
    left = exists().where(_customer.c.id > cursor, _customer.c.created_at <= as_of)
    return not session.connection().execute(select(left)).scalar()


def freezing(session: Session, broadcast_id: int, purpose: str, members: Select[int], as_of: datetime) -> Insert:
    """The statement that makes recipients of the members in a range of ids who were here at this moment; they are due
    from then on. Built once for all ranges, for building costs more than a small one takes."""
    ids = _customer.c.id.type
    here = (
        _customer.c.id > bindparam("after", type_=ids),
        _customer.c.id <= bindparam("until", type_=ids),
        _customer.c.created_at <= as_of,
    )
    found = members.where(*here).subquery("found")
    kind = _recipient.c
    row = select(
        literal(broadcast_id, kind.broadcast_id.type), next(iter(found.c)), literal(purpose, kind.purpose.type),
        literal(as_of, kind.due_at.type), literal(as_of, kind.created_at.type),
    ).where(text("true"))  # fmt: skip
    statement = insert(session.get_bind().dialect.name, _recipient).from_select(_FREEZES, row)
    return statement.on_conflict_do_nothing(index_elements=["broadcast_id", "customer_id"], index_where=_OF_BROADCAST)


def freeze(session: Session, statement: Insert, after: int, until: int) -> int:
    """Make recipients of those with ids above `after` and up to `until`; how many are new."""
    given = {"after": after, "until": until}
    return session.connection().execute(statement, given, execution_options={"preserve_rowcount": True}).rowcount


def audience(session: Session, broadcast_id: int, after: int, most: int) -> list[int]:
    """The customers of a broadcast with ids above `after`, by id."""
    where = (_recipient.c.broadcast_id == broadcast_id, _recipient.c.customer_id > after)
    statement = select(_recipient.c.customer_id).where(*where).order_by(_recipient.c.customer_id).limit(most)
    return list(session.connection().execute(statement).scalars())


def start(session: Session, rows: Sequence[Start]) -> None:
    """These are being sent."""
    _START.run(session.connection(), sorted(rows))


def put_off(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """These wait until `due_at`, each for its `reason`, after so many `attempts`."""
    _PUT_OFF.run(session.connection(), sorted(rows, key=lambda row: row["id"]))


def skip(session: Session, reasons: Mapping[int, str]) -> None:
    """These are not sent, each for its reason."""
    _SKIP.run(session.connection(), [{"id": key, "reason": reasons[key]} for key in sorted(reasons)])


def sent(connection: Connection, rows: Sequence[Went]) -> None:
    """The platform took these messages; those that are nobody's are left out.

    One that was believed not to have been taken was, then.
    """
    _SENT.run(connection, sorted(rows))


class Aim(NamedTuple):
    """Whom a recipient's message is for, why, and of which broadcast or version of a care rule."""

    customer_id: int
    purpose: str
    broadcast_id: int | None
    care_rule_id: int | None


def aim(session: Session, recipient_id: int) -> Aim:
    """Whom this one's message is for."""
    statement = select(*(_recipient.c[name] for name in Aim._fields)).where(_recipient.c.id == recipient_id)
    return Aim._make(session.connection().execute(statement).one())


def in_doubt(session: Session, outbox_ids: Collection[int]) -> None:
    """Nobody knows whether these messages went out."""
    theirs = (_recipient.c.outbox_id.in_(sorted(outbox_ids)), stands(_recipient.c.state, SENDING))
    session.connection().execute(update(_recipient).where(*theirs).values(state=UNKNOWN))


def fail(session: Session, outbox_id: int, reason: str) -> None:
    """This message did not go out and never will."""
    theirs = (_recipient.c.outbox_id == outbox_id, stands(_recipient.c.state, SENDING, UNKNOWN))
    values = {"state": FAILED, "reason": reason, "sent_at": None}
    session.connection().execute(update(_recipient).where(*theirs).values(**values))


def back(session: Session, outbox_id: int, due_at: datetime, reason: str, *, counted: bool) -> None:
    """This message was surely not taken: its recipient waits again."""
    theirs = (_recipient.c.outbox_id == outbox_id, stands(_recipient.c.state, SENDING, UNKNOWN))
    values = {
        "state": PENDING, "reason": reason, "due_at": due_at, "attempts": _recipient.c.attempts + int(counted),
        "identity_id": None, "outbox_id": None, "lane": "", "sent_at": None,
    }  # fmt: skip
    session.connection().execute(update(_recipient).where(*theirs).values(**values))


def seen(session: Session, outbox_ids: Collection[int], *, read: bool) -> None:
    """These messages were delivered, or read; what was known to be read stays so."""
    before = (SENDING, SENT, UNKNOWN, DELIVERED) if read else (SENDING, SENT, UNKNOWN)
    theirs = (_recipient.c.outbox_id.in_(sorted(outbox_ids)), stands(_recipient.c.state, *before))
    session.connection().execute(update(_recipient).where(*theirs).values(state=READ if read else DELIVERED))


def close(session: Session, broadcast_id: int, reason: str, most: int) -> int:
    """Up to so many of a broadcast that wait are not sent any more; how many those were."""
    waiting = (_recipient.c.broadcast_id == broadcast_id, stands(_recipient.c.state, *OPEN))
    some = select(_recipient.c.id).where(*waiting, stands(_recipient.c.state, PENDING)).limit(most)
    statement = update(_recipient).where(_recipient.c.id.in_(some), stands(_recipient.c.state, PENDING))
    return session.connection().execute(statement.values(state=SKIPPED, reason=reason)).rowcount


def first_waits(session: Session, broadcast_id: int) -> tuple[str, datetime] | None:
    """For which reason, and until when, the one waits who is due first in a broadcast; None where somebody is on the
    way, or nobody waits."""
    run = session.connection().execute
    theirs = (_recipient.c.broadcast_id == broadcast_id, stands(_recipient.c.state, *OPEN))
    if run(select(exists().where(*theirs, stands(_recipient.c.state, SENDING)))).scalar():
        return None
    first = select(_recipient.c.reason, _recipient.c.due_at).where(*theirs, stands(_recipient.c.state, PENDING))
    row = run(first.order_by(_recipient.c.due_at).limit(1)).first()
    return (row[0], row[1]) if row else None


def hasten(
    session: Session, broadcast_id: int, reasons: Collection[str], now: datetime, after: int, most: int
) -> int | None:
    """Of up to so many customers of a broadcast with ids above `after`, those who were put off for these reasons are
    due now; the last one looked at, None where there was none. Each is looked at once, for sending may put them off
    anew meanwhile."""
    seen = audience(session, broadcast_id, after, most)
    if not seen:
        return None
    off = (
        _recipient.c.broadcast_id == broadcast_id, _recipient.c.customer_id > after,
        _recipient.c.customer_id <= seen[-1], stands(_recipient.c.state, PENDING), _recipient.c.due_at > now,
        _recipient.c.reason.in_(sorted(reasons)),
    )  # fmt: skip
    session.connection().execute(update(_recipient).where(*off).values(due_at=now))
    return seen[-1]


def is_open(session: Session, broadcast_id: int) -> bool:
    """Whether anybody of a broadcast still waits or is being written to."""
    theirs = (_recipient.c.broadcast_id == broadcast_id, stands(_recipient.c.state, *OPEN))
    return bool(session.connection().execute(select(exists().where(*theirs))).scalar())


class Tally(NamedTuple):
    """How many recipients of a broadcast are in one state for one reason, by one lane."""

    state: str
    reason: str
    lane: str
    people: int


def tally(session: Session, broadcast_id: int) -> list[Tally]:
    """How all recipients of a broadcast stand; reads all of them."""
    alike = (_recipient.c.state, _recipient.c.reason, _recipient.c.lane)
    statement = select(*alike, func.count()).where(_recipient.c.broadcast_id == broadcast_id)
    rows = session.connection().execute(statement.group_by(*alike).order_by(*alike))
    return [Tally._make(row) for row in rows]


def carry_over(session: Session, source: int, target: int) -> None:
    """What one customer was to get and got becomes another's; what both were to get, only the other gets.

    A row of both that is not pending any more stays the one's: it says what went out.
    """
    twin = _recipient.alias("twin")
    both = exists().where(twin.c.broadcast_id == _recipient.c.broadcast_id, twin.c.customer_id == target)
    theirs = update(_recipient).where(_recipient.c.customer_id == source)
    run = session.connection().execute
    run(theirs.where(both, stands(_recipient.c.state, PENDING)).values(state=SKIPPED, reason=MERGED))
    run(theirs.where(~both).values(customer_id=target))
