"""Consent: the last word by the customer's own clock stands, with its proof, and nobody else brings it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from crm import consent, customers
from crm.consent import MARKETING, Terms, Way
from crm.errors import Conflict, Invalid
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


def record(session: Session, customer_id: int, clock: Clock, **more: object) -> None:
    """A yes on paper, now, unless told otherwise."""
    said = {"granted": True, "at": clock(), "now": clock(), "secret_key": "a secret key", "actor": "api", **more}
    consent.record(session, customer_id, **said)  # type: ignore[arg-type]


def test_a_yes_on_paper_is_kept_with_what_was_told_before(session: Session, clock: Clock) -> None:
    customer = customers.known(session, "C1", clock())
    terms = Terms("", MARKETING, "vi", "Tôi đồng ý …", "ưu đãi", "tin nhắn", "chữ", "3 tin mỗi tuần", clock())
    for _ in range(2):
        record(session, customer, clock, terms=terms, wording="phiếu 12")
    (said, told), (_, again) = consent.proof(session, customer)
    assert told is not None and told == again and told._replace(version="") == terms
    assert (said.way, said.actor, said.wording, said.terms) == (Way.ELSEWHERE, "api", "phiếu 12", told.version)
    assert consent.known_terms(session, told.version) == told.version
    assert consent.known_terms(session, "nobody's") is None


@pytest.mark.parametrize("wrong", [{"purpose": "everything"}, {"at": datetime(2099, 1, 1, tzinfo=UTC)}])
def test_a_yes_to_nothing_or_to_come_is_refused(session: Session, clock: Clock, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        record(session, customers.known(session, "C1", clock()), clock, **wrong)


def test_nobody_else_brings_back_who_took_it_back(session: Session, clock: Clock) -> None:
    """Neither by the same customer, nor by another of the same number."""
    for name in ("C1", "C2"):
        customers.put_customer(session, name, now=clock(), name="Lan", phone="0901234567")
    ids = [customers.find(session, name).id for name in ("C1", "C2")]
    record(session, ids[1], clock)
    consent.stop(session, ids[0], at=clock.pass_by(minutes=1), channel="zalo", wording="dừng")
    assert [marketing(session, each) for each in ids] == ["withdrawn", "withdrawn"]
    clock.pass_by(minutes=1)
    for each in ids:
        with pytest.raises(Conflict, match="they alone"):
            record(session, each, clock)
        record(session, each, clock, granted=False)
    customers.put_customer(session, "C3", now=clock(), name="Lan")
    third = customers.find(session, "C3").id
    record(session, third, clock)
    customers.put_customer(session, "C3", now=clock(), name="Lan", phone="0901234567")
    assert marketing(session, third) == "withdrawn", "the number is of somebody who wants none"
