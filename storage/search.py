"""Customers by their names and numbers: rows of what their names begin with at each word, kept beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, LargeBinary, and_, delete, exists, func, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert
from storage.customers import Customer, Identity
from storage.folding import plain
from storage.served import is_served

LONGEST = 40
"""Bytes of a row: what two names share for so long is compared no further."""
MOST_WORDS = 12
RARE = 2000
"""A word that fewer names have is rare enough; how many more there are does not matter."""
SCANNED = 20_000
"""So many names with the rarest word are looked through for the others at most."""
_PHONE = "#"
_WORD = re.compile(r"\w+")


class CustomerWord(SQLModel, table=True):
    """What a name of a customer is from one of its words on, or their phone number from its end, as UTF-8.

    Bytes have the same order in every database, so that all that begins alike is found in one range.
    """

    __tablename__ = "customer_word"

    word: bytes = Field(primary_key=True, sa_type=LargeBinary)
    customer_id: int = Field(
        primary_key=True, foreign_key="customer.id", sa_type=BigInt, index=True,
        sa_column_kwargs={"autoincrement": False},
    )  # fmt: skip


class Found(NamedTuple):
    """A customer as found, with the conversation that they wrote in last, where there is one."""

    id: int
    name: str
    phone: str | None
    external_id: str | None
    conversation_id: int | None
    channel: str
    last_interaction_at: datetime | None


_word = CustomerWord.__table__  # type: ignore[attr-defined]
_customer = Customer.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]


def words(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return _WORD.findall(plain(text))[:MOST_WORDS]


def starts(text: str) -> set[bytes]:
    """What a name is kept under: from each of its words on."""
    found = words(text)
    return {_cut(" ".join(found[place:])) for place in range(len(found))}


def start(given: Sequence[str]) -> bytes:
    """What the names begin with from one of their words on that hold these words one after the other."""
    return _cut(" ".join(given))


def tail(digits: str) -> bytes:
    """What numbers are kept under, and found by: their digits from the last one on."""
    return _cut(_PHONE + digits[::-1])


def _cut(text: str) -> bytes:
    return text.encode()[:LONGEST]


def refresh(connection: Connection, customer_ids: Collection[int]) -> None:
    """Let these customers be found by what they are called now, and those that were joined to others not at all."""
    if not customer_ids:
        return
    these = _customer.c.id.in_(customer_ids)
    own = select(_customer.c.id, _customer.c.name, _customer.c.external_id, _customer.c.phone)
    kept: set[tuple[int, bytes]] = set()
    for customer_id, name, external_id, phone in connection.execute(
        own.where(these, _customer.c.merged_into.is_(None))
    ):
        found = starts(name) | starts(external_id or "")
        kept |= {(customer_id, each) for each in (found | {tail(re.sub(r"\D", "", phone))} if phone else found)}
    shown = select(_identity.c.customer_id, _identity.c.name).where(
        _identity.c.customer_id.in_(customer_ids), _identity.c.name != ""
    )
    for customer_id, name in connection.execute(shown):
        kept |= {(customer_id, each) for each in starts(name)}
    connection.execute(delete(_word).where(_word.c.customer_id.in_(customer_ids)))
    if kept:
        rows = [{"customer_id": customer_id, "word": word} for customer_id, word in sorted(kept)]
        connection.execute(insert(connection.dialect.name, _word).on_conflict_do_nothing(), rows)


def refresh_owners(connection: Connection, identity_ids: Collection[int]) -> None:
    """The same for the customers behind these identities."""
    owners = select(_identity.c.customer_id).where(_identity.c.id.in_(identity_ids))
    refresh(connection, set(connection.execute(owners).scalars()))


def beginning(session: Session, start: bytes, most: int) -> list[int]:
    """Customers with something that begins so, `most` rows of it, in the order of the words."""
    statement = select(_word.c.customer_id).where(_begins(start)).order_by(_word.c.word).limit(most)
    return list(dict.fromkeys(session.connection().execute(statement).scalars()))


def with_all(session: Session, given: Sequence[str], most: int) -> list[int]:
    """Customers whose names have a word that begins with each of these, in any order."""
    rarest, *others = sorted((_cut(each) for each in given), key=lambda each: _how_many(session, each))
    some = select(_word.c.customer_id).where(_begins(rarest)).limit(SCANNED).subquery()
    statement = select(some.c.customer_id)
    for each in others:
        other = _word.alias()
        has = exists().where(
            other.c.customer_id == some.c.customer_id, other.c.word >= each, other.c.word < each + b"\xff"
        )
        statement = statement.where(has)
    return list(dict.fromkeys(session.connection().execute(statement.limit(most)).scalars()))


def details(session: Session, customer_ids: Iterable[int]) -> list[Found]:
    """These customers as they are shown; joined ones and staff are left out."""
    known = select(_customer.c.id, _customer.c.name, _customer.c.phone, _customer.c.external_id).where(
        _customer.c.id.in_(list(customer_ids)), _customer.c.merged_into.is_(None), is_served(_customer.c.id)
    )
    rows = {row[0]: tuple(row) for row in session.connection().execute(known)}
    chats = (
        select(
            _identity.c.customer_id, _identity.c.id, _identity.c.channel, _identity.c.last_interaction_at,
            _identity.c.name,
        )
        .where(_identity.c.customer_id.in_(list(rows)))
        .order_by(_identity.c.last_interaction_at.is_not(None), _identity.c.last_interaction_at, _identity.c.id)
    )  # fmt: skip
    last = {row[0]: tuple(row) for row in session.connection().execute(chats)}
    found = []
    for customer_id, name, phone, external_id in rows.values():
        _, chat, channel, at, shown = last.get(customer_id, (0, None, "", None, ""))
        found.append(Found(customer_id, name or shown, phone, external_id, chat, channel, at))
    return found


def chats(session: Session, customer_id: int, most: int) -> list[int]:
    """A customer's conversations, the one in which they wrote last first."""
    at = _identity.c.last_interaction_at
    statement = select(_identity.c.id).where(_identity.c.customer_id == customer_id, _identity.c.staff_id.is_(None))
    ordered = statement.order_by(at.is_(None), at.desc(), _identity.c.id).limit(most)
    return list(session.connection().execute(ordered).scalars())


def _begins(start: bytes) -> ColumnElement[bool]:
    return and_(_word.c.word >= start, _word.c.word < start + b"\xff")


def _how_many(session: Session, start: bytes) -> int:
    some = select(_word.c.customer_id).where(_begins(start)).limit(RARE).subquery()
    return int(session.connection().execute(select(func.count()).select_from(some)).scalar_one())
