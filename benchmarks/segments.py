"""Segments over very many customers: what the compiler makes of them beside the best query that we know by hand.

`python -m benchmarks.segments URL CUSTOMERS` makes the shop where there is none (`big_shop.py`), and writes one line of
JSON a segment. A database that has it is not changed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import text
from sqlmodel import Session

from benchmarks import big_shop
from benchmarks.big_shop import NOW
from bot import audience
from crm import segments
from crm.programme import HOME

AT = audience.as_of(NOW, HOME)
_ROUNDS = 5


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
_AGREED = (
    "EXISTS (SELECT 1 FROM consent_standing s WHERE s.customer_id = c.id AND s.purpose = 'marketing' AND s.granted AND "
    "NOT EXISTS (SELECT 1 FROM consent_standing n WHERE n.customer_id = c.id AND n.purpose = 'marketing' AND NOT "
    "n.granted AND n.channel IN ('', s.channel) AND n.at >= s.at))"
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
        f"{_AGREED}",
    ),
    Case(
        "either tag", "tag:t7 hoac tag:t9",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM tag WHERE folded IN ('t7', 't9')) t JOIN customer c ON "
        f"c.id = t.customer_id WHERE {_SERVED}",
    ),
    Case(
        "tag or tier, then active", "(tag:t9 hoac hang>=gold) va hoatdong<7ngay",
        f"SELECT c.id FROM (SELECT customer_id FROM tag WHERE folded = 't9' UNION SELECT customer_id FROM "
        f"loyalty_member WHERE tier = 'gold') t JOIN customer c ON c.id = t.customer_id WHERE {_SERVED} AND EXISTS "
        f"(SELECT 1 FROM identity i WHERE i.customer_id = c.id AND i.last_interaction_at > :d7)",
    ),
    Case(
        "tag, or new and agreed", "tag:t9 hoac (tao<30ngay va dongy)",
        f"SELECT c.id FROM (SELECT customer_id FROM tag WHERE folded = 't9' UNION SELECT c.id FROM customer c WHERE "
        f"c.created_at > :d30 AND {_AGREED}) t JOIN customer c ON c.id = t.customer_id WHERE {_SERVED}",
    ),
    Case(
        "new, without an order", "tao<30ngay va khong mua",
        f"SELECT c.id FROM customer c WHERE c.created_at > :d30 AND {_SERVED} AND NOT EXISTS (SELECT 1 FROM "
        f"sales_order o WHERE o.customer_id = c.id AND {_LIVE})",
    ),
    Case(
        "birthday today and agreed", "sinhnhat:homnay+22 va dongy",
        f"SELECT c.id FROM customer c WHERE c.birthday IN ('1990-12-15', '--12-15') AND {_SERVED} AND {_AGREED}",
    ),
    Case(
        "agreed on a channel", "dongy:zalo",
        f"SELECT c.id FROM (SELECT customer_id FROM consent_standing s WHERE purpose = 'marketing' AND channel IN ('', "
        f"'zalo') AND granted AND NOT EXISTS (SELECT 1 FROM consent_standing n WHERE n.customer_id = s.customer_id AND "
        f"n.purpose = 'marketing' AND n.channel IN ('', 'zalo') AND NOT n.granted AND n.at >= s.at) GROUP BY "
        f"customer_id) s JOIN customer c ON c.id = s.customer_id WHERE {_SERVED}",
    ),
    Case(
        "refused", "tuchoi",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM consent_standing WHERE purpose = 'marketing' AND NOT "
        f"granted) s JOIN customer c ON c.id = s.customer_id WHERE {_SERVED} AND NOT {_AGREED}",
    ),
    Case(
        "points, bought lately", "diem>=2000 va mua<30ngay",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM sales_order WHERE placed_at > :d30 AND {_LIVE}) o JOIN "
        f"customer c ON c.id = o.customer_id WHERE {_SERVED} AND EXISTS (SELECT 1 FROM point_balance b WHERE "
        f"b.customer_id = c.id AND b.currency = 'spend' AND b.balance + b.debt - b.pending - b.held >= 2000)",
    ),
    Case(
        "all but a tag", "khong(tag:t3) va kenh:messenger",
        f"SELECT c.id FROM (SELECT DISTINCT customer_id FROM identity WHERE channel = 'messenger') i JOIN customer c "
        f"ON c.id = i.customer_id WHERE {_SERVED} AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.customer_id = c.id AND "
        f"t.folded = 't3')",
    ),
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Make the shop, if need be, and measure."""
    url, rows = argv[0], int(argv[1])
    with big_shop.opened(url, rows) as connection, Session(bind=connection) as session:
        for case in CASES:
            print(json.dumps(asdict(measured(session, case))), flush=True)
    return 0


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
