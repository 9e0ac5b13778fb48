"""Whom nobody but themselves may bring back into marketing: keyed hashes of numbers and ids, and nothing readable."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment


class Suppression(SQLModel, table=True):
    """One phone number or id on a channel of somebody who was erased."""

    __tablename__ = "suppression"

    digest: str = Field(primary_key=True, max_length=64)
    at: datetime = moment()


_suppression = Suppression.__table__  # type: ignore[attr-defined]


def add(session: Session, digests: Collection[str], now: datetime) -> None:
    """Keep these; those that are there already are left."""
    if digests:
        statement = insert(session.get_bind().dialect.name, _suppression).on_conflict_do_nothing()
        session.connection().execute(statement, [{"digest": each, "at": now} for each in sorted(digests)])


def holds(session: Session, digests: Collection[str]) -> bool:
    """Whether any of these is kept."""
    statement = select(_suppression.c.digest).where(_suppression.c.digest.in_(sorted(digests))).limit(1)
    return session.connection().execute(statement).first() is not None
