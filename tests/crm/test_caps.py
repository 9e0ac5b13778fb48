"""Caps on a day's and a month's points: the same end whatever is told first, and said why."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

from sqlmodel import Session

from crm import customers, ledger, orders, refunds, settlement
from crm.errors import NotFound
from crm.orders import News, Status
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
    start = clock().replace(day=2, hour=2)
    clock.now = start
    programme.load(session, CAPPED, clock())
    clock.pass_by(days=10)
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
    start = clock().replace(day=2, hour=2)
    clock.now = start
    programme.load(session, CAPPED, clock())
    clock.pass_by(days=10)
    for what in PLACED:
        tell(session, clock, what, "P", start)
    steps = {what: [(step.rule, step.points) for step in reckoned(session, what)] for what in PLACED}
    assert steps["B"] == [("base", 5), ("most_per_day", -3)]
    assert steps["D"] == [("base", 12), ("most_per_day", -2)]
    assert steps["E"] == [("base", 9), ("most_per_month", -4)]


def reckoned(session: Session, what: str) -> tuple[settlement.earning.Step, ...]:
    """The steps of an order."""
    return settlement.reckon(session, orders.find(session, "pos", f"P{what}")).evaluation.steps


def test_a_month_is_the_brands(clock: Clock) -> None:
    since, until = month_of(datetime.fromisoformat("2026-11-30T17:30:00+00:00"), programme.ZONE)
    assert (since.isoformat(), until.isoformat()) == ("2026-11-30T17:00:00+00:00", "2026-12-31T17:00:00+00:00")
