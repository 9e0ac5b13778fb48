"""What platforms let accounts send beyond free replies: what is left as they told last, and what they shut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment
from storage.hot import Fetch


class AllowanceRow(SQLModel, table=True):
    """One allowance of one account, by the platform's own name; `total` is 0 where it does not tell."""

    __tablename__ = "allowance"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    name: str = Field(primary_key=True, max_length=64)
    remain: int
    total: int
    ends_at: datetime | None = moment(nullable=True)
    told_at: datetime = moment()


class ShutRow(SQLModel, table=True):
    """A lane of an account that the platform shut: for everything, or for marketing alone. Tried again at `until`."""

    __tablename__ = "shut_lane"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    lane: str = Field(primary_key=True, max_length=64)
    marketing: bool = Field(primary_key=True)
    why: str
    until: datetime = moment()


class AllowanceView(NamedTuple):
    """An allowance as read."""

    channel: str
    account_id: str
    name: str
    remain: int
    total: int
    ends_at: datetime | None
    told_at: datetime


class Shut(NamedTuple):
    """A shut lane as read."""

    channel: str
    account_id: str
    lane: str
    marketing: bool
    why: str
    until: datetime


_allowance = AllowanceRow.__table__  # type: ignore[attr-defined]
_shut = ShutRow.__table__  # type: ignore[attr-defined]
_ORDER = (_allowance.c.channel, _allowance.c.account_id, _allowance.c.name)
_ALLOWANCES = Fetch(lambda _among: select(*(_allowance.c[name] for name in AllowanceView._fields)).order_by(*_ORDER))
_SHUT = Fetch(
    lambda _among: select(*(_shut.c[name] for name in Shut._fields)).order_by(*(_shut.c[n] for n in Shut._fields[:4]))
)


def everything(session: Session) -> list[AllowanceView]:
    """All allowances, by account and name."""
    return [AllowanceView._make(row) for row in _ALLOWANCES.rows(session.connection())]


def note_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what platforms told; what was told later stands."""
    if not rows:
        return
    statement = insert(session.get_bind().dialect.name, _allowance)
    new = {key: statement.excluded[key] for key in ("remain", "total", "ends_at", "told_at")}
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "account_id", "name"],
        set_=new,
        where=_allowance.c.told_at <= statement.excluded.told_at,
    )
    ordered = sorted(rows, key=lambda row: (row["channel"], row["account_id"], row["name"]))
    session.connection().execute(statement, ordered)


def shut(session: Session) -> list[Shut]:
    """All lanes that were shut and not found open since."""
    return [Shut._make(row) for row in _SHUT.rows(session.connection())]


def shut_lane(session: Session, lane: Shut) -> None:
    """Shut a lane, or let it stay shut for longer."""
    statement = insert(session.get_bind().dialect.name, _shut).values(**lane._asdict())
    keys = ["channel", "account_id", "lane", "marketing"]
    new = {key: statement.excluded[key] for key in ("why", "until")}
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_=new))


def open_lane(session: Session, lane: Shut) -> bool:
    """A lane is open again; False where it was so already."""
    keys = ("channel", "account_id", "lane", "marketing")
    these = (_shut.c[key] == getattr(lane, key) for key in keys)
    return session.connection().execute(delete(_shut).where(*these)).rowcount > 0
