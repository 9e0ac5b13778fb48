"""What is to be read again from the platforms: one span for each account, how far the reading is, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Field, Session, SQLModel

from storage import jobs
from storage.columns import insert, moment

JOB = "catchup"


class CatchupRow(SQLModel, table=True):
    """The last span of one account that is, or was, read again. `round` tells a span from one that was widened.

    `cursor` is the channel's own mark of how far it is, `calls` and `found` what it took and gave, `trouble` why it
    goes no further.
    """

    __tablename__ = "catchup"

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    since: datetime = moment()
    until: datetime = moment()
    asked_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    round: int = 1
    cursor: str = ""
    calls: int = 0
    found: int = 0
    trouble: str = ""


class Span(NamedTuple):
    """A span as it was read."""

    channel: str
    account_id: str
    since: datetime
    until: datetime
    asked_at: datetime
    ended_at: datetime | None
    round: int
    cursor: str
    calls: int
    found: int
    trouble: str


_catchup = CatchupRow.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_catchup.c[name] for name in Span._fields))


def everyone(session: Session) -> list[Span]:
    """The last span of every account, those under way first."""
    rows = session.connection().execute(_VIEW.order_by(_catchup.c.asked_at.desc()))
    return sorted((Span._make(row) for row in rows), key=lambda span: span.ended_at is not None)


def under_way(session: Session) -> list[Span]:
    """What is being read again now."""
    return [span for span in everyone(session) if span.ended_at is None]


def find(session: Session, channel: str, account_id: str) -> Span | None:
    """The last span of one account."""
    row = session.connection().execute(_VIEW.where(*_of(channel, account_id))).first()
    return Span._make(row) if row else None


def ask(session: Session, channel: str, account_id: str, since: datetime, until: datetime, now: datetime) -> None:
    """Let an account's conversations of this span be read again; one that is being read already grows by it."""
    row = session.connection().execute(_VIEW.where(*_of(channel, account_id)).with_for_update()).first()
    before = Span._make(row) if row else None
    if before is not None and before.ended_at is None:
        since, until = min(since, before.since), max(until, before.until)
    fresh = {
        "since": since, "until": until, "asked_at": now, "ended_at": None, "round": before.round + 1 if before else 1,
        "cursor": "", "calls": 0, "found": 0, "trouble": "",
    }  # fmt: skip
    statement = insert(session.get_bind().dialect.name, _catchup)
    statement = statement.on_conflict_do_update(index_elements=["channel", "account_id"], set_=fresh)
    session.connection().execute(statement.values(channel=channel, account_id=account_id, **fresh))
    payload = {"channel": channel, "account_id": account_id}
    jobs.add_many(session, [jobs.row(JOB, f"{channel}:{account_id}", payload, now)])


def advance(session: Session, span: Span, **values: object) -> bool:
    """Note how far the reading is; False where the span was widened meanwhile, so that it begins again."""
    statement = update(_catchup).where(*_of(span.channel, span.account_id), _catchup.c.round == span.round)
    return session.connection().execute(statement.values(**values)).rowcount > 0


def _of(channel: str, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return _catchup.c.channel == channel, _catchup.c.account_id == account_id
