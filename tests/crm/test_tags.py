"""Tags: one word whatever its spelling, set once, taken off by whoever comes later, carried over with the customer."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, tags
from crm.errors import Invalid
from tests.conftest import Clock
from tests.crm.people import born


def shown(session: Session, customer_id: int) -> list[tuple[str, str]]:
    """A customer's tags with who set each."""
    return [(each.name, each.set_by) for each in tags.of_customer(session, customer_id)]


def test_a_tag_is_one_whatever_its_capitals_accents_and_spaces(session: Session, clock: Clock) -> None:
    lan = born(session, clock()).customer_id
    assert tags.put_on(session, [lan], " Khách  VIP ", by="staff:1", at=clock()) == {lan}
    assert tags.put_on(session, [lan], "khach vip", by="staff:2", at=clock()) == set()
    assert shown(session, lan) == [("Khách VIP", "staff:1")]
    assert tags.has(session, lan, "KHÁCH VIP") and not tags.has(session, lan, "Khách")


def test_a_tag_goes_from_those_who_have_it_unless_it_was_set_later(session: Session, clock: Clock) -> None:
    lan, minh = born(session, clock()).customer_id, born(session, clock(), user_id="u2").customer_id
    told_late = clock()
    tags.put_on(session, [lan], "Sỉ", by="staff:1", at=clock.pass_by(minutes=1))
    assert tags.take_off(session, [lan, minh], "si", at=told_late) == set()
    assert tags.take_off(session, [lan, minh], "si", at=clock()) == {lan}
    assert shown(session, lan) == []


def test_bearers_are_the_customers_whom_an_account_knows(session: Session, clock: Clock) -> None:
    lan, tom = born(session, clock()), born(session, clock(), user_id="p1", channel="messenger")
    tags.put_on(session, [lan.customer_id, tom.customer_id], "VIP", by="staff:1", at=clock())
    assert tags.bearers(session, "vip", "zalo", "oa1") == [lan.customer_id]
    assert tags.bearers(session, "vip", "zalo", "oa2") == []


def test_tags_follow_a_person_to_the_customer_of_the_pos(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    customers.put_customer(session, "K1", now=clock(), name="Lan", phone="0901234567")
    known = customers.find(session, "K1").id
    tags.put_on(session, [lan.customer_id], "vip", by="staff:1", at=clock())
    tags.put_on(session, [lan.customer_id], "Sỉ", by="staff:1", at=clock())
    tags.put_on(session, [known], "VIP", by="staff:2", at=clock() + timedelta(minutes=1))
    assert customers.join_by_phone(session, lan, "0901234567", clock()) is customers.Join.JOINED
    assert shown(session, known) == [("Sỉ", "staff:1"), ("VIP", "staff:2")]
    assert shown(session, lan.customer_id) == []


@pytest.mark.parametrize("name", ["", "  \n ", "\u0301", "a\x00b", "x" * 101, "ﷺ" * 10])
def test_what_is_no_tag_is_refused_in_words(session: Session, clock: Clock, name: str) -> None:
    with pytest.raises(Invalid):
        tags.put_on(session, [born(session, clock()).customer_id], name, by="staff:1", at=clock())


@given(st.text(max_size=40))
def test_folding_is_the_same_for_every_spelling_and_done_once(name: str) -> None:
    plain = tags.folded(name)
    assert tags.folded(plain) == plain
    assert tags.folded(unicodedata.normalize("NFD", name)) == tags.folded(unicodedata.normalize("NFC", name)) == plain
