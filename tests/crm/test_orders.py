"""Orders: the newest news stands in whatever order it comes, and customers see only their own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from crm import customers, loyalty, orders
from crm.customers import Outcome
from crm.errors import NotFound
from crm.orders import Item, News, Status
from storage.database import Database
from tests.conftest import Clock

START = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
NEWS = News(
    source="pos", external_id="A1", customer="C1", status=Status.PENDING, total=255_000, version=1, placed_at=START,
    changed_at=START, items=(Item("Trà sen", 2, 120_000), Item("Túi", 0.5, 30_000)), code="#DH 001",
)  # fmt: skip


def test_the_same_news_twice_changes_nothing(session: Session, clock: Clock) -> None:
    assert [orders.put(session, NEWS, clock()) for _ in range(3)] == [
        Outcome.CREATED, Outcome.UNCHANGED, Outcome.UNCHANGED,
    ]  # fmt: skip


def test_older_news_never_overwrites(session: Session, clock: Clock) -> None:
    orders.put(session, replace(NEWS, version=5, status=Status.SHIPPING), clock())
    assert orders.put(session, replace(NEWS, version=4, status=Status.CONFIRMED), clock()) == Outcome.STALE
    assert orders.find(session, "pos", "A1").status == Status.SHIPPING


def test_newer_news_with_nothing_new_still_moves_the_version(session: Session, clock: Clock) -> None:
    orders.put(session, NEWS, clock())
    assert orders.put(session, replace(NEWS, version=3), clock()) == Outcome.UNCHANGED
    assert orders.put(session, replace(NEWS, version=2, total=1), clock()) == Outcome.STALE


def test_of_two_news_with_one_version_the_further_status_stands(session: Session, clock: Clock) -> None:
    orders.put(session, replace(NEWS, status=Status.DELIVERED), clock())
    assert orders.put(session, replace(NEWS, status=Status.SHIPPING), clock()) == Outcome.STALE
    assert orders.put(session, replace(NEWS, status=Status.RETURNED), clock()) == Outcome.UPDATED


def test_an_order_before_its_customer_makes_a_stub_that_a_later_put_fills(session: Session, clock: Clock) -> None:
    orders.put(session, NEWS, clock())
    stub = customers.find(session, "C1")
    assert stub.name == ""
    assert customers.put_customer(session, "C1", now=clock(), name="Nguyễn Lan") == Outcome.UPDATED
    filled = customers.find(session, "C1")
    assert (filled.id, filled.name) == (stub.id, "Nguyễn Lan")


def test_the_same_id_of_two_sources_is_two_orders(session: Session, clock: Clock) -> None:
    outcomes = [orders.put(session, replace(NEWS, source=source), clock()) for source in ("pos", "web")]
    assert outcomes == [Outcome.CREATED, Outcome.CREATED]


def test_items_come_back_as_they_were_told(session: Session, clock: Clock) -> None:
    orders.put(session, NEWS, clock())
    assert orders.items(orders.find(session, "pos", "A1")) == NEWS.items


def test_the_moment_of_delivery_is_kept_through_a_return(session: Session, clock: Clock) -> None:
    delivered = START + timedelta(days=2)
    orders.put(session, replace(NEWS, version=2, status=Status.DELIVERED, changed_at=delivered), clock())
    later = replace(NEWS, version=3, status=Status.RETURNED, changed_at=START + timedelta(days=9))
    orders.put(session, later, clock())
    assert orders.find(session, "pos", "A1").delivered_at == delivered


def test_a_delivery_taken_back_has_no_moment(session: Session, clock: Clock) -> None:
    orders.put(session, replace(NEWS, version=2, status=Status.DELIVERED), clock())
    orders.put(session, replace(NEWS, version=3, status=Status.SHIPPING), clock())
    assert orders.find(session, "pos", "A1").delivered_at is None


@pytest.mark.parametrize("typed", ["#DH 001", "dh001", "DH001", " # d h 0 0 1 ", "#dh001"])
def test_a_code_is_found_however_it_is_typed(session: Session, clock: Clock, typed: str) -> None:
    orders.put(session, NEWS, clock())
    found = orders.by_code(session, customers.known(session, "C1", clock()), typed)
    assert found is not None and found.external_id == "A1"


def test_somebody_elses_order_is_never_found(session: Session, clock: Clock) -> None:
    orders.put(session, NEWS, clock())
    assert orders.by_code(session, customers.known(session, "C2", clock()), "DH001") is None


def test_an_order_without_a_code_is_found_by_its_id(session: Session, clock: Clock) -> None:
    orders.put(session, replace(NEWS, code=""), clock())
    assert orders.by_code(session, customers.known(session, "C1", clock()), "a1") is not None


def test_the_last_three_orders_come_newest_first(session: Session, clock: Clock) -> None:
    for day in (3, 1, 4, 2):
        placed = replace(NEWS, external_id=f"A{day}", placed_at=START + timedelta(days=day))
        orders.put(session, placed, clock())
    recent = orders.recent(session, customers.known(session, "C1", clock()))
    assert [order.external_id for order in recent] == ["A4", "A3", "A2"]


def test_pages_follow_each_other_without_gap_or_repeat(session: Session, clock: Clock) -> None:
    for number in range(5):
        orders.put(session, replace(NEWS, external_id=f"A{number}"), clock())
    seen: list[str] = []
    after = 0
    while rows := orders.page(session, after, 2):
        seen += [row.external_id for row in rows]
        after = rows[-1].id
    assert seen == [f"A{number}" for number in range(5)]


def test_an_unknown_order_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        orders.find(session, "pos", "nothing")


def test_a_moment_is_a_version_that_grows_with_it() -> None:
    second = timedelta(seconds=1)
    assert orders.version_at(START + second) - orders.version_at(START) == 1_000_000


async def test_news_that_races_earns_once(database: Database, clock: Clock) -> None:
    delivered = [replace(NEWS, version=version, status=Status.DELIVERED) for version in (1, 2, 2, 3)] * 3
    await asyncio.gather(*(database.write(lambda s, n=news: orders.put(s, n, clock())) for news in delivered))
    customer = (await database.read(lambda s: customers.find(s, "C1"))).id
    assert await database.read(lambda s: [entry.points for entry in loyalty.history(s, customer)]) == [25]
