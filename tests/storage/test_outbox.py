"""The queue of messages out: one in flight for each person, once for each fact, and every end written down."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import accounts, claims, doubt, outbox
from storage.outbox import Sent
from tests.postgresql import Server
from tests.storage.rows import ACCOUNT, NOW, claim, message, person, queue, transaction


def states(session: Session) -> dict[int, str]:
    """How every message stands."""
    return {row.id: row.state for row in session.connection().execute(text("SELECT id, state FROM outbox"))}


def mark_sent(session: Session, *ids: int) -> None:
    """The platform took these."""
    outbox.sent(session.connection(), [Sent(each, f"m{each}", "", NOW) for each in ids])


def test_a_person_has_one_message_in_flight(session: Session) -> None:
    lan, minh = person(session, "1"), person(session, "2")
    a, b, c = queue(session, message(lan), message(lan), message(minh))
    assert claim(session) == [a, c]
    assert claim(session) == []
    mark_sent(session, a)
    assert claim(session) == [b]


def test_an_answer_overtakes_a_broadcast_but_not_one_in_flight(session: Session) -> None:
    lan = person(session)
    broadcast, other = queue(session, message(lan, priority=9), message(lan, priority=9))
    assert claim(session) == [broadcast]
    (answer,) = queue(session, message(lan, priority=0))
    assert claim(session) == []
    mark_sent(session, broadcast)
    assert claim(session) == [answer]
    mark_sent(session, answer)
    assert claim(session) == [other]


def test_answers_of_all_go_before_broadcasts_of_any(session: Session) -> None:
    people = [person(session, str(number)) for number in range(4)]
    low = queue(session, *(message(each, priority=9) for each in people[:2]))
    high = queue(session, *(message(each, priority=0) for each in people[2:]))
    assert claim(session, most=3) == [*high, low[0]]


def test_a_message_that_waits_for_its_time_keeps_the_later_ones_of_that_person_back(session: Session) -> None:
    """Order holds for a person even where the first one has to be tried again."""
    lan = person(session)
    first, second = queue(session, message(lan, ready=NOW + timedelta(seconds=16)), message(lan))
    assert claim(session) == []
    assert claim(session, NOW + timedelta(seconds=16)) == [first]
    mark_sent(session, first)
    assert claim(session) == [second]


def test_messages_of_an_account_that_may_not_send_stay_where_they_are(session: Session) -> None:
    queue(session, message(person(session)))
    assert claims.due(session, ["another account"], NOW, 10) == []
    assert len(claims.due(session, [ACCOUNT], NOW, 10)) == 1


def test_a_fact_is_told_once(session: Session) -> None:
    lan = person(session)
    (first,) = queue(session, message(lan, dedup_key="order 7 shipped"))
    queue(session, message(lan, dedup_key="order 7 shipped"), message(lan, dedup_key="order 8 shipped"), message(lan))
    assert len(states(session)) == 3
    assert claim(session) == [first]
    mark_sent(session, first)
    queue(session, message(lan, dedup_key="order 7 shipped"))
    assert len(states(session)) == 3


def test_a_message_moves_only_from_where_the_caller_left_it(session: Session) -> None:
    (first,) = queue(session, message(person(session)))
    assert not outbox.move(session, first, "sending", state="waiting")
    claim(session)
    mark_sent(session, first)
    assert not outbox.move(session, first, "sending", state="unknown"), "an echo was faster"
    assert states(session) == {first: "sent"}


def test_a_late_answer_settles_what_was_unknown_and_nothing_else(session: Session) -> None:
    unknown, dead, waiting = queue(session, *(message(person(session, str(number))) for number in range(3)))
    claim(session)
    outbox.move(session, unknown, "sending", state="unknown", ready_at=NOW)
    outbox.move(session, dead, "sending", state="dead")
    outbox.move(session, waiting, "sending", state="waiting")
    mark_sent(session, unknown, dead, waiting)
    assert states(session) == {unknown: "sent", dead: "dead", waiting: "waiting"}


def test_a_second_word_about_a_sent_message_does_not_change_its_id(session: Session) -> None:
    (first,) = queue(session, message(person(session)))
    claim(session)
    outbox.sent(session.connection(), [Sent(first, "from the echo", "", NOW)])
    outbox.sent(session.connection(), [Sent(first, "from the response", "free", NOW)])
    assert session.connection().execute(text("SELECT message_id FROM outbox")).scalars().all() == ["from the echo"]


def test_what_a_lost_sender_held_becomes_unknown_and_is_looked_into(session: Session) -> None:
    lost, alive = queue(session, message(person(session, "1")), message(person(session, "2")))
    claims.start(session, "a", NOW, NOW + timedelta(seconds=20), [claims.Claim(lost, "", 1)])
    claims.start(session, "b", NOW, NOW + timedelta(seconds=60), [claims.Claim(alive, "", 1)])
    later = NOW + timedelta(seconds=51)
    assert doubt.sweep(session, NOW + timedelta(seconds=19), {"reply": later}) == 0
    assert doubt.sweep(session, NOW + timedelta(seconds=21), {"reply": later}) == 1
    assert states(session) == {lost: "unknown", alive: "sending"}
    assert doubt.unsettled(session, later - timedelta(seconds=1), 10) == []
    assert [row.id for row in doubt.unsettled(session, later, 10)] == [lost]


def test_the_only_process_takes_over_what_every_earlier_one_held(session: Session) -> None:
    mine, theirs = queue(session, message(person(session, "1")), message(person(session, "2")))
    claims.start(session, "me", NOW, NOW + timedelta(seconds=20), [claims.Claim(mine, "", 1)])
    claims.start(session, "earlier me", NOW, NOW + timedelta(seconds=20), [claims.Claim(theirs, "", 1)])
    assert doubt.sweep(session, NOW, {"reply": NOW}, "me") == 1
    assert states(session) == {mine: "sending", theirs: "unknown"}


def test_totals_count_what_is_not_over(session: Session) -> None:
    ids = queue(session, *(message(person(session, str(number))) for number in range(5)))
    claim(session, most=4)
    mark_sent(session, ids[0])
    outbox.move(session, ids[1], "sending", state="unknown", ready_at=NOW)
    outbox.move(session, ids[2], "sending", state="dead", error="-244")
    totals = outbox.totals(session)
    assert (totals.waiting, totals.unknown, outbox.dead_count(session), totals.oldest) == (2, 1, 1, NOW)
    assert (outbox.dead_count(session, ["broadcast"]), outbox.dead_count(session, ["reply"])) == (1, 0)
    assert [(row.id, row.error) for row in outbox.dead(session)] == [(ids[2], "-244")]


def test_a_backlog_four_times_as_long_takes_about_four_times_as_long_to_claim_from(database_url: str) -> None:
    """Eight persons have thousands of messages waiting each, and the engine knows it: nothing grows with the square."""
    with transaction(database_url) as session:
        people = [person(session, str(number)) for number in range(8)]

    def longer(by: int) -> float:
        with transaction(database_url) as session:
            queue(session, *(message(people[number % 8]) for number in range(by)))
            session.connection().execute(text("ANALYZE"))
        with transaction(database_url) as session:
            return min(_effort(session, lambda: claims.due(session, [ACCOUNT], NOW, 100)) for _ in range(8))

    short, long = longer(1500), longer(4500)
    assert long < 12 * short, "its square would be sixteen times as much"


@pytest.fixture
def new_url(postgresql: Server) -> Iterator[str]:
    """A PostgreSQL database whose files nothing was ever deleted from."""
    with postgresql.made() as url:
        yield url


def test_what_was_sent_is_not_read_again_to_find_what_is_due(new_url: str) -> None:
    """No vacuum comes in between, so every message that was sent leaves its dead entry in the queue's index.

    The server adds up what each connection read when that ends, which may be late: so the least of a few looks counts.
    """
    with transaction(new_url) as session:
        session.connection().execute(text("ALTER TABLE outbox SET (autovacuum_enabled = off)"))
        people = [person(session, str(number)) for number in range(100)]
    rounds = 20
    for _ in range(rounds):
        with transaction(new_url) as session:
            queue(session, *map(message, people))
        with transaction(new_url) as session:
            mark_sent(session, *claim(session, most=100))

    def blocks() -> int:
        with transaction(new_url) as session:
            assert claims.due(session, [ACCOUNT], NOW, 100) == []
            session.connection().execute(text("SELECT pg_stat_force_next_flush()"))
        with transaction(new_url) as session:
            return session.connection().scalar(_BLOCKS) or 0

    blocks()
    seen = [blocks() for _ in range(5)]
    assert min(after - before for before, after in pairwise(seen)) <= 2 * rounds, (
        "about a block for each hundred that were sent; its table has six times that"
    )


_BLOCKS = text(
    "SELECT heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read"
    " FROM pg_statio_user_tables WHERE relname = 'outbox'"
)


def _effort(session: Session, fn: Callable[[], object]) -> float:
    """The steps of SQLite's machine, which no busy computer changes; seconds on PostgreSQL."""
    driver = session.connection().connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        steps = itertools.count(1)
        driver.set_progress_handler(lambda: next(steps) and 0, 100)
        fn()
        driver.set_progress_handler(None, 0)
        return next(steps)
    began = time.perf_counter()
    fn()
    return time.perf_counter() - began


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_workers_at_once_claim_nobody_twice(database_url: str) -> None:
    with transaction(database_url) as session:
        people = [person(session, str(number)) for number in range(20)]
        queue(session, *(message(each) for each in people for _ in range(3)))
    met = Barrier(4, timeout=10)

    def work(owner: str) -> list[int]:
        met.wait()
        claimed = []
        for _ in range(6):
            with transaction(database_url) as session:
                claimed += claim(session, most=7, owner=owner)
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [each for found in pool.map(work, "abcd") for each in found]
    assert len(claimed) == len(set(claimed)) == 20
    with transaction(database_url) as session:
        flying = session.connection().execute(
            text("SELECT count(*), count(DISTINCT identity_id) FROM outbox WHERE state = 'sending'")
        )
        assert flying.one() == (20, 20)


def test_a_longer_rest_of_an_account_outlives_a_shorter_one(session: Session) -> None:
    accounts.add(session, "zalo", ACCOUNT, NOW)
    (account,) = [pace.id for pace in accounts.paces(session).values()]
    for minutes in (15, 1):
        accounts.hold_pace(session, {account: NOW + timedelta(minutes=minutes)})
    assert [pace.tat for pace in accounts.paces(session).values()] == [NOW + timedelta(minutes=15)]
