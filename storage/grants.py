"""Consents that were asked for: one for each address that was handed out to connect an account; each is used once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import UniqueConstraint, delete, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import moment, serial


class GrantRequest(SQLModel, table=True):
    """One request. `state` is a hash of what the browser must bring back; `verifier` is sealed by the caller.

    `used_at`: a browser came back; `settled_at`: how that ended stands in `account_id` and `name`, or in `failure`.
    """

    __tablename__ = "grant_request"
    __table_args__ = (UniqueConstraint("state"),)

    id: int | None = serial()
    channel: str = Field(max_length=32)
    state: str = Field(max_length=64)
    verifier: str
    asked_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)
    settled_at: datetime | None = moment(nullable=True)
    account_id: str = Field(max_length=64)
    name: str
    failure: str


class GrantView(NamedTuple):
    """A request as read."""

    id: int
    verifier: str
    expires_at: datetime
    used_at: datetime | None
    settled_at: datetime | None
    account_id: str
    name: str
    failure: str


_grant = GrantRequest.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_grant.c[name] for name in GrantView._fields))


def add(session: Session, channel: str, state: str, verifier: str, now: datetime, until: datetime) -> int:
    """Keep a new request; its id."""
    statement = _grant.insert().values(
        channel=channel, state=state, verifier=verifier, asked_at=now, expires_at=until, account_id="", name="",
        failure="",
    )  # fmt: skip
    return int(session.connection().execute(statement.returning(_grant.c.id)).scalar_one())


def forget(session: Session, before: datetime) -> None:
    """Drop the requests that ran out before then."""
    session.connection().execute(delete(_grant).where(_grant.c.expires_at < before))


def find(session: Session, request: int) -> GrantView | None:
    """One request by its id."""
    row = session.connection().execute(_VIEW.where(_grant.c.id == request)).first()
    return GrantView(*row) if row else None


def find_by_state(session: Session, channel: str, state: str) -> GrantView | None:
    """The request whose hashed state this is."""
    statement = _VIEW.where(_grant.c.state == state, _grant.c.channel == channel)
    row = session.connection().execute(statement).first()
    return GrantView(*row) if row else None


def use(session: Session, request: int, now: datetime) -> bool:
    """Mark a request as used; of several callers one gets True, and none once it ran out."""
    statement = update(_grant).where(_grant.c.id == request, _grant.c.used_at.is_(None), _grant.c.expires_at > now)
    return session.connection().execute(statement.values(used_at=now)).rowcount == 1


def settle(
    session: Session, request: int, now: datetime, *, account_id: str = "", name: str = "", failure: str = ""
) -> None:
    """Note how a used request ended; its verifier is good for nothing any more."""
    statement = update(_grant).where(_grant.c.id == request)
    session.connection().execute(
        statement.values(settled_at=now, verifier="", account_id=account_id, name=name, failure=failure)
    )
