"""The sample shop: the promised numbers, made once, with points that its orders account for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from crm import customers, loyalty, orders, phones, sample_shop, staff, tickets
from crm.orders import Status
from storage import customers as people
from tests.crm.people import POLICY

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The shop, loaded once on each engine and never committed; each test undoes what it does."""
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    with engine.connect() as connection, Session(bind=connection, expire_on_commit=False) as session:
        connection.begin()
        assert _load(session, NOW) == 30
        yield session


@pytest.fixture
def session(shop: Session) -> Iterator[Session]:
    """The loaded shop, for one test."""
    with shop.begin_nested() as savepoint:
        yield shop
        savepoint.rollback()


def _load(session: Session, now: datetime) -> int:
    return sum(sample_shop.add(session, regular, "chat", "account", now, POLICY) for regular in sample_shop.REGULARS)


def test_it_has_thirty_customers_with_120_orders_and_five_requests(session: Session) -> None:
    everyone = customers.page(session, 0, 1000)
    assert len({phones.normalise(each.phone or "") for each in everyone} - {None}) == 30
    everything = orders.page(session, 0, 1000)
    assert len(everything) == len({order.code for order in everything}) == 120
    assert {order.status for order in everything} == set(Status)
    assert {order.source for order in everything} == {"pos", "web", "hotline"}
    found = [ticket for each in everyone for ticket in tickets.of_customer(session, each.id)]
    assert Counter(ticket.state for ticket in found) == {"open": 2, "closed": 2, "answered": 1}


def test_a_second_load_adds_and_changes_nothing(session: Session) -> None:
    before = (customers.page(session, 0, 1000), orders.page(session, 0, 1000))
    assert _load(session, NOW + timedelta(days=3)) == 0
    assert (customers.page(session, 0, 1000), orders.page(session, 0, 1000)) == before


def test_points_are_what_the_delivered_orders_earned(session: Session) -> None:
    returned = 0
    for each in customers.page(session, 0, 1000):
        mine = orders.page(session, 0, 1000, each.id)
        earned = sum(order.total // 10_000 for order in mine if order.status == Status.DELIVERED)
        assert loyalty.balance(session, each.id) == earned
        returned += sum(order.status == Status.RETURNED for order in mine)
    assert returned


def test_the_guest_has_points_and_an_order_on_its_way(session: Session) -> None:
    lan = customers.find(session, "KH001")
    assert loyalty.balance(session, lan.id) > 100
    order = orders.by_code(session, lan.id, sample_shop.GUEST_ORDER)
    assert order is not None
    assert order.status == Status.SHIPPING


def test_who_complained_is_known_in_the_chat_where_they_did(session: Session) -> None:
    complained = [regular for regular in sample_shop.REGULARS if regular.complaint]
    found = people.people(session, [regular.user_id for regular in complained])
    assert [found["chat", "account", each.user_id].external_id for each in complained] == [
        each.external_id for each in complained
    ]


def test_its_manager_gives_commands_and_is_hired_once(session: Session) -> None:
    shop = ("chat", "account", "a secret key for tests only", NOW)
    assert [sample_shop.hire(session, *shop) for _ in range(2)] == [True, False]
    (chat,) = staff.chats(session)
    assert (chat.name, staff.active(session)[0].role) == (sample_shop.MANAGER, "admin")
