"""Care rules: their versions, which are never changed, and how each rule stands now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, UniqueConstraint, bindparam, func, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import NEVER, BigInt, insert, moment, reference, serial

ON = "on"
PAUSED = "paused"
OFF = "off"
START = (NEVER, 0)
"""The place of a rule that was just turned on: nothing was looked through yet."""


class CareRule(SQLModel, table=True):
    """One version of a rule, as its file says it. What it began ends by it, whatever is loaded since."""

    __tablename__ = "care_rule"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: int | None = serial()
    name: str = Field(max_length=32)
    version: int
    source: str
    created_by: str = Field(default="", max_length=64)
    created_at: datetime = moment()


class CareStanding(SQLModel, table=True):
    """How the rule of a name stands: on, paused or off, in which version, and up to which moments it was followed.

    `since` is when it was turned on: what happened before is none of its business. Its moments were looked through up
    to `seen_at`, and of that instant up to the row `seen_id`.
    """

    __tablename__ = "care_standing"

    name: str = Field(primary_key=True, max_length=32)
    rule_id: int = reference("care_rule.id")
    state: str = Field(max_length=8)
    since: datetime = moment()
    seen_at: datetime = moment()
    seen_id: int = Field(default=0, sa_type=BigInt)
    changed_by: str = Field(default="", max_length=64)
    changed_at: datetime = moment()


class Version(NamedTuple):
    """A version as read."""

    id: int
    name: str
    version: int
    source: str
    created_by: str
    created_at: datetime


class Standing(NamedTuple):
    """How a rule stands, with the version that new moments begin by."""

    name: str
    rule_id: int
    state: str
    since: datetime
    seen_at: datetime
    seen_id: int
    changed_by: str
    changed_at: datetime


_rule = CareRule.__table__  # type: ignore[attr-defined]
_standing = CareStanding.__table__  # type: ignore[attr-defined]
_VERSION = select(*(_rule.c[name] for name in Version._fields))
_STANDING = select(*(_standing.c[name] for name in Standing._fields))
_ONE = _VERSION.where(_rule.c.id == bindparam("rule"))
_NAMED = _STANDING.where(_standing.c.name == bindparam("rule_name"))
_SEEN = (
    update(_standing)
    .where(
        _standing.c.name == bindparam("b_name"), _standing.c.rule_id == bindparam("b_rule"),
        _standing.c.seen_at == bindparam("b_was_at"), _standing.c.seen_id == bindparam("b_was_id"),
    )
    .values(seen_at=bindparam("b_at"), seen_id=bindparam("b_id"))
)  # fmt: skip


def add(session: Session, name: str, source: str, actor: str, now: datetime) -> Version:
    """Keep a text as the next version of this rule; the version that says the same already stays the last one."""
    connection = session.connection()
    last = latest(session, name)
    if last is not None and last.source == source:
        return last
    number = 1 if last is None else last.version + 1
    row = {"name": name, "version": number, "source": source, "created_by": actor, "created_at": now}
    statement = insert(connection.dialect.name, _rule).values(**row)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name", "version"]))
    found = latest(session, name)
    assert found is not None
    return found


def latest(session: Session, name: str) -> Version | None:
    """The newest version of a rule."""
    statement = _VERSION.where(_rule.c.name == name).order_by(_rule.c.version.desc()).limit(1)
    row = session.connection().execute(statement).first()
    return Version._make(row) if row else None


def latest_of_all(session: Session) -> list[Version]:
    """The newest version of every rule, by name."""
    newest = select(_rule.c.name, func.max(_rule.c.version).label("version")).group_by(_rule.c.name).subquery()
    same = (newest.c.name == _rule.c.name) & (newest.c.version == _rule.c.version)
    rows = session.connection().execute(_VERSION.join(newest, same).order_by(_rule.c.name))
    return [Version._make(row) for row in rows]


def versions(session: Session, name: str) -> list[Version]:
    """All versions of a rule, the newest first."""
    rows = session.connection().execute(_VERSION.where(_rule.c.name == name).order_by(_rule.c.version.desc()))
    return [Version._make(row) for row in rows]


def one(session: Session, rule_id: int) -> Version:
    """The version of this id."""
    return Version._make(session.connection().execute(_ONE, {"rule": rule_id}).one())


def some(session: Session, rule_ids: Collection[int]) -> dict[int, Version]:
    """These versions, by id."""
    rows = session.connection().execute(_VERSION.where(_rule.c.id.in_(sorted(rule_ids))))
    return {row[0]: Version._make(row) for row in rows}


def ids_of(session: Session, name: str) -> list[int]:
    """The ids of all versions of a rule."""
    return list(session.connection().execute(select(_rule.c.id).where(_rule.c.name == name)).scalars())


def standings(session: Session) -> dict[str, Standing]:
    """How every rule stands that was ever turned on, by name."""
    return {row[0]: Standing._make(row) for row in session.connection().execute(_STANDING)}


def standing(session: Session, name: str) -> Standing | None:
    """How a rule stands; None where it was never turned on."""
    row = session.connection().execute(_NAMED, {"rule_name": name}).first()
    return Standing._make(row) if row else None


def paused() -> Select[tuple[int]]:
    """The ids of all versions of rules that are paused."""
    same = _standing.c.name == _rule.c.name
    return select(_rule.c.id).join(_standing, same).where(_standing.c.state == PAUSED)


def put(session: Session, standing: Standing) -> None:
    """Let a rule stand so."""
    statement = insert(session.get_bind().dialect.name, _standing).values(**standing._asdict())
    told = {name: statement.excluded[name] for name in Standing._fields if name != "name"}
    session.connection().execute(statement.on_conflict_do_update(index_elements=["name"], set_=told))


def seen(session: Session, was: Standing, at: datetime, row_id: int) -> bool:
    """Note up to where its moments were looked through; False where another did so meanwhile, or it was changed."""
    given = {
        "b_name": was.name, "b_rule": was.rule_id, "b_was_at": was.seen_at, "b_was_id": was.seen_id, "b_at": at,
        "b_id": row_id,
    }  # fmt: skip
    return session.connection().execute(_SEEN, given).rowcount == 1


def states(session: Session, rule_ids: Sequence[int]) -> dict[int, str]:
    """How the rules stand whose versions these are, by the version's id."""
    statement = (
        select(_rule.c.id, _standing.c.state)
        .join(_standing, _standing.c.name == _rule.c.name)
        .where(_rule.c.id.in_(sorted(set(rule_ids))))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}
