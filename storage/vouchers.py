"""Vouchers, each use of one, and the codes that somebody guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint, and_, delete, func, or_, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, given_id, insert, moment, reference, serial

RESERVED = "reserved"
REDEEMED = "redeemed"
RELEASED = "released"

_MOMENT = timedelta(microseconds=1)


class Voucher(SQLModel, table=True):
    """What a customer took: which reward for how many points of which currency, and until when it counts.

    What the reward was then is kept: its names, how often it may be used, what the till takes off.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("source_key"),
        Index("ix_voucher_customer", "customer_id", "expires_at"),
        CheckConstraint("uses > 0", name="uses"),
    )

    id: int = given_id()
    code: str = Field(max_length=16)
    customer_id: int = reference("customer.id")
    reward: str = Field(max_length=32)
    vi: str
    en: str
    uses: int
    amount: int = Field(sa_type=BigInt)
    percent: int
    source_key: str = Field(max_length=255)
    entry_id: int = reference("ledger_entry.id")
    currency: str = Field(max_length=32)
    points: int = Field(sa_type=BigInt)
    actor: str = Field(max_length=64)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    cancelled_at: datetime | None = moment(nullable=True)


class VoucherUse(SQLModel, table=True):
    """One use of a voucher: reserved until a moment, redeemed, or released. `source_key` stands for the sale."""

    __tablename__ = "voucher_use"
    __table_args__ = (UniqueConstraint("voucher_id", "source_key"),)

    id: int = given_id()
    voucher_id: int = reference("voucher.id")
    source_key: str = Field(max_length=160)
    state: str = Field(max_length=16)
    until: datetime | None = moment(nullable=True)
    actor: str = Field(max_length=64)
    at: datetime = moment()


class VoucherGuess(SQLModel, table=True):
    """A code that nobody has, tried by somebody; counted for an hour."""

    __tablename__ = "voucher_guess"
    __table_args__ = (Index("ix_voucher_guess_asker_at", "asker", "at"),)

    id: int | None = serial()
    asker: str = Field(max_length=64)
    at: datetime = moment()


class VoucherRow(NamedTuple):
    """A voucher as read at a moment, with how many of its uses are redeemed and how many reserved then."""

    id: int
    code: str
    customer_id: int
    reward: str
    vi: str
    en: str
    uses: int
    amount: int
    percent: int
    source_key: str
    entry_id: int
    currency: str
    points: int
    actor: str
    created_at: datetime
    expires_at: datetime
    cancelled_at: datetime | None
    redeemed: int = 0
    reserved: int = 0

    @property
    def left(self) -> int:
        """How many uses are neither redeemed nor reserved."""
        return self.uses - self.redeemed - self.reserved

    @property
    def last(self) -> datetime:
        """The last moment at which it counts; its day is the last one."""
        return self.expires_at - _MOMENT

    def name(self, locale: str) -> str:
        """What it is called."""
        return self.vi if locale == "vi" else self.en


class UseRow(NamedTuple):
    """A use of a voucher as read."""

    id: int
    voucher_id: int
    source_key: str
    state: str
    until: datetime | None
    at: datetime


_voucher = Voucher.__table__  # type: ignore[attr-defined]
_use = VoucherUse.__table__  # type: ignore[attr-defined]
_guess = VoucherGuess.__table__  # type: ignore[attr-defined]
_KEPT = tuple(_voucher.c[name] for name in VoucherRow._fields if name in _voucher.c)


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Write a new voucher; False where its code or its fact is there already."""
    statement = insert(session.get_bind().dialect.name, _voucher).values(**row)
    added = statement.on_conflict_do_nothing().returning(_voucher.c.id)
    return session.connection().execute(added).first() is not None


def one(session: Session, voucher_id: int, now: datetime) -> VoucherRow | None:
    """One voucher."""
    return _first(session, _voucher.c.id == voucher_id, now)


def by_key(session: Session, source_key: str, now: datetime) -> VoucherRow | None:
    """The voucher of a fact."""
    return _first(session, _voucher.c.source_key == source_key, now)


def id_of(session: Session, code: str) -> int | None:
    """The voucher with this code."""
    found: int | None = session.connection().execute(select(_voucher.c.id).where(_voucher.c.code == code)).scalar()
    return found


def living(session: Session, customer_id: int, now: datetime, most: int) -> list[VoucherRow]:
    """A customer's vouchers that still count for something, the soonest expiring first."""
    these = and_(_voucher.c.customer_id == customer_id, _voucher.c.expires_at > now, _voucher.c.cancelled_at.is_(None))
    redeemed = _count(_use.c.state == REDEEMED)
    rows = _rows(these, now).where(redeemed < _voucher.c.uses).order_by(_voucher.c.expires_at, _voucher.c.id)
    return [VoucherRow._make(row) for row in session.connection().execute(rows.limit(most))]


def taken(session: Session, customer_id: int, currency: str) -> dict[str, int]:
    """How many vouchers a customer took for this currency, by reward, without those given back."""
    statement = select(_voucher.c.reward, func.count()).where(
        _voucher.c.customer_id == customer_id, _voucher.c.currency == currency, _voucher.c.cancelled_at.is_(None)
    )
    return {row[0]: row[1] for row in session.connection().execute(statement.group_by(_voucher.c.reward))}


def count(session: Session, customer_id: int, currency: str) -> int:
    """How many vouchers a customer ever took for this currency."""
    statement = select(func.count()).where(_voucher.c.customer_id == customer_id, _voucher.c.currency == currency)
    return session.connection().execute(statement).scalar_one()


def cancel(session: Session, voucher_id: int, now: datetime) -> None:
    """A voucher counts no more."""
    session.connection().execute(update(_voucher).where(_voucher.c.id == voucher_id).values(cancelled_at=now))


def move(session: Session, source: int, target: int) -> None:
    """All vouchers of one customer become another's."""
    session.connection().execute(update(_voucher).where(_voucher.c.customer_id == source).values(customer_id=target))


def use(session: Session, voucher_id: int, source_key: str) -> UseRow | None:
    """The use of a voucher by this sale."""
    statement = select(*(_use.c[name] for name in UseRow._fields))
    row = session.connection().execute(
        statement.where(_use.c.voucher_id == voucher_id, _use.c.source_key == source_key)
    )  # fmt: skip
    found = row.first()
    return UseRow._make(found) if found else None


def add_use(session: Session, row: Mapping[str, Any]) -> None:
    """Write a new use; the voucher's customer is held."""
    session.connection().execute(_use.insert(), [row])


def set_use(session: Session, use_id: int, state: str, until: datetime | None, now: datetime) -> None:
    """Give a use another state."""
    session.connection().execute(update(_use).where(_use.c.id == use_id).values(state=state, until=until, at=now))


def count_guesses(session: Session, asker: str, since: datetime) -> int:
    """How many codes that nobody has somebody tried after this moment."""
    statement = select(func.count()).where(_guess.c.asker == asker, _guess.c.at > since)
    return session.connection().execute(statement).scalar_one()


def add_guess(session: Session, asker: str, now: datetime, forget_before: datetime) -> None:
    """Note such a code, and forget those too old to count."""
    session.connection().execute(delete(_guess).where(_guess.c.asker == asker, _guess.c.at <= forget_before))
    session.connection().execute(_guess.insert().values(asker=asker, at=now))


def _count(these: ColumnElement[bool]) -> Any:
    counted = select(func.count()).where(_use.c.voucher_id == _voucher.c.id, these)
    return counted.correlate(_voucher).scalar_subquery()


def _rows(these: ColumnElement[bool], now: datetime) -> Any:
    still = and_(_use.c.state == RESERVED, or_(_use.c.until.is_(None), _use.c.until > now))
    return select(*_KEPT, _count(_use.c.state == REDEEMED), _count(still)).where(these)


def _first(session: Session, these: ColumnElement[bool], now: datetime) -> VoucherRow | None:
    row = session.connection().execute(_rows(these, now)).first()
    return VoucherRow._make(row) if row else None
