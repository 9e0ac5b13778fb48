"""Rows and sessions for tests of storage: people, messages and events with only what a test cares about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from storage import claims, customers, engines, inbox, outbox
from storage.columns import NEVER, new_id
from storage.inbox import Arrival

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CHANNEL = "zalo"
ACCOUNT = "8200300400500600700"


@contextmanager
def transaction(url: str) -> Iterator[Session]:
    """A session on a connection of its own, committed at the end; rolled back if the block raises."""
    engine = engines.writer(url, "OFF")
    try:
        with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
            yield session
            session.flush()
    finally:
        engine.dispose()


def arrival(key: str, *, person: str = "1", at: datetime | None = NOW, received: datetime = NOW) -> Arrival:
    """An event of this person as a door hands it over; its body is its key."""
    return Arrival(CHANNEL, ACCOUNT, person, key, at, received, key.encode("utf-8", "replace"))


def keep(session: Session, *arrivals: Arrival) -> None:
    """Accept these events in this transaction."""
    inbox.accept(session.connection(), arrivals)


def bodies(session: Session, threads: Sequence[inbox.Held]) -> list[str]:
    """What waits in these threads, in the order it will be handled."""
    return [row.body.decode() for row in inbox.waiting(session, [thread.id for thread in threads])]


def person(session: Session, user_id: str = "1", *, last: datetime | None = NOW, channel: str = CHANNEL) -> int:
    """A customer with one identity; the id of the identity."""
    customer, identity = new_id(), new_id()
    customers.add_many(
        session,
        [{"id": customer, "created_at": NOW, "updated_at": NOW}],
        [
            {
                "id": identity, "customer_id": customer, "channel": channel, "account_id": ACCOUNT,
                "user_id": user_id, "last_interaction_at": last, "created_at": NOW,
            }
        ],
        [{"id": identity}],
    )  # fmt: skip
    return identity


def message(identity: int, *, priority: int = 0, ready: datetime = NOW, **more: Any) -> dict[str, Any]:
    """An outbox row that waits."""
    row: dict[str, Any] = {
        "id": new_id(), "identity_id": identity, "channel": CHANNEL, "account_id": ACCOUNT, "user_id": "1",
        "purpose": "reply", "priority": priority, "typed_by_person": False, "body": '{"text": "Chào bạn"}',
        "dedup_key": None, "state": "waiting", "ready_at": ready, "attempts": 0, "error": "", "lease_owner": "",
        "lease_until": NEVER, "lease_token": 0, "lane": "", "resent": False, "message_id": "", "quota": "",
        "cost": 0, "created_at": NOW, "sent_at": None,
    }  # fmt: skip
    return row | more


def queue(session: Session, *rows: dict[str, Any]) -> list[int]:
    """Put messages into the outbox; their ids."""
    outbox.add_many(session.connection(), rows)
    return [row["id"] for row in rows]


def claim(session: Session, now: datetime = NOW, most: int = 100, owner: str = "worker") -> list[int]:
    """Claim what is due as the sending worker does; the ids, in order."""
    claims.lock(session)
    due = claims.due(session, [ACCOUNT], now, most)
    rows = [claims.Claim(row.id, "consultation", row.lease_token + 1) for row in due]
    claims.start(session, owner, now, now + timedelta(seconds=20), rows)
    return [row.id for row in due]
