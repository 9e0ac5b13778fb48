"""Points among few and among very many: how long a card takes to read, and how expiry and reviews go through them all.

`python -m benchmarks.points URL ROWS …` fills each of these databases with so many customers and reads from all of them
in turn; with one alone it lets every lot expire and every tier be reviewed instead. It writes one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

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
LIKE_HIM = 2
"""The customer whom all others are like."""
_OWN = 10_000
_LOTS = 20
_ROUNDS = 15
_READS = 60

Read = Callable[[Session, int], object]


@dataclass(frozen=True, slots=True)
class Reads:
    """Milliseconds of a read in each database (medians of its rounds), and of each round the last by the first."""

    ms: list[float]
    ratios: list[float]

    @property
    def ratio(self) -> float:
        """How many times longer it takes in the last database than in the first."""
        return round(median(self.ratios), 2)


@dataclass(frozen=True, slots=True)
class Due:
    """What one pass over everything that is due took."""

    rows: int
    seconds: float
    per_second: int
    worst_range_ms: float
    grown_mb: float
    faults: int


def _card(session: Session, who: int) -> object:
    return loyalty.card(session, who, NOW)


KINDS: dict[str, Read] = {"balance": ledger.holding, "card": _card, "card of 10,000 entries": _card}


async def compared(given: Sequence[tuple[str, int]]) -> dict[str, Reads]:
    """Read from each of these databases (URL, customers), filled before, in turn: what slows the machine slows all."""
    databases = [Database(url) for url, _ in given]
    for database in databases:
        await database.open()
    try:
        took: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
        for number in range(_ROUNDS):
            order = list(range(len(given)))[:: 1 if number % 2 else -1]
            for kind, read in KINDS.items():
                row = [0.0] * len(given)
                for place in order:
                    chance = Random(number)
                    some = [chance.randrange(2, given[place][1] + 1) for _ in range(_READS)]
                    who = [HEAVY] * _READS if read is _card and kind != "card" else some
                    row[place] = await databases[place].read(lambda s, w=who, r=read: _timed(s, w, r))
                took[kind].append(row)
    finally:
        for database in databases:
            await database.close()
    return {
        kind: Reads(
            [round(median(each), 3) for each in zip(*rows, strict=True)], [round(row[-1] / row[0], 2) for row in rows]
        )
        for kind, rows in took.items()
    }


async def filled(url: str, rows: int) -> None:
    """A database with the schema and so many customers."""
    migrate.upgrade(url)
    database = Database(url, synchronous="OFF")
    await database.open()
    try:
        await database.write(_open)
        await database.write(lambda session: _people(session, range(HEAVY, LIKE_HIM + 1)))
        await database.write(_long_history)
        await database.write(lambda session: _many_like_him(session, rows))
        if not database.is_sqlite:
            await asyncio.to_thread(_settle, database)
    finally:
        await database.close()


def _settle(database: Database) -> None:
    """What the server does by itself within minutes: note what a table holds, and which of its pages all can see."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


async def all_due(url: str, rows: int) -> Due:
    """Let everything be due at once, and count anew."""
    database = Database(url)
    await database.open()
    try:
        before, began = process.resident_bytes(_pid()), time.monotonic()
        worst = await _all_due(database)
        took, grown = time.monotonic() - began, process.resident_bytes(_pid()) - before
        wrong = len(await database.read(ledger_check.faults))
    finally:
        await database.close()
    done = 2 * rows + _LOTS
    return Due(rows, round(took, 2), int(done / took), worst, round(grown / 1e6, 1), wrong)


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


async def fill(database: Database, rows: int, first: int) -> None:
    """So many customers more, in ranges, each with a lot, what qualifies, and a tier."""
    await database.write(_open)

    def step(session: Session, start: int, size: int) -> int | None:
        end = min(start + size, first + rows)
        _people(session, range(start, end))
        return end if end < first + rows else None

    await database.bulk(step, first)


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


def _many_like_him(session: Session, rows: int) -> None:
    """So many customers, made by the database itself, each like the second one."""
    numbers = f"WITH RECURSIVE seq(n) AS (SELECT {LIKE_HIM + 1} UNION ALL SELECT n + 1 FROM seq WHERE n < {rows})"
    copies: list[tuple[Any, dict[str, str], str]] = [
        (customers.Customer, {"id": "n", "external_id": "'K' || n"}, "id"),
        (entries.LedgerEntry, {"customer_id": "n", "source_key": "substr(source_key, 1, 1) || n"}, "customer_id"),
        (balances.PointBalance, {"customer_id": "n"}, "customer_id"),
        (members.LoyaltyMember, {"customer_id": "n"}, "customer_id"),
        (
            lots.PointLot,
            {
                "id": "n * 256",
                "customer_id": "n",
                "entry_id": "(SELECT id FROM ledger_entry WHERE source_key = 's' || n)",
            },
            "customer_id",
        ),
    ]
    for table, changed, owner in copies:
        names = [each.name for each in table.__table__.columns if each.name != "id" or "id" in changed]
        values = ", ".join(changed.get(name, name) for name in names)
        session.connection().exec_driver_sql(
            f"{numbers} INSERT INTO {table.__tablename__} ({', '.join(names)}) "
            f"SELECT {values} FROM {table.__tablename__}, seq WHERE {owner} = {LIKE_HIM}"
        )


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


def _timed(session: Session, who: list[int], read: Read) -> float:
    """The median of so many reads, in ms."""
    return median(_each(session, who, read)) * 1000


def _each(session: Session, who: list[int], read: Read) -> Iterator[float]:
    for customer in who:
        began = time.perf_counter()
        read(session, customer)
        yield time.perf_counter() - began


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)


def main(argv: list[str]) -> int:
    """Measure in these databases."""
    given = [(url, int(rows)) for url, rows in zip(argv[::2], argv[1::2], strict=True)]
    for url, rows in given:
        asyncio.run(filled(url, rows))
    if len(given) == 1:
        print(json.dumps(asdict(asyncio.run(all_due(*given[0])))))
    else:
        seen = asyncio.run(compared(given))
        print(json.dumps({kind: {**asdict(each), "ratio": each.ratio} for kind, each in seen.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
