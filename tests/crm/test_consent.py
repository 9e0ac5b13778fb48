"""Consent: the last word by the customer's own clock stands, and a wish to be forgotten has a day."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from crm import consent, customers
from storage import consent as store
from storage import customers as people
from tests.conftest import Clock


def marketing(session: Session, customer_id: int) -> str:
    """The word that sending goes by."""
    profile = people.profile(session, customer_id)
    assert profile is not None
    return profile.marketing


def test_a_yes_is_kept_with_its_wording(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    consent.say(session, customer, granted=True, at=clock(), channel="zalo", wording="Nhận ưu đãi?", message_id="m1")
    (entry,) = consent.entries(session, customer)
    assert (entry.granted, entry.channel, entry.wording, entry.message_id, entry.at) == (
        True, "zalo", "Nhận ưu đãi?", "m1", clock(),
    )  # fmt: skip
    assert marketing(session, customer) == "granted"


@pytest.mark.parametrize("arrival", list(permutations(["yes 1", "no 2", "yes 3"])))
def test_the_last_word_stands_in_whatever_order_it_came(session: Session, clock: Clock, arrival: list[str]) -> None:
    customer = customers.known(session, "C1", clock())
    for said in arrival:
        word, hour = said.split()
        consent.say(session, customer, granted=word == "yes", at=clock() + timedelta(hours=int(hour)))
    assert marketing(session, customer) == "granted"


def test_a_late_yes_never_undoes_a_newer_no(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    consent.say(session, customer, granted=False, at=clock())
    consent.say(session, customer, granted=True, at=clock() - timedelta(hours=3))
    assert marketing(session, customer) == "withdrawn"


def test_in_the_same_moment_no_outweighs_yes(session: Session, clock: Clock) -> None:
    for external_id, words in (("C1", (True, False)), ("C2", (False, True))):
        customer = customers.known(session, external_id, clock())
        for granted in words:
            consent.say(session, customer, granted=granted, at=clock())
        assert marketing(session, customer) == "withdrawn"


def test_another_purpose_leaves_marketing_alone(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    consent.say(session, customer, granted=True, at=clock(), purpose="birthday")
    assert marketing(session, customer) == ""


def test_a_wish_to_be_forgotten_is_noted_once_and_has_twenty_days(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    asked = clock()
    assert consent.request_erasure(session, customer, None, asked)
    assert not consent.request_erasure(session, customer, None, clock.pass_by(days=1))
    (request,) = consent.open_requests(session)
    assert (request.customer_id, request.kind, request.due_at) == (customer, "erase", asked + timedelta(days=20))


def test_a_wish_to_be_forgotten_that_is_taken_back_stays_as_history(session: Session, clock: Clock) -> None:
    customer, other = (customers.known(session, name, clock()) for name in ("C1", "C2"))
    assert not consent.withdraw_erasure(session, customer)
    for each in (customer, other):
        consent.request_erasure(session, each, None, clock())
    assert consent.awaits_erasure(session, customer)
    assert consent.withdraw_erasure(session, customer)
    assert not consent.withdraw_erasure(session, customer)
    assert not consent.awaits_erasure(session, customer)
    assert [request.customer_id for request in consent.open_requests(session)] == [other]
    assert [request.customer_id for request in store.requests(session, consent.WITHDRAWN)] == [customer]
    assert consent.request_erasure(session, customer, None, clock())
