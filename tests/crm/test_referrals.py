"""Friends who were brought: both are rewarded once, for a first order that was kept, and no ring of friends pays."""

from __future__ import annotations

from datetime import timedelta
from itertools import count as counting

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, ledger, orders, referrals, refunds
from crm.errors import Conflict
from crm.orders import News, Status
from crm.referrals import Word
from crm.refunds import Refund
from storage import referrals as store
from tests.conftest import Clock
from tests.crm import programme
from tests.crm.people import born

PROGRAMME = """
[points]
wait_days = 3
approve_above = 500
most_referrals_per_year = 2

[[event]]
id = "referral"
vi = "quà giới thiệu bạn"
en = "a gift for bringing a friend"
event = "referral"
points = 50
often = "always"

[[event]]
id = "referred"
vi = "quà cho bạn mới"
en = "a gift for new friends"
event = "referred"
points = 30
"""
UNCAPPED = PROGRAMME.replace("most_referrals_per_year = 2\n", "")
DAY = timedelta(days=1)

Shop = tuple[Session, Clock]


@pytest.fixture
def shop(session: Session, clock: Clock) -> Shop:
    """A shop that rewards friends."""
    programme.load(session, PROGRAMME, clock())
    clock.pass_by(hours=1)
    return session, clock


def known(shop: Shop, name: str) -> int:
    """The id of a customer of the POS."""
    return customers.known(shop[0], name, shop[1]())


def comes(shop: Shop, friend: int, referrer: int) -> Word:
    """Somebody comes with a member's code."""
    session, clock = shop
    return referrals.accept(session, friend, referrals.code_of(session, referrer), clock())


def buys(shop: Shop, name: str, order: str, status: Status = Status.DELIVERED, version: int = 1) -> None:
    """An order of a customer of the POS, placed and ended now."""
    session, clock = shop
    news = News("pos", order, name, status, 100_000, version, clock(), clock(), (), order)
    orders.put(session, news, clock())


def holds(shop: Shop, customer: int) -> int:
    """What a customer holds."""
    return ledger.holding(shop[0], customer).balance


def settled(shop: Shop, friend: int) -> str:
    """What comes of a referral when its time is there."""
    session, clock = shop
    referrals.settle(session, friend, clock())
    found = store.of_friend(session, friend)
    return f"{found.state} {found.why}".strip() if found else ""


def test_both_are_rewarded_once_when_the_first_order_was_kept(shop: Shop) -> None:
    session, clock = shop
    lan, minh = known(shop, "LAN"), known(shop, "MINH")
    assert comes(shop, minh, lan) is Word.KEPT
    assert comes(shop, minh, lan) is Word.KEPT
    assert referrals.settle(session, minh, clock()) is None
    clock.pass_by(hours=1)
    buys(shop, "MINH", "A1")
    assert referrals.settle(session, minh, clock()) == clock() + 3 * DAY
    assert (holds(shop, lan), holds(shop, minh)) == (0, 0)
    clock.pass_by(days=3)
    assert settled(shop, minh) == "rewarded"
    buys(shop, "MINH", "A2")
    clock.pass_by(days=3)
    assert settled(shop, minh) == "rewarded"
    assert (holds(shop, lan), holds(shop, minh)) == (50, 30)
    assert referrals.brought(session, lan) == 1


def test_an_order_that_came_back_brings_nothing_and_the_next_one_does(shop: Shop) -> None:
    session, clock = shop
    lan, minh = known(shop, "LAN"), known(shop, "MINH")
    comes(shop, minh, lan)
    clock.pass_by(hours=1)
    buys(shop, "MINH", "A1")
    refunds.put(session, "pos", "A1", "R1", Refund(refunded_at=clock(), amount=100_000), clock())
    clock.pass_by(days=4)
    assert settled(shop, minh) == "waiting"
    buys(shop, "MINH", "A2")
    clock.pass_by(days=3)
    assert settled(shop, minh) == "rewarded"


def test_who_bought_before_was_not_brought(shop: Shop) -> None:
    lan, minh = known(shop, "LAN"), known(shop, "MINH")
    buys(shop, "MINH", "A1", Status.SHIPPING)
    shop[1].pass_by(hours=1)
    assert comes(shop, minh, lan) is Word.NOT_NEW
    assert settled(shop, minh) == ""


def test_nobody_brings_themselves_by_whatever_way(shop: Shop) -> None:
    session, clock = shop
    customers.put_customer(session, "LAN", now=clock(), name="Lan", phone="0901234501")
    customers.put_customer(session, "LAN2", now=clock(), name="Lan", phone="0901234501")
    lan = known(shop, "LAN")
    assert comes(shop, lan, lan) is Word.OWN
    assert comes(shop, known(shop, "LAN2"), lan) is Word.OWN
    chat = born(session, clock(), user_id="second phone")
    assert comes(shop, chat.customer_id, lan) is Word.KEPT
    customers.join_by_code(session, chat, customers.issue_code(session, lan, clock()), clock())
    clock.pass_by(hours=1)
    buys(shop, "LAN", "A1")
    clock.pass_by(days=3)
    assert settled(shop, lan) == "refused own"
    assert holds(shop, lan) == 0


def test_a_chat_that_turns_out_to_be_a_customers_brings_along_who_brought_it(shop: Shop) -> None:
    session, clock = shop
    lan, minh = known(shop, "LAN"), known(shop, "MINH")
    chat = born(session, clock())
    assert comes(shop, chat.customer_id, lan) is Word.KEPT
    clock.pass_by(hours=1)
    buys(shop, "MINH", "A1")
    customers.join_by_code(session, chat, customers.issue_code(session, minh, clock()), clock())
    clock.pass_by(days=3)
    assert settled(shop, minh) == "rewarded"
    assert (holds(shop, lan), holds(shop, minh)) == (50, 30)


def test_what_another_system_tells_and_a_code_pay_once_together(shop: Shop) -> None:
    session, clock = shop
    lan, minh, hoa = known(shop, "LAN"), known(shop, "MINH"), known(shop, "HOA")
    assert comes(shop, minh, lan) is Word.KEPT
    for _ in range(2):
        referrals.tell(session, lan, minh, clock())
    referrals.tell(session, lan, hoa, clock())
    assert comes(shop, hoa, lan) is Word.KEPT
    for referrer, friend in ((hoa, minh), (lan, lan), (minh, lan)):
        with pytest.raises(Conflict) as refused:
            referrals.tell(session, referrer, friend, clock())
        assert refused.value.field == "friend"
    clock.pass_by(hours=1)
    buys(shop, "MINH", "A1")
    buys(shop, "HOA", "A2")
    clock.pass_by(days=3)
    referrals.tell(session, lan, minh, clock())
    assert (settled(shop, minh), settled(shop, hoa)) == ("rewarded", "rewarded")
    assert (holds(shop, lan), holds(shop, minh), holds(shop, hoa)) == (100, 30, 30)
    with pytest.raises(Conflict):
        referrals.tell(session, lan, known(shop, "LAN"), clock())


def test_so_many_friends_a_year_count_and_each_of_them_is_rewarded(shop: Shop) -> None:
    lan = known(shop, "LAN")
    for number in range(3):
        friend = known(shop, f"F{number}")
        comes(shop, friend, lan)
        shop[1].pass_by(minutes=1)
        buys(shop, f"F{number}", f"A{number}")
        shop[1].pass_by(days=3)
        assert settled(shop, friend) == ("capped" if number == 2 else "rewarded")
        assert holds(shop, friend) == 30
    assert holds(shop, lan) == 100


PEOPLE = st.integers(0, 5)
NUMBERS = counting()


@pytest.mark.parametrize("session", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deeds=st.lists(
        st.one_of(
            st.tuples(st.just("comes"), PEOPLE, PEOPLE),
            st.tuples(st.just("buys"), PEOPLE),
            st.tuples(st.just("passes"), st.integers(0, 4)),
        ),
        max_size=30,
    )
)
def test_whoever_brings_whom_nobody_is_rewarded_twice_and_no_ring_pays(
    session: Session, clock: Clock, deeds: list[tuple[str, int, int]]
) -> None:
    shop = session, clock
    programme.load(session, UNCAPPED, clock())
    name = f"P{next(NUMBERS)}"
    people = [known(shop, f"{name}-{number}") for number in range(6)]
    paid: dict[int, int] = {}
    for count, (deed, *who) in enumerate(deeds):
        clock.pass_by(minutes=1)
        if deed == "comes":
            comes(shop, people[who[0]], people[who[1]])
        elif deed == "buys":
            buys(shop, f"{name}-{who[0]}", f"{name}-{count}")
        else:
            clock.pass_by(days=who[0])
        for friend in people:
            if settled(shop, friend) == "rewarded":
                referral = store.of_friend(session, friend)
                assert referral is not None
                assert paid.setdefault(friend, referral.referrer_id) == referral.referrer_id
    for person in people:
        brought = sum(referrer == person for referrer in paid.values())
        assert holds(shop, person) == 50 * brought + 30 * (person in paid)
        above, row = paid.get(person), {person}
        while above is not None:
            assert above not in row, "a ring was paid"
            row.add(above)
            above = paid.get(above)


def test_a_ring_that_closes_only_when_chats_become_customers_pays_nothing(shop: Shop) -> None:
    session, clock = shop
    lan, minh = known(shop, "LAN"), known(shop, "MINH")
    chats = {name: born(session, clock(), user_id=name) for name in ("LAN", "MINH")}
    assert comes(shop, chats["LAN"].customer_id, minh) is Word.KEPT
    assert comes(shop, chats["MINH"].customer_id, lan) is Word.KEPT
    for name, customer in (("LAN", lan), ("MINH", minh)):
        customers.join_by_code(session, chats[name], customers.issue_code(session, customer, clock()), clock())
        clock.pass_by(hours=1)
        buys(shop, name, f"order of {name}")
    clock.pass_by(days=3)
    assert [settled(shop, each) for each in (lan, minh)] == ["refused ring", "refused ring"]
    assert (holds(shop, lan), holds(shop, minh)) == (0, 0)
