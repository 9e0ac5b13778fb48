"""A shop with a long past: moved from SQLite to PostgreSQL, backed up while customers write, killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel

from crm import sample_shop
from storage import engines
from storage.columns import NEVER, hashed, hashed_id, new_id
from tests import forked
from tests.crm.people import POLICY
from tests.demo import MAIN, environment
from tests.trials.rig import CHANNELS, Rig, rigged

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
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
                sample_shop.add(session, regular, "zalo", ACCOUNT, NOW, POLICY)
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
                "effective_at": at,
            }
        ],
    )


@dataclass(frozen=True, slots=True)
class Killed:
    """What stood under the names after so many kills: nothing or a whole backup, the old database or the new one."""

    kills: int
    no_backup: int
    whole_backups: int
    old: int
    new: int
    broken: int


def killed(url: str, times: int, seed: int) -> Killed:
    """`kill -9` of a backup and of a restore, each so many times, at random moments of their work."""
    chance, path = random.Random(seed), engines.sqlite_path(url)
    first, other = path.with_suffix(".first"), path.with_suffix(".other")
    longest = _command(url, "backup", str(first))
    backups = restores = old = broken = 0
    for _ in range(times):
        _command(url, "backup", str(other), dies_after=chance.uniform(0.02, longest))
        if other.exists():
            backups += 1
            broken += _command(url, "backup", str(other), "--verify") == 0
            other.unlink()
    for _ in range(times):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE customer SET email = 'since the backup'")
        _command(url, "restore", str(first), "--force", dies_after=chance.uniform(0.02, longest * 1.2))
        with closing(sqlite3.connect(path)) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            marked = {row[0] for row in connection.execute("SELECT count(*) FROM customer GROUP BY email <> ''")}
        broken += not whole or len(marked) != 1
        restores += 1
        old += _is_old(path)
        for kept in path.parent.glob(f"{path.stem}-before-restore-*"):
            kept.unlink()
    return Killed(2 * times, times - backups, backups, old, restores - old, broken)


def _is_old(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("SELECT 1 FROM customer WHERE email <> '' LIMIT 1").fetchone())


def _command(url: str, *arguments: str, dies_after: float = 0) -> float:
    """Do a command, or kill it after so many seconds; the seconds that it took, 0 where it failed by itself."""
    settings = environment(DATABASE_URL=url, SECRET_KEY="a secret key for tests only")
    began = time.monotonic()
    process = forked.khachquen(*arguments, "--json", folder=engines.sqlite_path(url).parent, settings=settings)
    process.join(dies_after or None)
    if process.is_alive():
        process.kill()
        process.join()
        return dies_after
    return time.monotonic() - began if process.exitcode == 0 else 0


def moved(source: str, target: str) -> list[dict[str, object]]:
    """Move by command; a row for every table that holds something, and one for all."""
    settings = environment(DATABASE_URL=source, SECRET_KEY="a secret key for tests only")
    command = [sys.executable, str(MAIN), "move", "--to", target, "--json"]
    told = json.loads(subprocess.run(command, env=settings, stdout=subprocess.PIPE, check=True).stdout)
    found: list[dict[str, object]] = [
        {"table": name, **{key: each[key] for key in ("rows", "source", "target", "equal", "changed")}}
        for name, each in told["tables"].items()
        if each["rows"]
    ]
    count = sum(each["rows"] for each in told["tables"].values())
    whole = {
        "table": "all",
        "rows": count,
        "source": f"{told['seconds']:.1f} s",
        "target": f"{count / told['seconds']:.0f} rows/s",
    }
    return [
        *found,
        {
            **whole,
            "equal": all(each["equal"] for each in found),
            "changed": sum(each["changed"] for each in told["tables"].values()),
        },
    ]


@dataclass(frozen=True, slots=True)
class Beside:
    """What customers noticed of a backup: how long webhooks took until they were kept, in ms."""

    megabytes: int
    backup_s: float
    acks_before: int
    p99_before: float
    longest_before: float
    acks_meanwhile: int
    p99_meanwhile: float
    longest_meanwhile: float
    refused: int
    log_mb_longest: int
    log_mb_after: int


async def beside(url: str, seconds: float = 10.0, lanes: int = 4) -> Beside:
    """Customers write in so many lanes, for a while alone and then beside a backup of low priority, as documented."""
    path = engines.sqlite_path(url)
    async with rigged(url, speed=1, SQLITE_SYNCHRONOUS="FULL") as rig:
        await rig.product().start(rig.given)
        alone = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, alone.set)
        before = await _writing(rig, url, lanes, alone)
        done = asyncio.Event()
        began = time.monotonic()
        command = ["nice", sys.executable, str(MAIN), "backup", str(path.with_suffix(".sealed")), "--encrypt", "--json"]
        backup = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **rig.given}, stdout=asyncio.subprocess.DEVNULL
        )
        writing = asyncio.create_task(_writing(rig, url, lanes, done))
        assert await backup.wait() == 0
        took = time.monotonic() - began
        done.set()
        meanwhile = await writing
        await rig.quiet()
        await asyncio.sleep(1.5)
        return Beside(
            path.stat().st_size >> 20, round(took, 1), len(before.acks), before.at(0.99), before.at(1),
            len(meanwhile.acks), meanwhile.at(0.99), meanwhile.at(1), sum(rig.refused.values()),
            max(meanwhile.logs, default=0) >> 20, engines.log_bytes(url) >> 20,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Noticed:
    acks: list[float]
    logs: list[int]

    def at(self, share: float) -> float:
        """The time within which this share of the webhooks was kept."""
        ordered = sorted(self.acks)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


async def _writing(rig: Rig, url: str, lanes: int, done: asyncio.Event) -> _Noticed:
    noticed = _Noticed([], [])

    async def lane(number: int) -> None:
        while not done.is_set():
            event = rig.event(CHANNELS[number % 2], f"p{number}")
            began = time.monotonic()
            await rig.deliver(event)
            noticed.acks.append((time.monotonic() - began) * 1000)
            noticed.logs.append(engines.log_bytes(url))
            await asyncio.sleep(0.02)

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    return noticed
