"""Caps on a day's and a month's points: the same end whatever is told first, and said why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import permutations
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session

from crm import customers, ledger, orders, reckoning, refunds
from crm.earning import Step, Why
from crm.errors import NotFound
from crm.orders import Item, News, Status
from crm.programme import month_of
from crm.refunds import Refund
from storage import ledger_check, loyalty
from tests.conftest import Clock
from tests.crm import programme

CAPPED = """
[points]
most_per_day = 10
most_per_month = 25

[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1
"""
PLACED = {"A": (0, 80_000), "B": (1, 50_000), "C": (2, 40_000), "D": (24, 120_000), "E": (48, 90_000)}
"""By name, hours after nine in the morning of the first day, and đồng. On paper, before 60.000đ of A go back:

    A 8, B 2 of 5 and C none: ten a day. D 10 of 12. E 5 of 9: 25 a month.

And afterwards A 2, B 5, C 3 of 4; D and E as before.
"""


def tell(session: Session, clock: Clock, what: str, owner: str, start: datetime) -> None:
    """One message: an order's delivery, or the refund of A."""
    if what == "refund":
        refunds.put(session, "pos", f"{owner}A", "R", Refund(refunded_at=clock(), amount=60_000), clock())
        return
    hours, total = PLACED[what]
    at = start + timedelta(hours=hours)
    news = News(
        source="pos", external_id=f"{owner}{what}", customer=owner, status=Status.DELIVERED, total=total, version=1,
        placed_at=at, changed_at=at, code=what,
    )  # fmt: skip
    orders.put(session, news, clock())


def earned(session: Session, owner: str) -> dict[str, int]:
    """What the ledger holds of each order."""
    found = {what: orders.find(session, "pos", f"{owner}{what}").id for what in PLACED}
    return {what: sum(entry.points for entry in loyalty.of_order(session, number) if entry.currency == "spend")
            for what, number in found.items()}  # fmt: skip


def test_a_day_and_a_month_earn_no_more_whatever_is_told_first(session: Session, clock: Clock) -> None:
    start = opened(session, clock, CAPPED)
    for what in PLACED:
        tell(session, clock, what, "first", start)
    assert earned(session, "first") == {"A": 8, "B": 2, "C": 0, "D": 10, "E": 5}
    for number, arrival in enumerate(permutations(["A", "B", "refund"])):
        owner, waits = f"P{number}", []
        for what in ("E", *arrival, "C", "D"):
            try:
                tell(session, clock, what, owner, start)
            except NotFound:
                waits.append(what)
        for what in waits:
            tell(session, clock, what, owner, start)
        assert earned(session, owner) == {"A": 2, "B": 5, "C": 3, "D": 10, "E": 5}, arrival
        assert ledger.holding(session, customers.known(session, owner, clock())).balance == 25
    assert ledger_check.faults(session) == []


def test_a_cap_says_what_it_took_and_the_steps_add_up(session: Session, clock: Clock) -> None:
    start = opened(session, clock, CAPPED)
    for what in PLACED:
        tell(session, clock, what, "P", start)
    steps = {what: [(step.rule, step.points) for step in reckoned(session, what)] for what in PLACED}
    assert steps["B"] == [("base", 5), ("most_per_day", -3)]
    assert steps["D"] == [("base", 12), ("most_per_day", -2)]
    assert steps["E"] == [("base", 9), ("most_per_month", -4)]


def reckoned(session: Session, what: str) -> tuple[Step, ...]:
    """The steps of an order."""
    return reckoning.reckon(session, orders.find(session, "pos", f"P{what}")).evaluation.steps


RULES = """
[points]
most_per_day = 20

[[rule]]
id = "base"
vi = "1 điểm cho mỗi 10.000đ"
en = "1 point for every 10.000đ"
per = 10000
points = 1

[[rule]]
id = "beans"
vi = "thêm 5 điểm mỗi gói hạt"
en = "5 more for each bag"
each = 5
products = ["hạt"]
most_per_day = 10
most_per_month = 15

[[rule]]
id = "stamps"
vi = "1 tem mỗi gói hạt"
en = "a stamp for each bag"
each = 1
products = ["hạt"]
currency = "stamp"
most_per_day = 1
"""


def buys(
    session: Session, clock: Clock, what: str, at: datetime, bags: int, version: int = 1, owner: str = "P"
) -> None:
    """An order of so many bags, 10.000đ each, is delivered."""
    items = (Item("Hạt", bags, 10_000),)
    news = News(
        source="pos", external_id=what, customer=owner, status=Status.DELIVERED, total=bags * 10_000, version=version,
        placed_at=at, changed_at=at, items=items,
    )  # fmt: skip
    orders.put(session, news, clock())


def brought(session: Session, *what: str) -> list[tuple[int, int]]:
    """Points and stamps of each of these orders, as the ledger holds them."""
    found = []
    for each in what:
        written = loyalty.of_order(session, orders.find(session, "pos", each).id)
        points, stamps = (
            sum(entry.points for entry in written if entry.currency == name) for name in ("spend", "stamp")
        )
        found.append((points, stamps))
    return found


def opened(session: Session, clock: Clock, text: str) -> datetime:
    """A programme holds; it is ten days later. Nine in the morning of its first day."""
    start = clock().replace(day=2, hour=2)
    clock.now = start
    programme.load(session, text, clock())
    clock.pass_by(days=10)
    return start


def test_a_rule_has_caps_of_its_own(session: Session, clock: Clock) -> None:
    start = opened(session, clock, RULES)
    buys(session, clock, "A", start, 1)
    buys(session, clock, "B", start + timedelta(hours=1), 4)
    buys(session, clock, "C", start + timedelta(days=1), 1)
    buys(session, clock, "D", start + timedelta(days=2), 1)
    assert brought(session, "A", "B", "C", "D") == [(6, 1), (9, 0), (6, 1), (1, 1)]
    steps = reckoning.reckon(session, orders.find(session, "pos", "D")).evaluation.steps
    assert [(step.points, step.why) for step in steps] == [(1, Why.FIRED), (0, Why.CAPPED), (1, Why.FIRED)]
    refunds.put(session, "pos", "A", "R", Refund(refunded_at=clock(), amount=10_000), clock())
    assert brought(session, "A", "B", "C", "D") == [(0, 0), (14, 1), (6, 1), (1, 1)]
    buys(session, clock, "B", start + timedelta(hours=1), 4, version=2, owner="Q")
    assert brought(session, "A", "B", "C", "D") == [(0, 0), (14, 1), (6, 1), (6, 1)]
    assert ledger_check.faults(session) == []


def test_an_order_that_is_moved_to_another_day_counts_there_and_leaves_its_room(session: Session, clock: Clock) -> None:
    start = opened(session, clock, CAPPED)
    clock.pass_by(days=40)
    buys(session, clock, "A", start, 8)
    buys(session, clock, "B", start + timedelta(hours=1), 5)
    buys(session, clock, "C", start + timedelta(days=1), 9)
    buys(session, clock, "X", start + timedelta(days=35), 9)
    assert brought(session, "A", "B", "C", "X") == [(8, 0), (2, 0), (9, 0), (9, 0)]
    buys(session, clock, "A", start + timedelta(days=1, hours=-1), 8, version=2)
    assert brought(session, "A", "B", "C", "X") == [(8, 0), (5, 0), (2, 0), (9, 0)]
    buys(session, clock, "A", start + timedelta(days=35, hours=-1), 8, version=3)
    assert brought(session, "A", "B", "C", "X") == [(8, 0), (5, 0), (9, 0), (2, 0)]
    assert ledger_check.faults(session) == []


def test_a_month_that_a_later_version_caps_is_counted_from_its_first_day(session: Session, clock: Clock) -> None:
    start = opened(session, clock, programme.PLAIN)
    programme.load(session, CAPPED, clock())
    buys(session, clock, "old", start, 20)
    buys(session, clock, "new", clock() + timedelta(hours=1), 9)
    assert brought(session, "old", "new") == [(20, 0), (5, 0)]
    refunds.put(session, "pos", "old", "R", Refund(refunded_at=clock(), amount=30_000), clock())
    assert brought(session, "old", "new") == [(17, 0), (8, 0)]


TOLD = st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 8), st.integers(1, 6)), min_size=2, max_size=7)
"""What a till says of orders, one version after the other: which, how many half days after the first, how many bags."""


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TOLD, st.randoms(use_true_random=False))
def test_whatever_is_told_first_the_end_is_the_same_and_full_refunds_leave_nothing(
    session: Session, told: list[tuple[str, int, int]], chance: Random
) -> None:
    numbered, last = list(enumerate(told, 1)), {what: bags for what, _, bags in told}
    ends = []
    for _ in range(2):
        undone, clock = session.begin_nested(), Clock()
        start = opened(session, clock, RULES).replace(day=28)
        for version, (what, halves, bags) in numbered:
            at = start + timedelta(hours=12 * halves, minutes=ord(what))
            buys(session, clock, what, at, bags, version)
        ends.append(brought(session, *sorted(last)))
        assert ledger_check.faults(session) == []
        for what, bags in last.items():
            refunds.put(session, "pos", what, "R", Refund(refunded_at=clock(), amount=bags * 10_000), clock())
        assert brought(session, *last) == [(0, 0)] * len(last)
        undone.rollback()
        chance.shuffle(numbered)
    assert ends[0] == ends[1]


def test_a_busy_month_is_read_as_often_as_a_quiet_one(session: Session, clock: Clock) -> None:
    start = opened(session, clock, RULES)
    asked: list[int] = []
    for number in range(12):
        with counted(session) as statements:
            buys(session, clock, f"A{number}", start + timedelta(days=number // 4, minutes=number), 3)
        asked.append(len(statements))
    assert asked[-1] <= asked[3]


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """The statements of meanwhile."""
    statements: list[str] = []

    def noted(conn: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(session.connection(), "before_cursor_execute", noted)
    yield statements
    event.remove(session.connection(), "before_cursor_execute", noted)


def test_a_month_is_the_brands(clock: Clock) -> None:
    since, until = month_of(datetime.fromisoformat("2026-11-30T17:30:00+00:00"), programme.ZONE)
    assert (since.isoformat(), until.isoformat()) == ("2026-11-30T17:00:00+00:00", "2026-12-31T17:00:00+00:00")
