"""The bare bot that keeps its promises: all is committed before the 200, by one writer thread with group commit."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_storeless import REPLY, Speaker, application, serve

SCHEMA = """
CREATE TABLE seen (mid TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE customer (psid TEXT PRIMARY KEY, first_at REAL NOT NULL, last_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE message (id INTEGER PRIMARY KEY, psid TEXT NOT NULL, mid TEXT NOT NULL, direction TEXT NOT NULL,
    text TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, psid TEXT NOT NULL, text TEXT NOT NULL, status TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Received:
    """A message to accept; `accepted` gets the outbox id of its reply, or None if the mid was seen before."""

    psid: str
    mid: str
    text: str
    accepted: asyncio.Future[int | None]


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply that has reached the platform."""

    outbox_id: int
    psid: str
    mid: str


class Writer:
    """The one thread that writes: whatever waits while a commit runs shares the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: queue.SimpleQueue[Received | Sent | None] = queue.SimpleQueue()
        self._outbox_ids = itertools.count(1)
        self._thread = threading.Thread(target=self._run, name="writer")
        self._thread.start()

    async def accept(self, psid: str, mid: str, text: str) -> int | None:
        """Store a message, its customer and its reply; returns after the commit, None if the mid was seen before."""
        accepted: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.put(Received(psid, mid, text, accepted))
        return await accepted

    def mark_sent(self, outbox_id: int, psid: str, mid: str) -> None:
        """Store that a reply was sent; returns at once."""
        self._waiting.put(Sent(outbox_id, psid, mid))

    def stop(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(SCHEMA)
        stopping = False
        while not stopping:
            batch = self._batch()
            stopping = None in batch
            received = [row for row in batch if isinstance(row, Received)]
            db.execute("BEGIN IMMEDIATE")
            outbox_ids = self._accept(db, received)
            _mark(db, [row for row in batch if isinstance(row, Sent)])
            db.execute("COMMIT")
            if received:
                loop = received[0].accepted.get_loop()
                loop.call_soon_threadsafe(_resolve, [(row.accepted, outbox_ids.pop(row.mid, None)) for row in received])
        db.close()

    def _batch(self) -> list[Received | Sent | None]:
        batch = [self._waiting.get()]
        while not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return batch

    def _accept(self, db: sqlite3.Connection, received: Sequence[Received]) -> dict[str, int]:
        """Store what was not seen before; returns the outbox id by mid."""
        now = time.time()
        places = ",".join("?" * len(received))
        known = db.execute(f"SELECT mid FROM seen WHERE mid IN ({places})", [row.mid for row in received])
        seen = {mid for (mid,) in known}
        fresh = {row.mid: row for row in received if row.mid not in seen}
        outbox_ids = {mid: next(self._outbox_ids) for mid in fresh}
        db.executemany("INSERT INTO seen VALUES (?)", [(mid,) for mid in fresh])
        db.executemany(
            "INSERT INTO customer VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last_at = excluded.last_at",
            [(row.psid, now, now) for row in fresh.values()],
        )
        db.executemany(
            "INSERT INTO message (psid, mid, direction, text, at) VALUES (?, ?, 'in', ?, ?)",
            [(row.psid, row.mid, row.text, now) for row in fresh.values()],
        )
        db.executemany(
            "INSERT INTO outbox VALUES (?, ?, ?, 'queued')",
            [(outbox_ids[mid], row.psid, REPLY) for mid, row in fresh.items()],
        )
        return outbox_ids


def _mark(db: sqlite3.Connection, sent: Sequence[Sent]) -> None:
    now = time.time()
    db.executemany("UPDATE outbox SET status = 'sent' WHERE id = ?", [(row.outbox_id,) for row in sent])
    db.executemany(
        "INSERT INTO message (psid, mid, direction, text, at) VALUES (?, ?, 'out', ?, ?)",
        [(row.psid, row.mid, REPLY, now) for row in sent],
    )


def _resolve(accepted: Sequence[tuple[asyncio.Future[int | None], int | None]]) -> None:
    for future, outbox_id in accepted:
        if not future.done():
            future.set_result(outbox_id)


def main() -> None:
    """Accept by storing, then reply and mark the reply."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--graph-url", required=True)
    parser.add_argument("--database", type=Path, required=True)
    options = parser.parse_args()
    speaker = Speaker(options.graph_url)
    writer = Writer(options.database)

    async def accept(psid: str, mid: str, text: str) -> None:
        outbox_id = await writer.accept(psid, mid, text)
        if outbox_id is not None:
            speaker.later(deliver(outbox_id, psid))

    async def deliver(outbox_id: int, psid: str) -> None:
        writer.mark_sent(outbox_id, psid, await speaker.send(psid))

    serve(application(speaker, accept), options.port)
    writer.stop()


if __name__ == "__main__":
    main()
