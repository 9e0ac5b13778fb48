"""The walk through what waits: every message once, in the queue's order, and the accounts it waits for."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from storage import customers, expiry, outbox
from tests.storage.rows import ACCOUNT, CHANNEL, NOW, claim, message, person, queue


def walked(session: Session, most: int) -> list[int]:
    """All messages that wait, by ranges of so many."""
    found: list[int] = []
    place = expiry.START
    while rows := expiry.queued(session, place, most):
        assert len(rows) <= most
        found += [row.id for row in rows]
        place = rows[-1].priority, rows[-1].id
    return found


def test_every_waiting_message_is_seen_once_by_priority_and_age(session: Session) -> None:
    people = [person(session, str(number)) for number in range(4)]
    low = queue(session, *(message(each, priority=9) for each in people))
    high = queue(session, *(message(each, priority=0, ready=NOW + timedelta(days=1)) for each in people))
    for most in (1, 3, 8, 100):
        assert walked(session, most) == high + low


def test_what_is_sent_or_given_up_is_not_seen(session: Session) -> None:
    sending, dead, waiting = queue(session, *(message(person(session, str(number))) for number in range(3)))
    outbox.give_up(session, {dead: "window_closed"})
    assert claim(session, most=1) == [sending]
    assert walked(session, 100) == [waiting]


def test_what_decides_whether_it_may_go_out_comes_along(session: Session) -> None:
    last = NOW - timedelta(hours=3)
    lan = person(session, last=last)
    queue(session, message(lan, purpose="care", typed_by_person=True))
    found = customers.person(session, lan)
    assert found is not None
    (row,) = expiry.queued(session, expiry.START, 10)
    assert (row.purpose, row.typed_by_person, row.last_interaction_at) == ("care", True, last)
    assert (row.ready_at, row.unreachable_since, row.customer_id) == (NOW, None, found.customer_id)


def test_the_accounts_that_are_waited_for_are_told_even_where_nobody_knows_them(session: Session) -> None:
    lan = person(session)
    queue(session, message(lan), message(lan), message(lan, account_id="4444"), message(lan, channel="messenger"))
    (gone,) = queue(session, message(lan, account_id="5555"))
    outbox.give_up(session, {gone: "window_closed"})
    assert expiry.waited_for(session) == {(CHANNEL, ACCOUNT), (CHANNEL, "4444"), ("messenger", ACCOUNT)}
