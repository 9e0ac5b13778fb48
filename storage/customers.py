"""Customers, their identities on channels, and the codes that join the two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import ColumnElement, Connection, Index, Select, UniqueConstraint, delete, func, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, new_id, reference, serial
from storage.conversations import Conversation
from storage.hot import Fetch, updating
from storage.queue import set_rows

_KNOWN_BIRTHDAY = sqlalchemy.text("birthday <> ''")
_OF_STAFF = sqlalchemy.text("staff_id IS NOT NULL")
VIP_TAG = "vip"
"""For whom a person is called whatever they write: customers with this tag, however it is spelt."""


class Customer(SQLModel, table=True):
    """A person or firm that the brand serves. `external_id` is the POS's own id; `marketing` is the last word on it."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("external_id"),
        Index("ix_customer_phone", "phone"),
        Index("ix_customer_created_at", "created_at"),
        Index("ix_customer_birthday", "birthday", sqlite_where=_KNOWN_BIRTHDAY, postgresql_where=_KNOWN_BIRTHDAY),
    )

    id: int = given_id()
    name: str = ""
    phone: str | None = Field(default=None, max_length=20)
    email: str = ""
    birthday: str = ""
    locale: str = ""
    external_id: str | None = Field(default=None, max_length=128)
    external_version: int = Field(default=0, sa_type=BigInt)
    marketing: str = Field(default="", max_length=16)
    merged_into: int | None = reference("customer.id", nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Identity(SQLModel, table=True):
    """A customer's id on one account: where we can write to them, how they may be reached, what brought them.

    One with a `staff_id` is a chat of that member of staff, and no customer's; nor is one that is `staff_only`: it was
    made where only staff write, whoever it is.
    `ad_silent_since`: they clicked an advertisement then, and have said nothing since. `ad_first_message_at`: when
    they first said something after the last one.
    """

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("user_id", "account_id", "channel"),
        Index("ix_identity_created_at", "created_at", "id"),
        Index("ix_identity_staff", "staff_id", sqlite_where=_OF_STAFF, postgresql_where=_OF_STAFF),
    )

    id: int = given_id()
    customer_id: int = reference("customer.id", index=True)
    staff_id: int | None = reference("staff.id", nullable=True)
    staff_only: bool = False
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    user_id: str = Field(max_length=255)
    name: str = ""
    avatar_url: str = ""
    followed: bool = False
    followed_at: datetime | None = moment(nullable=True)
    last_interaction_at: datetime | None = moment(nullable=True)
    unreachable_since: datetime | None = moment(nullable=True)
    referral: str = ""
    referral_source: str = ""
    ad_id: str = ""
    ad_title: str = ""
    ad_silent_since: datetime | None = moment(nullable=True)
    ad_first_message_at: datetime | None = moment(nullable=True)
    profile_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class LinkCode(SQLModel, table=True):
    """A single-use code, printed on a receipt, that joins an identity to a customer. Only its hash is kept."""

    __tablename__ = "link_code"

    digest: str = Field(primary_key=True, max_length=64)
    customer_id: int = reference("customer.id", index=True)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class LinkGuess(SQLModel, table=True):
    """A wrong code that an identity tried; counted for an hour."""

    __tablename__ = "link_guess"
    __table_args__ = (Index("ix_link_guess_identity_at", "identity_id", "at"),)

    id: int | None = serial()
    identity_id: int = reference("identity.id")
    at: datetime = moment()


class Profile(NamedTuple):
    """A customer as read, without what staff and channels added."""

    id: int
    external_id: str | None
    external_version: int
    name: str
    phone: str | None
    email: str
    birthday: str
    marketing: str
    merged_into: int | None
    created_at: datetime
    updated_at: datetime


class Person(NamedTuple):
    """An identity with its customer and its conversation, as a handler sees them."""

    identity_id: int
    channel: str
    account_id: str
    user_id: str
    identity_name: str
    followed: bool
    last_interaction_at: datetime | None
    unreachable_since: datetime | None
    profile_at: datetime | None
    customer_id: int
    customer_name: str
    phone: str | None
    locale: str
    external_id: str | None
    marketing: str
    holder: str
    handed_over_at: datetime | None
    waiting_since: datetime | None
    last_staff_at: datetime | None
    misses: int
    dialog: str
    dialog_data: str
    dialog_until: datetime | None
    minute: datetime | None
    minute_count: int
    ad_silent_since: datetime | None
    staff_id: int | None
    away_until: datetime | None
    reason: str
    is_vip: bool


_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_conversation = Conversation.__table__  # type: ignore[attr-defined]
_code = LinkCode.__table__  # type: ignore[attr-defined]
_guess = LinkGuess.__table__  # type: ignore[attr-defined]
_tag = sqlalchemy.table("tag", sqlalchemy.column("customer_id"), sqlalchemy.column("folded"))
_PROFILE = select(*(_customer.c[name] for name in Profile._fields))

_PEOPLE = (
    select(
        _identity.c.id, _identity.c.channel, _identity.c.account_id, _identity.c.user_id, _identity.c.name,
        _identity.c.followed, _identity.c.last_interaction_at, _identity.c.unreachable_since, _identity.c.profile_at,
        _customer.c.id, _customer.c.name, _customer.c.phone, _customer.c.locale, _customer.c.external_id,
        _customer.c.marketing, _conversation.c.holder, _conversation.c.handed_over_at, _conversation.c.waiting_since,
        _conversation.c.last_staff_at, _conversation.c.misses, _conversation.c.dialog, _conversation.c.dialog_data,
        _conversation.c.dialog_until, _conversation.c.minute, _conversation.c.minute_count,
        _identity.c.ad_silent_since, _identity.c.staff_id, _conversation.c.away_until,
        _conversation.c.reason,
        sqlalchemy.exists().where(_tag.c.customer_id == _customer.c.id, _tag.c.folded == VIP_TAG),
    )
    .join(_customer, _customer.c.id == _identity.c.customer_id)
    .join(_conversation, _conversation.c.id == _identity.c.id)
)  # fmt: skip
_PEOPLE_BY_USER = Fetch(lambda among: _PEOPLE.where(among(_identity.c.user_id, "users")))


def _owners(these: ColumnElement[bool]) -> Select[tuple[int]]:
    """The customers behind these identities, held in one order."""
    behind = _customer.c.id.in_(select(_identity.c.customer_id).where(these))
    return select(_customer.c.id).where(behind).order_by(_customer.c.id).with_for_update()


_OWNER_OF = Fetch(
    lambda among: select(_identity.c.id, _identity.c.customer_id).where(among(_identity.c.id, "identities"))
)
_NAME = updating(_customer, ("name", "updated_at"), _customer.c.name == "")
_HELD = Fetch(
    lambda among: select(_customer.c.id).where(among(_customer.c.id, "ids")).order_by(_customer.c.id).with_for_update()
)
_OWNERS = Fetch(lambda among: _owners(among(_identity.c.id, "identities")))
_OWNERS_BY_USER = Fetch(lambda among: _owners(among(_identity.c.user_id, "users")))


def people(session: Session, user_ids: Sequence[str]) -> dict[tuple[str, str, str], Person]:
    """Who stands behind these user ids, by (channel, account id, user id)."""
    rows = _PEOPLE_BY_USER.rows(session.connection(), users=sorted(set(user_ids)))
    return {(row[1], row[2], row[3]): Person._make(row) for row in rows}


def person(session: Session, identity_id: int) -> Person | None:
    """One identity with its customer and conversation."""
    row = session.connection().execute(_PEOPLE.where(_identity.c.id == identity_id)).first()
    return Person._make(row) if row else None


def add_many(
    session: Session,
    customers: Sequence[Mapping[str, Any]],
    identities: Sequence[Mapping[str, Any]],
    conversations: Sequence[Mapping[str, Any]],
) -> None:
    """Write new customers with their identities and conversations: one statement each."""
    connection = session.connection()
    for table, rows in ((_customer, customers), (_identity, identities), (_conversation, conversations)):
        if rows:
            connection.execute(table.insert(), rows)


def add_nameless(session: Session, now: datetime) -> int:
    """A customer of whom nothing is known; the id."""
    customer_id = new_id()
    row = {"id": customer_id, "created_at": now, "updated_at": now}
    session.connection().execute(_customer.insert(), [row])
    return customer_id


def set_identities(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update identities by `id`; all mappings hold the same keys."""
    set_rows(session.connection(), _identity, rows)


def keep_profiles(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what the platform shows of identities, each row by `id` with `profile_at` and what it knows.

    Their customers must be held. One without a name takes over the identity's.
    """
    alike: dict[frozenset[str], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(frozenset(row), []).append(row)
    for some in alike.values():
        set_rows(connection, _identity, some)
    names = {row["id"]: (row["name"], row["profile_at"]) for row in rows if row.get("name")}
    owners = {owner: identity for identity, owner in _OWNER_OF.rows(connection, identities=list(names))}
    taken_over = [
        {"id": owner, "name": names[identity][0], "updated_at": names[identity][1]}
        for owner, identity in sorted(owners.items())
    ]
    _NAME.run(connection, taken_over)


def correct_window(session: Session, identity_id: int, believed: datetime, told: datetime) -> bool:
    """The reply window is counted from earlier than we believed; False where an event moved it since."""
    stands = (_identity.c.id == identity_id, _identity.c.last_interaction_at == believed)
    statement = update(_identity).where(*stands).values(last_interaction_at=told)
    return session.connection().execute(statement).rowcount == 1


def set_followed(session: Session, identity_id: int, followed: bool, at: datetime) -> None:
    """They followed, or ceased to, at this moment; what they did later stands."""
    latest = (_identity.c.id == identity_id, func.coalesce(_identity.c.followed_at, at) <= at)
    session.connection().execute(update(_identity).where(*latest).values(followed=followed, followed_at=at))


def lock_owners(connection: Connection, identity_ids: Sequence[int]) -> None:
    """Hold the customers behind these identities, before the identities themselves are changed, in one order."""
    _OWNERS.lock(connection, identities=list(identity_ids))


def lock_owners_of(session: Session, user_ids: Sequence[str]) -> set[int]:
    """Hold the customers behind these user ids, in one order, before anything of them is read; whom that is.

    One who is joined to another customer at this very moment may be missing. SQLite has one writer, and nobody to hold.
    """
    if session.get_bind().dialect.name == "sqlite":
        return set()
    return {row[0] for row in _OWNERS_BY_USER.rows(session.connection(), users=sorted(set(user_ids)))}


def lock(session: Session, customer_ids: Sequence[int]) -> bool:
    """Hold these customers until the transaction ends, in one order; what was read of them before may be stale then.

    False where there is nothing to hold: SQLite has one writer.
    """
    if session.get_bind().dialect.name == "sqlite":
        return False
    if customer_ids:
        _HELD.lock(session.connection(), ids=list(customer_ids))
    return True


def insert_external(session: Session, row: Mapping[str, Any]) -> bool:
    """Add a POS customer; False where its external id is there already."""
    statement = insert(session.get_bind().dialect.name, _customer).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["external_id"]).returning(_customer.c.id)
    return session.connection().execute(added).first() is not None


def change(session: Session, customer_id: int, **values: object) -> None:
    """Set columns of one customer."""
    session.connection().execute(update(_customer).where(_customer.c.id == customer_id).values(**values))


def move_identities(session: Session, source: int, target: int, only: int | None = None) -> None:
    """All identities of one customer become another's; or one of them alone."""
    these = _identity.c.customer_id == source if only is None else _identity.c.id == only
    session.connection().execute(update(_identity).where(these).values(customer_id=target))


def add_code(session: Session, row: Mapping[str, Any]) -> None:
    """Keep the hash of a new code."""
    session.connection().execute(_code.insert(), [row])


def use_code(session: Session, digest: str, now: datetime) -> int | None:
    """Use a code up; the customer it stands for, or None where it is unknown, used or expired."""
    statement = (
        update(_code)
        .where(_code.c.digest == digest, _code.c.used_at.is_(None), _code.c.expires_at > now)
        .values(used_at=now)
        .returning(_code.c.customer_id)
    )
    return session.connection().execute(statement).scalar_one_or_none()


def code_owner(session: Session, digest: str, now: datetime) -> int | None:
    """The customer that an unused, unexpired code stands for; the code stays usable."""
    statement = select(_code.c.customer_id).where(
        _code.c.digest == digest, _code.c.used_at.is_(None), _code.c.expires_at > now
    )
    return session.connection().execute(statement).scalar_one_or_none()


def count_guesses(session: Session, identity_id: int, since: datetime) -> int:
    """How many wrong codes an identity tried after this moment."""
    statement = select(func.count()).where(_guess.c.identity_id == identity_id, _guess.c.at > since)
    return session.connection().execute(statement).scalar_one()


def add_guess(session: Session, identity_id: int, now: datetime, forget_before: datetime) -> None:
    """Note a wrong code, and forget those too old to count."""
    session.connection().execute(
        delete(_guess).where(_guess.c.identity_id == identity_id, _guess.c.at <= forget_before)
    )
    session.connection().execute(_guess.insert().values(identity_id=identity_id, at=now))


def profile(session: Session, customer_id: int) -> Profile | None:
    """One customer as the database has it now."""
    row = session.connection().execute(_PROFILE.where(_customer.c.id == customer_id)).first()
    return Profile(*row) if row else None


def external(session: Session, external_id: str, *, lock: bool = False) -> Profile | None:
    """The customer that the POS calls so, as the database has it now; `lock` holds it until the transaction ends."""
    statement = _PROFILE.where(_customer.c.external_id == external_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    return Profile(*row) if row else None


def ids_by_phone(session: Session, phone: str, *, chat_born: bool) -> list[int]:
    """Customers with this number that were born in a chat, or those the POS knows; merged ones are left out."""
    known = _customer.c.external_id.is_(None) if chat_born else _customer.c.external_id.is_not(None)
    statement = select(_customer.c.id).where(_customer.c.phone == phone, known, _customer.c.merged_into.is_(None))
    return list(session.connection().execute(statement.order_by(_customer.c.id)).scalars())


def page(session: Session, after: int, most: int) -> list[Profile]:
    """POS customers with an id above `after`, by id."""
    statement = _PROFILE.where(_customer.c.id > after, _customer.c.external_id.is_not(None))
    return [Profile(*row) for row in session.connection().execute(statement.order_by(_customer.c.id).limit(most))]


def external_ids(session: Session, customer_ids: Collection[int]) -> dict[int, str]:
    """What the POS calls these customers, by id."""
    statement = select(_customer.c.id, _customer.c.external_id).where(
        _customer.c.id.in_(sorted(customer_ids)), _customer.c.external_id.is_not(None)
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}
