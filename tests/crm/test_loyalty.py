"""Points: earned once, taken back once, the same in whatever order the news comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, loyalty, orders
from crm.orders import News, Status
from tests.conftest import Clock

START = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)


def news(version: int, status: Status, total: int = 255_000, customer: str = "C1", external_id: str = "A1") -> News:
    """What a POS says about an order."""
    return News(
        source="pos", external_id=external_id, customer=customer, status=status, total=total, version=version,
        placed_at=START, changed_at=START + timedelta(hours=version),
    )  # fmt: skip


def held(session: Session, customer: str, now: datetime) -> int:
    """The balance of a POS customer."""
    return loyalty.balance(session, customers.known(session, customer, now))


def test_a_delivered_order_earns_a_point_for_every_ten_thousand(session: Session, clock: Clock) -> None:
    orders.put(session, news(1, Status.DELIVERED, total=259_999), clock())
    assert held(session, "C1", clock()) == 25


@pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED, Status.SHIPPING, Status.CANCELLED])
def test_an_order_that_is_not_delivered_earns_nothing(session: Session, clock: Clock, status: Status) -> None:
    orders.put(session, news(1, status), clock())
    assert held(session, "C1", clock()) == 0


@pytest.mark.parametrize("end", [Status.RETURNED, Status.CANCELLED])
def test_a_returned_order_gives_back_what_it_earned_once(session: Session, clock: Clock, end: Status) -> None:
    for version, status in enumerate([Status.DELIVERED, end, end], start=1):
        orders.put(session, news(version, status), clock())
    customer = customers.known(session, "C1", clock())
    assert [(entry.kind, entry.points) for entry in loyalty.history(session, customer)] == [
        ("reverse", -25),
        ("earn", 25),
    ]


def test_every_order_of_arrival_ends_in_the_same_balance(session: Session, clock: Clock) -> None:
    told = [news(1, Status.PENDING), news(2, Status.DELIVERED), news(3, Status.RETURNED)]
    for number, arrival in enumerate(permutations(told)):
        for item in arrival:
            orders.put(
                session, news(item.version, item.status, customer=f"C{number}", external_id=f"{number}"), clock()
            )
        assert held(session, f"C{number}", clock()) == 0, arrival


@pytest.mark.parametrize("session", ["sqlite"], indirect=True)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redelivery_in_any_order_changes_no_balance(session: Session, data: st.DataObject) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    told = data.draw(
        st.lists(
            st.builds(
                news,
                version=st.integers(0, 6),
                status=st.sampled_from(Status),
                total=st.integers(0, 9).map(lambda tens: tens * 10_000),
                customer=st.sampled_from(["C1", "C2"]),
            ),
            min_size=1,
            max_size=6,
            unique_by=lambda item: (item.version, item.status),
        )
    )
    arrivals = [told, data.draw(st.permutations(told)), data.draw(st.permutations(told + told))]
    ends = []
    for arrival in arrivals:
        savepoint = session.begin_nested()
        for item in arrival:
            orders.put(session, item, now)
        ends.append([held(session, customer, now) for customer in ("C1", "C2")])
        savepoint.rollback()
    newest = max(told, key=lambda item: (item.version, list(Status).index(item.status)))
    points = newest.total // 10_000 if newest.status == Status.DELIVERED else 0
    assert ends == [[points if newest.customer == customer else 0 for customer in ("C1", "C2")]] * 3


def test_an_order_moved_to_another_customer_takes_its_points_along(session: Session, clock: Clock) -> None:
    orders.put(session, news(1, Status.DELIVERED, customer="C1"), clock())
    orders.put(session, news(2, Status.DELIVERED, customer="C2"), clock())
    assert (held(session, "C1", clock()), held(session, "C2", clock())) == (0, 25)


def test_a_corrected_total_moves_the_difference_only(session: Session, clock: Clock) -> None:
    for version, total in enumerate([300_000, 200_000, 250_000], start=1):
        orders.put(session, news(version, Status.DELIVERED, total=total), clock())
    customer = customers.known(session, "C1", clock())
    assert [entry.points for entry in loyalty.history(session, customer)] == [5, -10, 30]


def test_a_customer_without_entries_holds_nothing(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    assert (loyalty.balance(session, customer), loyalty.history(session, customer)) == (0, [])
