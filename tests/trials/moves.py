"""A shop with a long past is moved from SQLite to PostgreSQL, and backed up while customers write."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, SQLModel

from crm import sample_shop
from storage import engines
from storage.columns import NEVER, hashed, hashed_id, new_id

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CHANNELS = ("zalo", "messenger")
ACCOUNT = "2345678901234567890"
SAYINGS = (
    "shop ơi đơn của mình tới đâu rồi", "cảm ơn shop nhé 🥰", "Nguyễn", "cà phê muối còn không ạ?", "ok",
    "mình ở 24 Hoa Sữa, gọi trước khi giao giúp mình", "👨‍👩‍👧‍👦 𝔘nicode \u202eוה\u202c", "a\tb\\n\\.\n'\"", "",
)  # fmt: skip
_PER_PERSON = 50


def fill(url: str, messages: int, seed: int) -> None:
    """The sample shop, and so many messages of other people with the events and sends that they came of."""
    chance = random.Random(seed)
    engine = engines.writer(url, "OFF")
    try:
        with engine.connect() as connection, connection.begin(), Session(bind=connection) as session:
            for regular in sample_shop.REGULARS:
                sample_shop.add(session, regular, "zalo", ACCOUNT, NOW)
            session.flush()
            for first in range(0, messages, _PER_PERSON):
                count = min(_PER_PERSON, messages - first)
                for name, rows in _person(chance, count):
                    connection.execute(SQLModel.metadata.tables[name].insert(), rows)
    finally:
        engine.dispose()


def _person(chance: random.Random, count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A customer with so many messages: rows by table, parents first."""
    customer, identity, channel = new_id(), new_id(), chance.choice(CHANNELS)
    user = str(chance.randrange(10**15, 10**16))
    at = NOW - timedelta(seconds=chance.randrange(10**7), microseconds=chance.randrange(10**6))
    moments = [at + timedelta(seconds=each) for each in range(count)]
    yield "customer", [{"id": customer, "name": chance.choice(SAYINGS), "created_at": at, "updated_at": at}]
    whose = {"channel": channel, "account_id": ACCOUNT}
    yield (
        "identity",
        [{"id": identity, "customer_id": customer, "user_id": user, "followed": True, "created_at": at, **whose}],
    )
    yield "conversation", [{"id": identity}]
    thread = hashed_id(channel, ACCOUNT, user)
    yield "thread", [{"id": thread, "thread_key": user, "due_at": None, **whose}]
    told = [chance.choice(SAYINGS) for _ in moments]
    yield "message", [
        {
            "id": new_id(), "conversation_id": identity, "author": "customer" if each % 2 else "bot", "text": text,
            "message_id": f"m{new_id()}", "at": moment, "seen_at": moment if each % 3 else None,
        }
        for each, (moment, text) in enumerate(zip(moments, told, strict=True))
    ]  # fmt: skip
    yield "inbox", [
        {
            "id": new_id(), "dedup": hashed(user, str(moment)), "thread_id": thread, "occurred_at": moment,
            "received_at": moment, "body": text.encode(), "ready_at": moment, "state": "done", **whose,
        }
        for moment, text in list(zip(moments, told, strict=True))[1::2]
    ]  # fmt: skip
    yield "outbox", [
        {
            "id": new_id(), "identity_id": identity, "user_id": user, "purpose": "reply", "priority": 0, "body": text,
            "state": "sent", "ready_at": moment, "created_at": moment, "sent_at": moment, "lease_until": NEVER, **whose,
        }
        for moment, text in list(zip(moments, told, strict=True))[::2]
    ]  # fmt: skip
    yield (
        "ledger_entry",
        [
            {
                "customer_id": customer,
                "points": chance.randrange(1, 99),
                "kind": "earned",
                "source_key": f"t{customer}",
                "at": at,
            }
        ],
    )
