"""Segments over very many customers: what the compiler makes of them beside the best query that we know by hand.

`python -m benchmarks.segments URL CUSTOMERS` fills the database where it is empty (twice as many orders, 1.4 tags and
0.8 chats a customer), and writes one line of JSON. No segment reads messages: so there are none.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import Connection, text
from sqlmodel import Session

from bot import audience
from crm import programmes, segments
from crm.programme import HOME
from crm.sample_shop import PROGRAMME
from storage import engines, migrate

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
AT = audience.as_of(NOW, HOME)
_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Case:
    """A segment, and the query of somebody who knows the data. `:name` binds what the query says."""

    name: str
    segment: str
    by_hand: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Medians in milliseconds, how many are found, and how often slower ours is."""

    name: str
    found: int
    ours_ms: float
    by_hand_ms: float
    ratio: float


_SERVED = (
    "c.merged_into IS NULL AND c.id NOT IN (SELECT customer_id FROM identity WHERE staff_id IS NOT NULL OR staff_only)"
)
_LIVE = "status NOT IN ('cancelled', 'returned')"
CASES = (
    Case(
        "tag, tier, order, activity", "tag:t7 va hang>=silver va mua<90ngay va hoatdong<7ngay",
        f"SELECT c.id FROM (SELECT customer_id FROM tag WHERE folded = 't7') t JOIN customer c ON c.id = t.customer_id "
        f"WHERE {_SERVED} AND EXISTS (SELECT 1 FROM loyalty_member m WHERE m.customer_id = c.id AND m.tier IN "
        f"('silver', 'gold')) AND EXISTS (SELECT 1 FROM sales_order o WHERE o.customer_id = c.id AND {_LIVE} AND "
        f"o.placed_at > :d90) AND EXISTS (SELECT 1 FROM identity i WHERE i.customer_id = c.id AND "
        f"i.last_interaction_at > :d7)",
    ),
    Case(
        "tier, order, no complaint", "hang>=gold va mua<30ngay va khong(tag:t3)",
        f"SELECT c.id FROM (SELECT customer_id FROM loyalty_member WHERE tier = 'gold') m JOIN customer c ON "
        f"c.id = m.customer_id WHERE {_SERVED} AND EXISTS (SELECT 1 FROM sales_order o WHERE o.customer_id = c.id AND "
        f"{_LIVE} AND o.placed_at > :d30) AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.customer_id = c.id AND "
        f"t.folded = 't3')",
    ),
    Case(
        "biggest tag", "tag:t1",
        f"SELECT c.id FROM tag t JOIN customer c ON c.id = t.customer_id WHERE t.folded = 't1' AND {_SERVED}",
    ),
    Case(
        "recent orders", "mua<7ngay",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM sales_order WHERE placed_at > :d7 AND {_LIVE}) o JOIN "
        f"customer c ON c.id = o.customer_id WHERE {_SERVED}",
    ),
    Case(
        "many orders", "don>=5",
        f"SELECT c.id FROM (SELECT customer_id FROM sales_order WHERE {_LIVE} GROUP BY customer_id HAVING count(*) >= "
        f"5) o JOIN customer c ON c.id = o.customer_id WHERE {_SERVED}",
    ),
    Case(
        "win back", "chi>=2tr va mua>180ngay va dongy",
        f"SELECT c.id FROM (SELECT customer_id FROM sales_order WHERE {_LIVE} GROUP BY customer_id HAVING sum(total) "
        f">= 2000000 AND max(placed_at) < :d180) o JOIN customer c ON c.id = o.customer_id WHERE {_SERVED} AND "
        f"c.marketing = 'granted'",
    ),
    Case(
        "either tag", "tag:t7 hoac tag:t9",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM tag WHERE folded IN ('t7', 't9')) t JOIN customer c ON "
        f"c.id = t.customer_id WHERE {_SERVED}",
    ),
)  # fmt: skip

_SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) ",
    "postgresql": "WITH n AS (SELECT i::bigint FROM generate_series(1, {rows}) i) ",
}
_AGO = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', '2026-11-23 03:00:00', '-' || ({minutes}) || ' minutes') || '.000000'",
    "postgresql": "timestamptz '2026-11-23 03:00:00+00' - ({minutes}) * interval '1 minute'",
}

_BIG = 15_485_863
_TABLES = (
    (
        "customer",
        "id, name, email, birthday, locale, external_id, external_version, marketing, created_at, updated_at",
        "i, 'Khách', '', '', '', 'K' || i, 1, CASE WHEN i % 10 < 6 THEN 'granted' ELSE '' END, {ago}, {ago}",
        "1 = 1", 1.0, f"i * {_BIG} % 1000000",
    ),
    (
        "identity",
        "id, customer_id, staff_only, channel, account_id, user_id, name, avatar_url, followed, last_interaction_at, "
        "referral, referral_source, ad_id, ad_title, created_at",
        "i, i, {false}, CASE WHEN i % 3 = 0 THEN 'messenger' ELSE 'zalo' END, 'a', 'u' || i, '', '', {false}, {ago}, "
        "'', '', '', '', {ago}",
        "i % 5 > 0", 1.0, f"i * {_BIG} % 160000",
    ),
    *(
        ("tag", "customer_id, folded, name, set_by, set_at", f"i, {name}, {name}, '', {{ago}}", where, 1.0, "0")
        for name, where in (
            ("'t1'", "i % 6 = 0"), ("'t3'", "i % 12 = 5"), ("'t7'", "i % 31 = 3"), ("'t9'", "i % 100 = 7"),
            ("'x' || (i % 30)", "1 = 1"),
        )
    ),
    (
        "loyalty_member",
        "customer_id, joined_at, tier, tier_since, window_from, review_at, frozen_reason",
        "i, {ago}, CASE WHEN i * 7919 % 100 < 70 THEN 'member' WHEN i * 7919 % 100 < 90 THEN 'silver' ELSE 'gold' END, "
        "{ago}, {ago}, {ago}, ''",
        "i % 2 = 0", 1.0, f"i * {_BIG} % 400000",
    ),
    (
        "sales_order",
        "id, source, external_id, code, code_key, customer_id, status, total, items, note, version, placed_at, "
        "updated_at",
        "i, 'pos', 'A' || i, 'A' || i, 'a' || i, i * 7919 % {rows} / (CASE WHEN i % 3 = 0 THEN 10 ELSE 1 END) + 1, "
        "CASE i % 10 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'returned' ELSE 'delivered' END, 20000 + i * 104729 % 2000000, "  # noqa: E501
        "'[]', '', 1, {ago}, {ago}",
        "1 = 1", 2.0, f"i * {_BIG} % 1584000",
    ),
)  # fmt: skip
"""Table, columns, values, which of the series, how many a customer, and how many minutes ago."""


def main(argv: list[str]) -> int:
    """Fill, if need be, and measure."""
    url, rows = argv[0], int(argv[1])
    migrate.upgrade(url)
    engine = engines.writer(url, "OFF")
    with engine.connect() as connection:
        if not connection.execute(text("SELECT 1 FROM customer LIMIT 1")).first():
            fill(connection, rows)
            connection.commit()
            connection.execute(text("ANALYZE"))  # what planners go by
            connection.commit()
        with Session(bind=connection) as session:
            for case in CASES:
                print(json.dumps(asdict(measured(session, case))), flush=True)
    return 0


def fill(connection: Connection, rows: int) -> None:
    """Customers and theirs, in one statement a table."""
    with Session(bind=connection) as session:
        programmes.load(session, PROGRAMME.read_text("utf-8"), HOME, NOW - timedelta(days=400))
    dialect = connection.dialect.name
    for table, columns, values, where, many, minutes in _TABLES:
        ago, no = _AGO[dialect].format(minutes=minutes), "0" if dialect == "sqlite" else "false"
        series = _SERIES[dialect].format(rows=int(rows * many))
        shown = values.format(ago=ago, false=no, rows=rows)
        statement = f"INSERT INTO {table} ({columns}) {series} SELECT {shown} FROM n WHERE {where}"
        connection.execute(text(statement.replace(":", "\\:")))


def measured(session: Session, case: Case) -> Seen:
    """Both, in turn, as ids that are fetched."""
    segment = segments.parse(case.segment)
    days = {f"d{days}": NOW - timedelta(days=days) for days in (7, 30, 90, 180)}
    binds: dict[str, object] = {name: at for name, at in days.items() if f":{name}" in case.by_hand}
    if session.connection().dialect.name == "sqlite":
        binds = {name: days[name].strftime("%Y-%m-%d %H:%M:%S.%f") for name in binds}
    ours = lambda: segments.everyone(session, segment, AT)  # noqa: E731
    hand = lambda: list(session.connection().execute(text(case.by_hand), binds).scalars())  # noqa: E731
    assert sorted(ours()) == sorted(hand()), case.name
    times = [(_timed(ours), _timed(hand)) for _ in range(_ROUNDS)]
    a, b = (median(each) for each in zip(*times, strict=True))
    ratio = median(one / other for one, other in times)
    return Seen(case.name, len(ours()), round(a, 1), round(b, 1), round(ratio, 2))


def _timed(query: Callable[[], object]) -> float:
    began = time.perf_counter()
    query()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
