"""Points among few and among very many: how long a card takes to read, and how expiry and reviews go through them all.

`python -m benchmarks.points ROWS` fills a database of its own with so many customers, reads cards, lets every lot
expire and every tier be reviewed, and writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

from sqlmodel import Session

from benchmarks import process
from bot import points
from crm import ledger, loyalty, programmes
from crm.programme import HOME
from crm.sample_shop import PROGRAMME
from storage import balances, customers, ledger_check, lots, members, migrate
from storage import loyalty as entries
from storage.database import Database
from storage.loyalty import QUALIFY, SPEND

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OVER = NOW + timedelta(days=365)
HEAVY = 1
"""The customer who has ten thousand entries of their own."""
_OWN = 10_000
_LOTS = 20
_READS = 400


@dataclass(frozen=True, slots=True)
class Seen:
    """Milliseconds of a read (medians), and what one pass over everything that is due took."""

    rows: int
    balance_ms: float
    card_ms: float
    heavy_card_ms: float
    due_seconds: float
    due_per_second: int
    worst_range_ms: float
    grown_mb: float
    faults: int


async def measured(folder: Path, rows: int) -> Seen:
    """Fill, read, let it all be due, and count anew."""
    url = f"sqlite:///{folder}/points-{rows}.db"
    migrate.upgrade(url)
    database = Database(url)
    await database.open()
    try:
        await fill(database, rows)
        chance = Random(rows)
        some = [chance.randrange(2, rows + 1) for _ in range(_READS)]
        balance = await database.read(lambda session: _timed(session, some, ledger.holding))
        card = await database.read(lambda session: _timed(session, some, lambda s, who: loyalty.card(s, who, NOW)))
        heavy = await database.read(
            lambda session: _timed(session, [HEAVY] * _READS, lambda s, who: loyalty.card(s, who, NOW))
        )
        before, began = process.resident_bytes(_pid()), time.monotonic()
        worst = await _all_due(database)
        took, grown = time.monotonic() - began, process.resident_bytes(_pid()) - before
        wrong = len(await database.read(ledger_check.faults))
    finally:
        await database.close()
    done = 2 * rows + _LOTS
    return Seen(
        rows, balance, card, heavy, round(took, 2), int(done / took), worst, round(grown / 1e6, 1), wrong
    )  # fmt: skip


async def _all_due(database: Database) -> float:
    """Every lot is over and every tier due; the longest time, in ms, that other work had to wait meanwhile."""
    waits: list[float] = []

    async def other() -> None:
        while True:
            asked = time.monotonic()
            await database.write(lambda session: None, name="other")
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.02)

    beside = asyncio.create_task(other())
    await points.turn(database, OVER)
    beside.cancel()
    return round(max(waits, default=0) * 1000, 1)


async def fill(database: Database, rows: int, first: int = 1) -> None:
    """So many customers with a lot, what qualifies, and a tier; one of them with a long history."""
    await database.write(lambda session: _open(session))

    def step(session: Session, start: int, size: int) -> int | None:
        end = min(start + size, first + rows)
        _people(session, range(start, end))
        return end if end < first + rows else None

    await database.bulk(step, first)
    if first == 1:
        await database.write(_long_history)


def _open(session: Session) -> None:
    if not programmes.versions(session):
        programmes.load(session, PROGRAMME.read_text("utf-8"), HOME, NOW - timedelta(days=400))


def _people(session: Session, numbers: range) -> None:
    expires, review = NOW + timedelta(days=30), NOW + timedelta(days=60)
    connection = session.connection()
    new = [
        {"id": n, "name": "Khách", "external_id": f"K{n}", "created_at": NOW, "updated_at": NOW} for n in numbers
    ]  # fmt: skip
    connection.execute(customers.Customer.__table__.insert(), new)  # type: ignore[attr-defined]
    made = entries.add_many(session, [_entry(n, SPEND, 50, f"s{n}") for n in numbers])
    entries.add_many(session, [_entry(n, QUALIFY, 1_500_000, f"q{n}") for n in numbers])
    lots.add_many(session, [_lot(n, n << 8, made[f"s{n}"], 50, expires) for n in numbers])
    rows = [(n, currency, held) for n in numbers for currency, held in ((SPEND, 50), (QUALIFY, 1_500_000))]
    balances.change(session, {(n, currency): balances.Holding(balance=held) for n, currency, held in rows})
    members.join(session, numbers, NOW)
    members.set_tiers(
        session,
        [
            {
                "customer_id": n, "tier": "gold", "tier_since": NOW, "window_from": NOW - timedelta(days=200),
                "review_at": review,
            }
            for n in numbers
        ],
    )  # fmt: skip


def _long_history(session: Session) -> None:
    """Ten thousand entries, and some lots that are still open."""
    pairs = range(_OWN // 2)
    made = entries.add_many(session, [_entry(HEAVY, SPEND, 1, f"h{n}") for n in pairs])
    made |= entries.add_many(session, [_entry(HEAVY, SPEND, -1, f"g{n}") for n in pairs])
    used = [{**_lot(HEAVY, 1000 + n, made[f"h{n}"], 1, NOW + timedelta(days=30)), "remaining": 0} for n in pairs]
    lots.add_many(session, [{**each, "id": -int(str(each["id"]))} for each in used])
    lots.add_uses(session, [{"entry_id": made[f"g{n}"], "lot_id": -(1000 + n), "points": -1} for n in pairs])
    brought = [_entry(HEAVY, SPEND, 10, f"l{n}") for n in range(_LOTS)]
    made = entries.add_many(session, brought)
    days = [timedelta(days=30 + n) for n in range(_LOTS)]
    lots.add_many(session, [_lot(HEAVY, n + 1, made[f"l{n}"], 10, NOW + days[n]) for n in range(_LOTS)])
    balances.change(session, {(HEAVY, SPEND): balances.Holding(balance=10 * _LOTS)})


def _entry(customer: int, currency: str, amount: int, key: str) -> dict[str, object]:
    return {
        "customer_id": customer, "currency": currency, "points": amount, "pending": 0, "kind": "earn", "reason": "",
        "source_key": key, "order_id": None, "reverses": None, "programme": None, "actor": "", "at": NOW,
        "effective_at": NOW,
    }  # fmt: skip


def _lot(customer: int, number: int, entry: int, amount: int, expires: datetime) -> dict[str, object]:
    return {
        "id": number, "customer_id": customer, "currency": SPEND, "entry_id": entry, "order_id": None,
        "points": amount, "remaining": amount, "held": 0, "pending": False, "available_at": NOW, "expires_at": expires,
    }  # fmt: skip


def _timed(session: Session, who: list[int], read: Callable[[Session, int], object]) -> float:
    """The median of so many reads, in ms."""
    return round(median(_each(session, who, read)) * 1000, 3)


def _each(session: Session, who: list[int], read: Callable[[Session, int], object]) -> Iterator[float]:
    for customer in who:
        began = time.perf_counter()
        read(session, customer)
        yield time.perf_counter() - began


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)


def main(argv: list[str]) -> int:
    """Measure with each number of rows in turn."""
    for rows in map(int, argv or ["10000"]):
        with tempfile.TemporaryDirectory(prefix="khachquen-points-") as folder:
            print(json.dumps(asdict(asyncio.run(measured(Path(folder), rows)))), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
