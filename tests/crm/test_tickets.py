"""Tickets: a number, photos that count once, an end, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from sqlmodel import Session

from crm import conversations, tickets
from crm.errors import NotFound
from crm.tickets import State
from storage.conversations import set_conversations
from storage.customers import Person
from tests.conftest import Clock
from tests.crm.people import again, born

Step = Callable[[conversations.State], conversations.State]


def changes(session: Session, lan: Person, step: Step) -> None:
    """Something happens in the conversation."""
    state = step(conversations.state_of(again(session, lan.identity_id)))
    set_conversations(session, [conversations.row_of(lan.identity_id, state)])


def asks_for_help(session: Session, lan: Person, now: datetime) -> int:
    """A support request, as it is opened in a chat."""
    changes(session, lan, partial(conversations.call_person, at=now))
    return tickets.open(session, lan.customer_id, lan.identity_id, "", now)


def waits_since(session: Session, lan: Person) -> datetime | None:
    """Since when the customer waits for a person."""
    return again(session, lan.identity_id).waiting_since


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


def test_an_answered_ticket_is_live_and_a_closed_one_is_not(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = tickets.open(session, lan.customer_id, lan.identity_id, "", clock())
    tickets.answer(session, number, clock())
    latest = tickets.latest(session, lan.customer_id)
    assert latest is not None and latest.id == number
    tickets.close(session, number, clock())
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


@pytest.mark.parametrize("end", [tickets.answer, tickets.close])
def test_who_only_waited_for_this_ticket_waits_no_more_at_its_end(
    session: Session, clock: Clock, end: Callable[[Session, int, datetime], bool]
) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    assert waits_since(session, lan) == clock()
    end(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


def test_who_has_another_open_ticket_waits_for_that_one(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    first, asked = asks_for_help(session, lan, clock()), clock()
    second, asked_again = asks_for_help(session, lan, clock.pass_by(minutes=5)), clock()
    third = asks_for_help(session, lan, clock.pass_by(minutes=5))
    tickets.close(session, third, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked
    tickets.answer(session, first, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked_again
    tickets.close(session, first, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked_again, "it was answered before"
    tickets.close(session, second, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


@pytest.mark.parametrize("minutes", [0, 5])
def test_who_asked_for_a_person_goes_on_waiting_when_the_ticket_ends(
    session: Session, clock: Clock, minutes: int
) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.hand_over, now=clock.pass_by(minutes=minutes)))
    asked = clock()
    tickets.close(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked


def test_who_asked_for_a_person_in_vain_goes_on_waiting_when_a_later_ticket_ends(
    session: Session, clock: Clock
) -> None:
    lan, asked = born(session, clock()), clock()
    changes(session, lan, partial(conversations.hand_over, now=asked))
    changes(session, lan, conversations.given_up)
    number = asks_for_help(session, lan, clock.pass_by(hours=13))
    tickets.close(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked


def test_who_wrote_after_staff_goes_on_waiting_when_the_ticket_ends(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.staff_spoke, at=clock.pass_by(minutes=5)))
    changes(session, lan, partial(conversations.customer_spoke, at=clock.pass_by(minutes=5)))
    wrote = clock()
    tickets.close(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == wrote


def test_a_ticket_that_staff_spoke_to_in_the_chat_is_not_waited_for_again(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.staff_spoke, at=clock.pass_by(minutes=5)))
    changes(session, lan, conversations.hand_back)
    later = asks_for_help(session, lan, clock.pass_by(hours=1))
    tickets.close(session, later, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


def test_who_has_a_reopened_ticket_waits_anew_until_it_ends(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    tickets.close(session, number, clock.pass_by(minutes=5))
    tickets.reopen(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == clock()
    tickets.answer(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None
