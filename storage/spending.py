"""What messages cost: the sum that a budget asks for, and the table for people."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, text
from sqlmodel import Session

from storage.hot import Fetch
from storage.outbox import SENDING, SENT, UNKNOWN, OutboxMessage
from storage.queue import stands

_outbox = OutboxMessage.__table__  # type: ignore[attr-defined]


_SPENT = Fetch(
    lambda _among: select(func.coalesce(func.sum(_outbox.c.cost), 0).label("spent")).where(
        stands(_outbox.c.state, SENDING, SENT, UNKNOWN),
        _outbox.c.channel == bindparam("channel", required=True),
        _outbox.c.account_id == bindparam("account_id", required=True),
        _outbox.c.sent_at >= bindparam("since", type_=_outbox.c.sent_at.type, required=True),
        text("cost > 0"),
    )
)


def spent(session: Session, channel: str, account_id: str, since: datetime) -> int:
    """What an account's messages cost since then, in đồng; those that may have gone out count, too."""
    rows = _SPENT.rows(session.connection(), channel=channel, account_id=account_id, since=since)
    return int(rows[0][0])


class Spending(NamedTuple):
    """How many messages of one account, lane and purpose went out, and what they cost together, in đồng."""

    channel: str
    account_id: str
    lane: str
    purpose: str
    messages: int
    cost: int


def spending(session: Session, since: datetime, until: datetime) -> list[Spending]:
    """What went out, or may have, from one moment until another; reads the whole outbox, for reports."""
    alike = (_outbox.c.channel, _outbox.c.account_id, _outbox.c.lane, _outbox.c.purpose)
    statement = (
        select(*alike, func.count(), func.sum(_outbox.c.cost))
        .where(stands(_outbox.c.state, SENDING, SENT, UNKNOWN), _outbox.c.sent_at >= since, _outbox.c.sent_at < until)
        .group_by(*alike)
        .order_by(*alike)
    )
    return [Spending._make((*row[:5], int(row[5]))) for row in session.connection().execute(statement)]
