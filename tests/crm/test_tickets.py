"""Tickets: a number, photos that count once, an end, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import conversations, sla, tickets
from crm.categories import Category
from crm.conversations import Reason
from crm.errors import Invalid, NotFound
from crm.sla import Kind, Mark, Priority
from crm.tickets import NotReady, State
from storage.conversations import set_conversations
from storage.customers import Person
from tests.conftest import Clock
from tests.crm.people import POLICY, again, born

Step = Callable[[conversations.State], conversations.State]
opens = partial(tickets.open, policy=POLICY)
answers = partial(tickets.answer, policy=POLICY)
closes = partial(tickets.close, policy=POLICY, cause="đóng gói sơ sài")
reopens = partial(tickets.reopen, policy=POLICY)


def changes(session: Session, lan: Person, step: Step) -> None:
    """Something happens in the conversation."""
    state = step(conversations.state_of(again(session, lan.identity_id)))
    set_conversations(session, [conversations.row_of(lan.identity_id, state)])


def asks_for_help(session: Session, lan: Person, now: datetime) -> int:
    """A support request, as it is opened in a chat."""
    changes(session, lan, partial(conversations.call_person, at=now))
    return opens(session, lan.customer_id, lan.identity_id, "", now)


def waits_since(session: Session, lan: Person) -> datetime | None:
    """Since when the customer waits for a person."""
    return again(session, lan.identity_id).waiting_since


def test_a_ticket_lives_from_open_to_closed_and_back(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "Hộp bị móp", clock())
    states = [tickets.find(session, number).state]
    for step in (answers, closes, reopens):
        assert step(session, number, clock.pass_by(minutes=5))
        states.append(tickets.find(session, number).state)
    assert states == [State.OPEN, State.ANSWERED, State.CLOSED, State.OPEN]
    assert tickets.find(session, number).updated_at == clock()


def test_closing_twice_is_told_apart(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    assert [closes(session, number, clock()) for _ in range(2)] == [True, False]


def test_an_answered_ticket_is_live_and_a_closed_one_is_not(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    answers(session, number, clock())
    latest = tickets.latest(session, lan.customer_id)
    assert latest is not None and latest.id == number
    closes(session, number, clock())
    assert tickets.latest(session, lan.customer_id) is None


def test_the_latest_ticket_is_the_newest_live_one(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    numbers = [opens(session, lan.customer_id, lan.identity_id, text, clock()) for text in "abc"]
    closes(session, numbers[2], clock())
    latest = tickets.latest(session, lan.customer_id)
    assert latest is not None and (latest.id, latest.summary) == (numbers[1], "b")
    assert [ticket.id for ticket in tickets.of_customer(session, lan.customer_id)] == numbers[::-1]


def test_those_who_wait_longest_come_first(session: Session, clock: Clock) -> None:
    lan, minh = born(session, clock()), born(session, clock(), user_id="u2")
    numbers = [opens(session, one.customer_id, one.identity_id, "", clock()) for one in (lan, minh)]
    assert [ticket.id for ticket in tickets.waiting(session)] == numbers


def test_a_photo_counts_once_a_message(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    address = "https://photos.example/" + "a" * 4000
    kept = [tickets.attach(session, number, address, message, clock()) for message in ("m1", "m1", "m2")]
    assert [each is not None for each in kept] == [True, False, True]
    assert [photo.message_id for photo in tickets.photos(session, number)] == ["m1", "m2"]


def test_an_unknown_number_is_not_found(session: Session, clock: Clock) -> None:
    for act in (answers, closes, reopens):
        with pytest.raises(NotFound):
            act(session, 404, clock())
    with pytest.raises(NotFound):
        tickets.attach(session, 404, "https://photos.example/1", "m1", clock())


@pytest.mark.parametrize("end", [answers, closes])
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
    closes(session, third, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked
    answers(session, first, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked_again
    closes(session, first, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked_again, "it was answered before"
    closes(session, second, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


@pytest.mark.parametrize("minutes", [0, 5])
def test_who_asked_for_a_person_goes_on_waiting_when_the_ticket_ends(
    session: Session, clock: Clock, minutes: int
) -> None:
    lan, told = born(session, clock()), clock()
    number = asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.hand_over, now=clock.pass_by(minutes=minutes)))
    changes(session, lan, conversations.given_up)
    closes(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == told


def test_who_asked_for_a_person_in_vain_goes_on_waiting_when_a_later_ticket_ends(
    session: Session, clock: Clock
) -> None:
    lan, asked = born(session, clock()), clock()
    changes(session, lan, partial(conversations.hand_over, now=asked))
    changes(session, lan, conversations.given_up)
    number = asks_for_help(session, lan, clock.pass_by(hours=13))
    closes(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == asked


def test_who_wrote_after_staff_goes_on_waiting_when_the_ticket_ends(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.staff_spoke, at=clock.pass_by(minutes=5)))
    changes(session, lan, partial(conversations.customer_spoke, at=clock.pass_by(minutes=5)))
    wrote = clock()
    closes(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == wrote


def test_a_ticket_that_staff_spoke_to_in_the_chat_is_not_waited_for_again(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    asks_for_help(session, lan, clock())
    changes(session, lan, partial(conversations.staff_spoke, at=clock.pass_by(minutes=5)))
    changes(session, lan, conversations.hand_back)
    later = asks_for_help(session, lan, clock.pass_by(hours=1))
    closes(session, later, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


def test_who_has_a_reopened_ticket_waits_anew_until_it_ends(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = asks_for_help(session, lan, clock())
    closes(session, number, clock.pass_by(minutes=5))
    reopens(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) == clock()
    assert again(session, lan.identity_id).reason == Reason.TICKET
    answers(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


def test_who_was_not_understood_first_waits_for_the_ticket_alone(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    changes(session, lan, partial(conversations.call_person, at=clock(), reason=Reason.MISSED))
    number = asks_for_help(session, lan, clock.pass_by(minutes=1))
    closes(session, number, clock.pass_by(minutes=5))
    assert waits_since(session, lan) is None


def test_a_ticket_is_not_closed_without_its_cause(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    with pytest.raises(NotReady, match="it lacks: its cause") as refused:
        tickets.close(session, number, clock(), POLICY, "  ")
    assert refused.value.vi == f"Phiếu T{number} chưa đóng được, thiếu: nguyên nhân."
    with pytest.raises(Invalid):
        tickets.close(session, number, clock(), POLICY, "x" * (tickets.LONGEST_CAUSE + 1))
    assert tickets.find(session, number).state == State.OPEN
    assert tickets.close(session, number, clock(), POLICY, "kho giao nhầm")
    assert tickets.find(session, number).cause == "kho giao nhầm"
    reopens(session, number, clock())
    assert tickets.close(session, number, clock(), POLICY), "the cause is known already"


def test_a_closed_ticket_is_not_answered_before_it_is_open_again(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    closes(session, number, clock())
    with pytest.raises(NotReady, match="reopen it first"):
        answers(session, number, clock())
    assert reopens(session, number, clock()) and answers(session, number, clock())


def test_the_category_is_guessed_and_corrected_and_the_priority_set(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "Áo giao bị rách tay", clock())
    assert tickets.find(session, number).category == Category.DAMAGED
    assert [tickets.correct_category(session, number, Category.WRONG) for _ in range(2)] == [True, False]
    changed = [tickets.set_priority(session, number, Priority.URGENT, clock(), POLICY) for _ in range(2)]
    assert changed == [True, False]
    found = tickets.find(session, number)
    assert (found.category, found.priority) == (Category.WRONG, Priority.URGENT)


def promised(session: Session, number: int) -> tuple[datetime | None, datetime | None]:
    """By when an answer and the end are promised."""
    return sla.promises(session, [number]).get(number), sla.ends(session, [number]).get(number)


def test_promises_follow_the_ticket_and_stand_still_while_the_customer_is_to_answer(
    session: Session, clock: Clock
) -> None:
    lan, start = born(session, clock()), clock()
    number = opens(session, lan.customer_id, lan.identity_id, "", start)
    assert promised(session, number) == (start + timedelta(hours=1), start + timedelta(hours=16))
    tickets.staff_answered(session, lan.identity_id, clock.pass_by(minutes=30), POLICY)
    assert promised(session, number) == (None, None)
    assert tickets.find(session, number).state == State.ANSWERED
    tickets.customer_replied(session, lan.identity_id, clock.pass_by(hours=100), POLICY)
    assert tickets.find(session, number).state == State.OPEN
    assert promised(session, number) == (clock() + timedelta(hours=2), clock() + timedelta(hours=15, minutes=30))
    closes(session, number, clock.pass_by(minutes=30))
    assert promised(session, number) == (None, None)
    reopens(session, number, clock.pass_by(hours=5))
    assert promised(session, number) == (clock() + timedelta(hours=2), clock() + timedelta(hours=15))


def test_each_mark_is_told_once_and_none_of_what_was_kept(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "vỡ ly", clock())
    assert sla.due(session, clock.pass_by(minutes=47)) == []
    (warned,) = sla.due(session, clock.pass_by(minutes=1))
    assert (warned.mark, warned.kind, warned.clock.ticket_id) == (Mark.WARNED, Kind.FIRST, number)
    assert warned.clock.conversation_id == lan.identity_id and warned.clock.summary == "vỡ ly"
    assert [sla.mark(session, warned, clock()) for _ in range(2)] == [True, False]
    assert sla.due(session, clock.pass_by(minutes=11)) == []
    (late,) = sla.due(session, clock.pass_by(minutes=1))
    assert late.mark is Mark.BREACHED
    assert sla.mark(session, late, clock())
    assert sla.due(session, clock.pass_by(hours=1)) == []
    answers(session, number, clock())
    assert sla.due(session, clock.pass_by(days=9)) == [], "it waits for the customer"


def test_what_nobody_looked_at_in_time_is_told_as_late_alone(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    opens(session, lan.customer_id, lan.identity_id, "", clock())
    found = sla.due(session, clock.pass_by(hours=17))
    assert {(each.mark, each.kind) for each in found} == {(Mark.BREACHED, Kind.FIRST), (Mark.BREACHED, Kind.RESOLUTION)}


def test_a_mark_that_was_read_before_the_answer_came_is_not_told(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    (warned,) = sla.due(session, clock.pass_by(minutes=50))
    answers(session, number, clock())
    assert not sla.mark(session, warned, clock())


def test_a_ticket_from_before_there_were_promises_gets_them_from_now_on(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    new, asked_again, answered, closed = (asks_for_help(session, lan, clock()) for _ in range(4))
    for step in (answers, reopens):
        step(session, asked_again, clock.pass_by(minutes=1))
    answers(session, answered, clock())
    closes(session, closed, clock())
    session.connection().execute(text("DELETE FROM ticket_clock"))
    clock.pass_by(days=30)
    assert tickets.give_clocks(session, clock(), POLICY) == 2
    assert tickets.give_clocks(session, clock(), POLICY) == 0
    numbers = [new, asked_again, answered, closed]
    assert sla.due(session, clock()) == [], "nothing that nobody promised is told as late"
    answer_by = {new: clock() + timedelta(hours=1), asked_again: clock() + timedelta(hours=2)}
    assert sla.promises(session, numbers) == answer_by
    assert set(sla.ends(session, numbers)) == {new, asked_again}


def test_a_new_priority_moves_the_promises_and_what_is_true_no_more_is_told_again(
    session: Session, clock: Clock
) -> None:
    lan, start = born(session, clock()), clock()
    number = opens(session, lan.customer_id, lan.identity_id, "", start)
    (warned,) = sla.due(session, clock.pass_by(minutes=50))
    assert sla.mark(session, warned, clock())
    tickets.set_priority(session, number, Priority.LOW, clock(), POLICY)
    assert promised(session, number) == (start + timedelta(hours=4), start + timedelta(hours=40))
    assert sla.due(session, clock.pass_by(minutes=10)) == []
    (again_warned,) = sla.due(session, start + timedelta(minutes=192))
    assert again_warned.mark is Mark.WARNED
    tickets.set_priority(session, number, Priority.URGENT, clock(), POLICY)
    (late,) = sla.due(session, clock())
    assert (late.mark, late.kind) == (Mark.BREACHED, Kind.FIRST)


def test_only_a_ticket_that_ended_lately_may_be_opened_again_by_its_customer(session: Session, clock: Clock) -> None:
    lan = born(session, clock())
    number = opens(session, lan.customer_id, lan.identity_id, "", clock())
    assert tickets.reopenable(session, lan.customer_id, clock()) is None
    closes(session, number, clock())
    found = tickets.reopenable(session, lan.customer_id, clock.pass_by(days=7))
    assert found is not None and found.id == number
    assert tickets.reopenable(session, lan.customer_id, clock.pass_by(seconds=1)) is None
