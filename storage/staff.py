"""Staff: who they are, what role they have, their PIN's hash, their shift, and the codes that pair their chats."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import given_id, moment, reference
from storage.customers import Identity


class Staff(SQLModel, table=True):
    """A person of the brand. `shift_until` is None off shift; `pin` is a keyed hash, "" where none is set."""

    __tablename__ = "staff"

    id: int = given_id()
    name: str
    role: str = Field(max_length=16)
    pin: str = Field(default="", max_length=64)
    pin_misses: int = 0
    pin_locked_at: datetime | None = moment(nullable=True)
    shift_until: datetime | None = moment(nullable=True)
    given_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class Pairing(SQLModel, table=True):
    """A code that makes the chat in which it is typed a member of staff's, once. Only its hash is kept."""

    __tablename__ = "pairing"

    digest: str = Field(primary_key=True, max_length=64)
    staff_id: int = reference("staff.id", index=True)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class StaffRow(NamedTuple):
    """A member of staff as read."""

    id: int
    name: str
    role: str
    pin: str
    pin_misses: int
    pin_locked_at: datetime | None
    shift_until: datetime | None
    given_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class Chat(NamedTuple):
    """One chat of a member of staff."""

    identity_id: int
    staff_id: int
    channel: str
    account_id: str
    name: str
    last_interaction_at: datetime | None


_staff = Staff.__table__  # type: ignore[attr-defined]
_pairing = Pairing.__table__  # type: ignore[attr-defined]
_identity = Identity.__table__  # type: ignore[attr-defined]
_ROW = select(*(_staff.c[name] for name in StaffRow._fields))


def add(session: Session, staff_id: int, name: str, role: str, now: datetime) -> None:
    """Keep a new member of staff."""
    row = {"id": staff_id, "name": name, "role": role, "pin": "", "pin_misses": 0, "created_at": now}
    session.connection().execute(_staff.insert().values(**row))


def find(session: Session, staff_id: int, *, lock: bool = False) -> StaffRow | None:
    """One member of staff, revoked ones too; `lock` holds the row until the transaction ends."""
    statement = _ROW.where(_staff.c.id == staff_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    return StaffRow._make(row) if row else None


def everyone(session: Session) -> list[StaffRow]:
    """All members of staff, revoked ones too, oldest first."""
    return [StaffRow._make(row) for row in session.connection().execute(_ROW.order_by(_staff.c.id))]


def change(session: Session, staff_id: int, **values: object) -> None:
    """Set columns of one member of staff."""
    session.connection().execute(update(_staff).where(_staff.c.id == staff_id).values(**values))


def add_pairing(session: Session, digest: str, staff_id: int, expires_at: datetime, now: datetime) -> None:
    """Keep the hash of a new pairing code."""
    row = {"digest": digest, "staff_id": staff_id, "expires_at": expires_at, "created_at": now}
    session.connection().execute(_pairing.insert().values(**row))


def use_pairing(session: Session, digest: str, now: datetime) -> int | None:
    """Use a pairing code up; whose it is, or None where it is unknown, used, or expired."""
    statement = (
        update(_pairing)
        .where(_pairing.c.digest == digest, _pairing.c.used_at.is_(None), _pairing.c.expires_at > now)
        .values(used_at=now)
        .returning(_pairing.c.staff_id)
    )
    return session.connection().execute(statement).scalar_one_or_none()


def end_pairings(session: Session, staff_id: int, now: datetime) -> None:
    """No code of this member of staff works any more."""
    statement = update(_pairing).where(_pairing.c.staff_id == staff_id, _pairing.c.used_at.is_(None))
    session.connection().execute(statement.values(used_at=now))


def chats(session: Session, staff_id: int | None = None) -> list[Chat]:
    """The chats of one member of staff or of all: those for staff alone first, then the one they wrote in last."""
    statement = select(
        _identity.c.id, _identity.c.staff_id, _identity.c.channel, _identity.c.account_id, _identity.c.name,
        _identity.c.last_interaction_at,
    )  # fmt: skip
    order = (_identity.c.staff_only.desc(), _identity.c.last_interaction_at.desc(), _identity.c.id.desc())
    whose = _identity.c.staff_id.is_not(None) if staff_id is None else _identity.c.staff_id == staff_id
    return [Chat._make(row) for row in session.connection().execute(statement.where(whose).order_by(*order))]


def take_chats(session: Session, staff_id: int) -> int:
    """The chats of this member of staff are customers' again; how many there were."""
    statement = update(_identity).where(_identity.c.staff_id == staff_id).values(staff_id=None)
    return session.connection().execute(statement).rowcount
