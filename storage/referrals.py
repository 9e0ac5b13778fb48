"""Who was brought by whom, and what came of it; and the codes by which members bring others."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, func, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, part_of_key, reference

WAITING = "waiting"
REFUSED = "refused"


class ReferralCode(SQLModel, table=True):
    """The code that a member gives to friends. It is shown to anybody, so it is not the one on their card."""

    __tablename__ = "referral_code"
    __table_args__ = (Index("uq_referral_code_code", "code", unique=True),)

    customer_id: int = part_of_key("customer.id")
    code: str = Field(max_length=16)


class ReferralRow(SQLModel, table=True):
    """That a customer was brought by another. `state` is `waiting`, `rewarded`, `capped` or `refused`, with `why`."""

    __tablename__ = "referral"
    __table_args__ = (Index("ix_referral_referrer", "referrer_id", "settled_at"),)

    friend_id: int = part_of_key("customer.id")
    referrer_id: int = reference("customer.id")
    at: datetime = moment()
    state: str = Field(max_length=16)
    why: str = Field(default="", max_length=16)
    settled_at: datetime | None = moment(nullable=True)


class Referral(NamedTuple):
    """A referral as read."""

    friend_id: int
    referrer_id: int
    at: datetime
    state: str
    why: str
    settled_at: datetime | None


_code = ReferralCode.__table__  # type: ignore[attr-defined]
_referral = ReferralRow.__table__  # type: ignore[attr-defined]
_ONE = select(*(_referral.c[name] for name in Referral._fields))


def code_of(session: Session, customer_id: int) -> str | None:
    """A member's code; None where they never asked for it."""
    found: str | None = (
        session.connection().execute(select(_code.c.code).where(_code.c.customer_id == customer_id)).scalar()
    )
    return found


def give_code(session: Session, customer_id: int, code: str) -> None:
    """Give a member this code, unless they have one or it is somebody else's."""
    statement = insert(session.get_bind().dialect.name, _code).values(customer_id=customer_id, code=code)
    session.connection().execute(statement.on_conflict_do_nothing())


def by_code(session: Session, code: str) -> int | None:
    """The member whose code this is."""
    found: int | None = session.connection().execute(select(_code.c.customer_id).where(_code.c.code == code)).scalar()
    return found


def add(session: Session, friend_id: int, referrer_id: int, now: datetime) -> bool:
    """Note who brought a customer; False where that is known already."""
    row = {"friend_id": friend_id, "referrer_id": referrer_id, "at": now, "state": WAITING, "why": ""}
    statement = insert(session.get_bind().dialect.name, _referral).values(**row)
    added = statement.on_conflict_do_nothing(index_elements=["friend_id"]).returning(_referral.c.friend_id)
    return session.connection().execute(added).first() is not None


def of_friend(session: Session, friend_id: int) -> Referral | None:
    """By whom a customer was brought."""
    row = session.connection().execute(_ONE.where(_referral.c.friend_id == friend_id)).first()
    return Referral._make(row) if row else None


def move(session: Session, source: int, target: int) -> None:
    """Whoever brought one customer brought the other."""
    session.connection().execute(update(_referral).where(_referral.c.friend_id == source).values(friend_id=target))


def settle(session: Session, friend_id: int, state: str, why: str, now: datetime) -> None:
    """Note what came of a referral."""
    values = {"state": state, "why": why, "settled_at": now}
    session.connection().execute(update(_referral).where(_referral.c.friend_id == friend_id).values(**values))


def count(session: Session, referrer_id: int, state: str, since: datetime) -> int:
    """How many of a member's referrals came to this since a moment."""
    own = (_referral.c.referrer_id == referrer_id, _referral.c.settled_at >= since, _referral.c.state == state)
    return int(session.connection().execute(select(func.count()).where(*own)).scalar_one())
