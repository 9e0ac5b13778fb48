"""Keys that let other programs use the API; of their secrets only hashes are kept."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import UniqueConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, serial


class ApiKey(SQLModel, table=True):
    """One key. `prefix` finds it, `digest` (SHA-256, hex) proves it."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("prefix"),)

    id: int | None = serial()
    name: str
    prefix: str = Field(max_length=16)
    digest: str = Field(max_length=64)
    created_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class KeyRow(NamedTuple):
    """A key as read, without its hash."""

    id: int
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


_key = ApiKey.__table__  # type: ignore[attr-defined]


def add(session: Session, name: str, prefix: str, digest: str, now: datetime) -> None:
    """Keep a new key."""
    session.connection().execute(_key.insert().values(name=name, prefix=prefix, digest=digest, created_at=now))


def everyone(session: Session) -> list[KeyRow]:
    """All keys, oldest first."""
    statement = select(*(_key.c[name] for name in KeyRow._fields)).order_by(_key.c.id)
    return [KeyRow(*row) for row in session.connection().execute(statement)]


def digest_of(session: Session, prefix: str) -> str | None:
    """The hash of a key that still stands."""
    statement = select(_key.c.digest).where(_key.c.prefix == prefix, _key.c.revoked_at.is_(None))
    return session.connection().execute(statement).scalar_one_or_none()


def revoke(session: Session, prefix: str, now: datetime) -> bool:
    """End a key; False where it is unknown or ended before."""
    statement = update(_key).where(_key.c.prefix == prefix, _key.c.revoked_at.is_(None))
    return session.connection().execute(statement.values(revoked_at=now)).rowcount == 1
