"""What customers agreed to and took back, and their requests about their own data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Index,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, part_of_key, reference, serial
from storage.customers import Customer
from storage.hot import Among, Fetch


class ConsentEntry(SQLModel, table=True):
    """One yes or no to one purpose: where it was said, to which wording, in which message.

    `covers` is the channel that it is about; "" where it is about all.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (Index("ix_consent_entry_latest", "customer_id", "purpose", "at"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    purpose: str = Field(max_length=32)
    granted: bool
    channel: str = Field(default="", max_length=32)
    covers: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    wording: str = ""
    message_id: str = ""
    at: datetime = moment()


class ConsentStanding(SQLModel, table=True):
    """The latest word to one purpose about one channel, or about all (""); derived from the entries."""

    __tablename__ = "consent_standing"

    customer_id: int = part_of_key("customer.id")
    purpose: str = Field(primary_key=True, max_length=32)
    channel: str = Field(primary_key=True, max_length=32)
    granted: bool
    at: datetime = moment()
    entry_id: int = reference("consent_entry.id")


class DataRequest(SQLModel, table=True):
    """A request about one's own data, with the day by which it must be done."""

    __tablename__ = "data_request"
    __table_args__ = (Index("ix_data_request_due", "state", "due_at"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id", index=True)
    identity_id: int | None = reference("identity.id", nullable=True)
    kind: str = Field(max_length=16)
    requested_at: datetime = moment()
    due_at: datetime = moment()
    state: str = Field(max_length=16)


class Consent(NamedTuple):
    """A consent entry as read."""

    id: int
    purpose: str
    granted: bool
    channel: str
    covers: str
    wording: str
    message_id: str
    at: datetime


class RequestRow(NamedTuple):
    """A data request as read."""

    id: int
    customer_id: int
    identity_id: int | None
    kind: str
    requested_at: datetime
    due_at: datetime
    state: str


_consent = ConsentEntry.__table__  # type: ignore[attr-defined]
_standing = ConsentStanding.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_request = DataRequest.__table__  # type: ignore[attr-defined]
_REQUEST_ROW = select(*(_request.c[name] for name in RequestRow._fields))
_WORD = ("customer_id", "purpose", "channel")


def add(session: Session, row: Mapping[str, Any]) -> None:
    """Write a consent entry; where it is the latest word about what it covers, the customer stands by it from now on.

    The customer must be held.
    """
    added = _consent.insert().values(**row).returning(_consent.c.id)
    entry_id = session.connection().execute(added).scalar_one()
    word = {"customer_id": row["customer_id"], "purpose": row["purpose"], "channel": row["covers"]}
    stands = insert(session.get_bind().dialect.name, _standing)
    stands = stands.values(**word, granted=row["granted"], at=row["at"], entry_id=entry_id)
    new = stands.excluded
    is_latest = or_(new.at > _standing.c.at, and_(new.at == _standing.c.at, _standing.c.granted >= new.granted))
    changed = {"granted": new.granted, "at": new.at, "entry_id": new.entry_id}
    session.connection().execute(stands.on_conflict_do_update(index_elements=_WORD, set_=changed, where=is_latest))


def latest(
    customer_id: ColumnElement[int], purpose: str, channel: str | ColumnElement[str]
) -> ColumnElement[bool | None]:
    """What a customer said last to this purpose about this channel or about all (a no before a yes in the same
    moment); NULL where nothing."""
    said = select(_standing.c.granted).where(
        _standing.c.customer_id == customer_id,
        _standing.c.purpose == literal_column(f"'{purpose}'"),
        or_(_standing.c.channel == literal_column("''"), _standing.c.channel == channel),
    )
    return said.order_by(_standing.c.at.desc(), _standing.c.granted).limit(1).scalar_subquery()


@cache
def _standings(purposes: tuple[str, ...]) -> Fetch:
    def build(among: Among) -> Select[Any]:
        channel = bindparam("channel", type_=_standing.c.channel.type, required=True)
        words = [latest(_customer.c.id, purpose, channel) for purpose in purposes]
        word = func.coalesce(*words) if len(words) > 1 else words[0]
        return select(_customer.c.id, word).where(among(_customer.c.id, "customers"))

    return Fetch(build)


def standings(
    session: Session, customer_ids: Collection[int], purposes: tuple[str, ...], channel: str
) -> dict[int, bool | None]:
    """The latest word of each of these customers about this channel, to the first of these purposes to which they said
    one; None where to none."""
    if not customer_ids:
        return {}
    rows = _standings(purposes).rows(session.connection(), customers=sorted(customer_ids), channel=channel)
    return {row[0]: None if row[1] is None else bool(row[1]) for row in rows}


def last_word(session: Session, customer_id: int, purpose: str) -> bool | None:
    """What the customer said last about this purpose (no before yes in the same moment); None where nothing."""
    statement = select(_consent.c.granted).where(_consent.c.customer_id == customer_id, _consent.c.purpose == purpose)
    statement = statement.order_by(_consent.c.at.desc(), _consent.c.granted, _consent.c.id.desc()).limit(1)
    return session.connection().execute(statement).scalar_one_or_none()


def entries(session: Session, customer_id: int) -> list[Consent]:
    """Everything that a customer agreed to and took back, oldest first."""
    statement = select(*(_consent.c[name] for name in Consent._fields)).where(_consent.c.customer_id == customer_id)
    return [Consent(*row) for row in session.connection().execute(statement.order_by(_consent.c.at, _consent.c.id))]


def open_request(session: Session, customer_id: int, kind: str, state: str) -> RequestRow | None:
    """The oldest request of this kind and state."""
    statement = _REQUEST_ROW.where(
        _request.c.customer_id == customer_id, _request.c.kind == kind, _request.c.state == state
    )
    row = session.connection().execute(statement.order_by(_request.c.id).limit(1)).first()
    return RequestRow(*row) if row else None


def add_request(session: Session, row: Mapping[str, Any]) -> int:
    """Write a request; its id."""
    return int(session.connection().execute(_request.insert().values(**row).returning(_request.c.id)).scalar_one())


def set_requests(session: Session, customer_id: int, kind: str, before: str, after: str) -> int:
    """Give a customer's requests of this kind another state; how many stood in the one before."""
    statement = update(_request).where(
        _request.c.customer_id == customer_id, _request.c.kind == kind, _request.c.state == before
    )
    return session.connection().execute(statement.values(state=after)).rowcount


def requests(session: Session, state: str) -> list[RequestRow]:
    """All requests in one state, the soonest due first."""
    statement = _REQUEST_ROW.where(_request.c.state == state).order_by(_request.c.due_at, _request.c.id)
    return [RequestRow(*row) for row in session.connection().execute(statement)]


def move(session: Session, source: int, target: int) -> None:
    """Consent entries and requests of one customer become another's; both must be held."""
    run = session.connection().execute
    run(delete(_standing).where(_standing.c.customer_id.in_((source, target))))
    for table in (_consent, _request):
        run(update(table).where(table.c.customer_id == source).values(customer_id=target))
    place = func.row_number().over(
        partition_by=(_consent.c.purpose, _consent.c.covers),
        order_by=(_consent.c.at.desc(), _consent.c.granted, _consent.c.id.desc()),
    )
    theirs = select(_consent, place.label("place")).where(_consent.c.customer_id == target).subquery()
    words = select(*(theirs.c[name] for name in ("customer_id", "purpose", "covers", "granted", "at", "id")))
    columns = [*_WORD, "granted", "at", "entry_id"]
    run(_standing.insert().from_select(columns, words.where(theirs.c.place == 1)))
