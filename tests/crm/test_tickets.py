"""Tickets: a number, photos that count once, an end, and a way back."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from crm import tickets
from crm.errors import NotFound
from crm.tickets import State
from tests.conftest import Clock
from tests.crm.people import born


def test_a_ticket_lives_from_open_to_closed_and_back(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = tickets.open(session, lan.customer_id, lan.identity_id, "Hộp bị móp", clock())
    states = [tickets.find(session, number).state]
    for step in (tickets.answer, tickets.close, tickets.reopen):
        assert step(session, number, clock.pass_by(minutes=5))
        states.append(tickets.find(session, number).state)
    assert states == [State.OPEN, State.ANSWERED, State.CLOSED, State.OPEN]
    assert tickets.find(session, number).updated_at == clock()


def test_closing_twice_is_told_apart(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = tickets.open(session, lan.customer_id, lan.identity_id, "", clock())
    assert [tickets.close(session, number, clock()) for _ in range(2)] == [True, False]


def test_only_a_ticket_that_is_not_closed_counts_as_open(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    assert not tickets.has_open(session, lan.customer_id)
    number = tickets.open(session, lan.customer_id, lan.identity_id, "", clock())
    tickets.answer(session, number, clock())
    assert tickets.has_open(session, lan.customer_id)
    tickets.close(session, number, clock())
    assert not tickets.has_open(session, lan.customer_id)
    assert tickets.latest(session, lan.customer_id) is None


def test_the_latest_ticket_is_the_newest_live_one(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    numbers = [tickets.open(session, lan.customer_id, lan.identity_id, text, clock()) for text in "abc"]
    tickets.close(session, numbers[2], clock())
    latest = tickets.latest(session, lan.customer_id)
    assert latest is not None and (latest.id, latest.summary) == (numbers[1], "b")
    assert [ticket.id for ticket in tickets.of_customer(session, lan.customer_id)] == numbers[::-1]


def test_those_who_wait_longest_come_first(session: Session, clock: Clock) -> None:
    lan, minh = born(session, clock()), born(session, clock(), user_id="u2")
    numbers = [tickets.open(session, one.customer_id, one.identity_id, "", clock()) for one in (lan, minh)]
    assert [ticket.id for ticket in tickets.waiting(session)] == numbers


def test_a_photo_counts_once_a_message(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = tickets.open(session, lan.customer_id, lan.identity_id, "", clock())
    address = "https://photos.example/" + "a" * 4000
    kept = [tickets.attach(session, number, address, message, clock()) for message in ("m1", "m1", "m2")]
    assert kept == [True, False, True]
    assert [photo.message_id for photo in tickets.photos(session, number)] == ["m1", "m2"]


def test_an_unknown_number_is_not_found(session: Session, clock: Clock) -> None:
    for act in (tickets.answer, tickets.close, tickets.reopen):
        with pytest.raises(NotFound):
            act(session, 404, clock())
    with pytest.raises(NotFound):
        tickets.attach(session, 404, "https://photos.example/1", "m1", clock())
