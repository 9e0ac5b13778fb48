"""Stamps that orders bring: they wait, fill cards, are taken back and owed, in whatever order the news comes."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from crm import customers, due, ledger, orders, refunds, stamps, vouchers
from crm.errors import NotFound
from crm.orders import Item, News, Status
from crm.refunds import Refund, RefundLine
from storage import ledger_check
from storage.columns import NEVER
from tests.conftest import Clock
from tests.crm.rewards import open_shop

DAY = timedelta(days=1)
CUPS = "stamp:coffee"


@pytest.fixture(autouse=True)
def shop(session: Session, clock: Clock) -> None:
    """Every cup is a stamp that waits for seven days; nine are a coffee."""
    open_shop(session, clock())
    clock.pass_by(hours=1)


def buys(session: Session, clock: Clock, name: str, cups: int, *more: Status, customer: str = "C1") -> int:
    """An order of so many cups that is delivered, or ends as said; the customer."""
    for version, status in enumerate((Status.DELIVERED, *more), 1):
        items = (Item("Cà phê", cups, 30_000),)
        news = News("pos", name, customer, status, cups * 30_000, version, clock(), clock(), items, name)
        orders.put(session, news, clock())
    return customers.known(session, customer, clock())


def back(session: Session, clock: Clock, name: str, cups: int) -> None:
    """So many cups of an order come back."""
    refund = Refund(refunded_at=clock(), lines=(RefundLine("Cà phê", cups),))
    refunds.put(session, "pos", name, f"R {name}", refund, clock())


def passes(session: Session, clock: Clock, days: int) -> None:
    """Time passes, and what is due is written."""
    clock.pass_by(days=days)
    due.release(session, (NEVER, 0), 100, clock())


def test_stamps_of_an_order_wait_and_then_fill_the_card_by_themselves(session: Session, clock: Clock) -> None:
    lan = buys(session, clock, "A", 5)
    buys(session, clock, "B", 6)
    (card,) = stamps.standings(session, lan, clock())
    assert (card.stamps, card.waiting) == (0, 11) and vouchers.of_customer(session, lan, clock()) == []
    passes(session, clock, 7)
    (card,) = stamps.standings(session, lan, clock())
    assert (card.stamps, card.waiting, card.missing) == (2, 0, 7)
    assert [each.reward for each in vouchers.of_customer(session, lan, clock())] == ["coffee"]
    passes(session, clock, 1)
    buys(session, clock, "B", 6)
    assert len(vouchers.of_customer(session, lan, clock())) == 1 and ledger_check.faults(session) == []


def test_stamps_follow_a_refund_and_a_return(session: Session, clock: Clock) -> None:
    lan = buys(session, clock, "A", 5)
    back(session, clock, "A", 2)
    assert ledger.holding(session, lan, CUPS) == (3, 3, 0, 0)
    buys(session, clock, "B", 4, Status.RETURNED)
    assert ledger.holding(session, lan, CUPS) == (3, 3, 0, 0)


def test_stamps_of_a_full_card_that_are_refunded_are_owed_by_the_next_one(session: Session, clock: Clock) -> None:
    lan = buys(session, clock, "A", 9)
    passes(session, clock, 7)
    assert len(vouchers.of_customer(session, lan, clock())) == 1
    back(session, clock, "A", 4)
    assert ledger.holding(session, lan, CUPS) == (-4, 0, 0, 4)
    buys(session, clock, "B", 9)
    passes(session, clock, 7)
    (card,) = stamps.standings(session, lan, clock())
    assert (card.stamps, len(vouchers.of_customer(session, lan, clock()))) == (5, 1)
    assert ledger_check.faults(session) == []


def test_the_messages_of_orders_in_all_their_orders_end_in_the_same_stamps(session: Session, clock: Clock) -> None:
    ends = set()
    for number, arrival in enumerate(permutations(["A", "B", "refund", "shipping"])):
        who = f"P{number}"
        waits = list(arrival)
        while waits:
            what = waits.pop(0)
            try:
                if what == "refund":
                    back(session, clock, f"A{number}", 2)
                elif what == "shipping":
                    news = News(
                        "pos",
                        f"A{number}",
                        who,
                        Status.SHIPPING,
                        150_000,
                        0,
                        clock(),
                        clock(),
                        (Item("Cà phê", 5, 30_000),),
                        "A",
                    )
                    orders.put(session, news, clock())
                    continue
                else:
                    buys(session, clock, f"{what}{number}", 5, customer=who)
            except NotFound:
                waits.append(what)
        ends.add(ledger.holding(session, customers.known(session, who, clock()), CUPS))
    assert ends == {(8, 8, 0, 0)}
    assert ledger_check.faults(session) == []
