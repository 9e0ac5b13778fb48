"""What customers agreed to and took back, after which words of ours, and how they stand now."""

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


class ConsentTerms(SQLModel, table=True):
    """What customers are told before they agree, word by word; `version` stands for exactly these words."""

    __tablename__ = "consent_terms"

    version: str = Field(primary_key=True, max_length=16)
    purpose: str = Field(max_length=32)
    locale: str = Field(max_length=16)
    text: str
    content: str
    method: str
    form: str
    frequency: str
    since: datetime = moment()


class ConsentEntry(SQLModel, table=True):
    """One yes or no to one purpose: where it was said, to which wording, in which message.

    `covers` is the channel that it is about; "" where it is about all. `way` is how it was said, `terms` the version of
    what they were told before, `actor` who wrote it down where that was not the customer themself.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (Index("ix_consent_entry_latest", "customer_id", "purpose", "at"),)

    id: int | None = serial()
    customer_id: int = reference("customer.id")
    purpose: str = Field(max_length=32)
    granted: bool
    channel: str = Field(default="", max_length=32)
    covers: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    way: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    terms: str | None = Field(default=None, max_length=16, foreign_key="consent_terms.version", nullable=True)
    actor: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
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


class Consent(NamedTuple):
    """A consent entry as read."""

    id: int
    purpose: str
    granted: bool
    channel: str
    covers: str
    way: str
    terms: str | None
    actor: str
    wording: str
    message_id: str
    at: datetime


class Terms(NamedTuple):
    """What customers were told before they agreed: the text, and of what they would get, how, in which form, how
    often (Law 91/2025, article 28)."""

    version: str
    purpose: str
    locale: str
    text: str
    content: str
    method: str
    form: str
    frequency: str
    since: datetime


_consent = ConsentEntry.__table__  # type: ignore[attr-defined]
_terms = ConsentTerms.__table__  # type: ignore[attr-defined]
_standing = ConsentStanding.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
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


def keep_terms(session: Session, terms: Terms) -> None:
    """Keep what customers are told; the same version is kept once."""
    statement = insert(session.get_bind().dialect.name, _terms).values(**terms._asdict())
    session.connection().execute(statement.on_conflict_do_nothing(index_elements=["version"]))


def terms(session: Session, versions: Collection[str]) -> dict[str, Terms]:
    """What these versions say."""
    statement = select(*(_terms.c[name] for name in Terms._fields)).where(_terms.c.version.in_(sorted(versions)))
    return {row.version: Terms._make(row) for row in session.connection().execute(statement)}


def page(session: Session, after: int, most: int) -> list[tuple[int, Consent]]:
    """Entries of all customers with an id above `after`, by id, each with its customer."""
    columns = (_consent.c[name] for name in Consent._fields)
    statement = select(_consent.c.customer_id, *columns).where(_consent.c.id > after).order_by(_consent.c.id)
    return [(row[0], Consent(*row[1:])) for row in session.connection().execute(statement.limit(most))]


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


def move(session: Session, source: int, target: int) -> None:
    """Consent entries of one customer become another's; both must be held."""
    run = session.connection().execute
    run(delete(_standing).where(_standing.c.customer_id.in_((source, target))))
    run(update(_consent).where(_consent.c.customer_id == source).values(customer_id=target))
    place = func.row_number().over(
        partition_by=(_consent.c.purpose, _consent.c.covers),
        order_by=(_consent.c.at.desc(), _consent.c.granted, _consent.c.id.desc()),
    )
    theirs = select(_consent, place.label("place")).where(_consent.c.customer_id == target).subquery()
    words = select(*(theirs.c[name] for name in ("customer_id", "purpose", "covers", "granted", "at", "id")))
    columns = [*_WORD, "granted", "at", "entry_id"]
    run(_standing.insert().from_select(columns, words.where(theirs.c.place == 1)))
