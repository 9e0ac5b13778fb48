"""The queue of events in: kept once, handled in order, by one worker at a time, and lost never."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import Session

from storage import inbox
from tests.storage.rows import NOW, arrival, bodies, keep, transaction

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def take(session: Session, most: int = 10, *, after: float = 0, only: int | None = None) -> list[inbox.Held]:
    """The threads that are due so many seconds after NOW."""
    return inbox.take(session, NOW + timedelta(seconds=after), most, only)


def handled(session: Session, threads: list[inbox.Held]) -> list[str]:
    """Everything in these threads has its effect; what that was."""
    found = bodies(session, threads)
    inbox.finish(session, [row.id for row in inbox.waiting(session, [thread.id for thread in threads])])
    inbox.release(session, threads)
    return found


def test_an_event_that_comes_again_changes_nothing(session: Session) -> None:
    keep(session, arrival("a"), arrival("a"))
    keep(session, arrival("a"))
    assert handled(session, take(session)) == ["a"]
    keep(session, arrival("a"))
    assert handled(session, take(session)) == []
    assert inbox.oldest_waiting(session) is None


def test_the_same_key_on_another_account_is_another_event(session: Session) -> None:
    keep(session, arrival("a"), arrival("a")._replace(account_id="2"), arrival("a")._replace(channel="messenger"))
    assert handled(session, take(session)) == ["a", "a", "a"]


def test_a_thread_is_one_person_on_one_account(session: Session) -> None:
    keep(session, arrival("a", person="1"), arrival("b", person="1"), arrival("c", person="2"))
    threads = take(session)
    assert len(threads) == 2
    assert sorted(bodies(session, threads)) == ["a", "b", "c"]


def test_events_are_handled_in_the_order_they_happened(session: Session) -> None:
    moments = [0, 1, 2, 2, 3, 7]
    events = [arrival(f"{number}", at=NOW + timedelta(seconds=second)) for number, second in enumerate(moments)]
    shuffled = random.Random(5).sample(events, len(events))
    for event in shuffled:
        keep(session, event)
    found = bodies(session, take(session))
    assert [moments[int(key)] for key in found] == sorted(moments)
    tied = [key for key in found if moments[int(key)] == 2]
    came = [event.dedup_key for event in shuffled if moments[int(event.dedup_key)] == 2]
    assert tied == came, "events of one moment keep the order in which they came"


def test_an_event_without_a_time_stands_where_it_arrived(session: Session) -> None:
    keep(session, arrival("late", at=None, received=NOW + timedelta(seconds=5)))
    keep(session, arrival("early", at=NOW, received=NOW + timedelta(seconds=9)))
    assert bodies(session, take(session, after=9)) == ["early", "late"]


def test_who_waits_longest_is_taken_first(session: Session) -> None:
    for second in (3, 1, 2):
        keep(session, arrival(str(second), person=str(second), received=NOW + timedelta(seconds=second)))
    assert bodies(session, take(session, 1, after=9)) == ["1"]
    assert sorted(bodies(session, take(session, 2, after=9))) == ["1", "2"]


def test_a_thread_is_due_again_when_its_next_event_is_ready(session: Session) -> None:
    keep(session, arrival("a"))
    threads = take(session)
    (row,) = inbox.waiting(session, [threads[0].id])
    inbox.failed(session, row.id, 1, "LookupError", NOW + timedelta(seconds=16))
    inbox.release(session, threads)
    assert take(session, after=15) == []
    assert bodies(session, take(session, after=16)) == ["a"]
    assert inbox.waiting(session, [threads[0].id])[0].attempts == 1


def test_a_thread_may_be_told_to_wait(session: Session) -> None:
    keep(session, arrival("a", person="1"), arrival("b", person="2"))
    first, second = take(session)
    inbox.release(session, [first, second], {first.id: NOW + timedelta(seconds=30)})
    assert take(session, after=29) == [second]
    assert take(session, after=30) == [first, second]


def test_a_new_event_does_not_end_the_wait_of_its_thread(session: Session) -> None:
    keep(session, arrival("a", person="1"))
    (thread,) = take(session)
    inbox.release(session, [thread], {thread.id: NOW + timedelta(seconds=30)})
    keep(session, arrival("b", person="1"))
    assert take(session, after=29) == []
    assert handled(session, take(session, after=30)) == ["a", "b"]


def test_what_is_buried_waits_no_more_and_keeps_its_body(session: Session) -> None:
    keep(session, arrival("bad"), arrival("good"))
    threads = take(session)
    bad = next(row for row in inbox.waiting(session, [threads[0].id]) if row.body == b"bad")
    inbox.bury(session, {bad.id: "x" * 1000})
    inbox.release(session, threads)
    assert bodies(session, take(session)) == ["good"]
    (dead,) = inbox.dead(session)
    assert (dead.body, dead.error, dead.channel) == (b"bad", "x" * 500, "zalo")
    assert inbox.dead_count(session) == 1


def test_what_arrives_buried_makes_nobody_due(session: Session) -> None:
    keep(session, arrival("strange")._replace(dead="not understood"))
    assert take(session) == []
    assert [row.error for row in inbox.dead(session)] == ["not understood"]


def test_old_bodies_go_but_what_waits_keeps_its_own(session: Session) -> None:
    long_ago = NOW - timedelta(days=31)
    keep(session, arrival("done", person="1", received=long_ago), arrival("waits", person="2", received=long_ago))
    done = next(thread for thread in take(session) if bodies(session, [thread]) == ["done"])
    handled(session, [done])
    keep(session, arrival("new", person="3"))
    inbox.bury(
        session,
        {
            row.id: "on purpose"
            for row in inbox.waiting(session, [each.id for each in take(session)])
            if row.body == b"new"
        },
    )
    cursor: int | None = 0
    steps = 0
    while cursor is not None:
        cursor, steps = inbox.purge_bodies(session, NOW - timedelta(days=30), cursor, 1), steps + 1
    assert steps >= 2
    assert bodies(session, take(session)) == ["waits"]
    assert [row.body for row in inbox.dead(session)] == [b"new"]
    keep(session, arrival("done", person="1"))
    assert "done" not in bodies(session, take(session)), "the key outlives the body"


@on_postgresql
def test_two_workers_never_hold_the_same_thread(database_url: str) -> None:
    with transaction(database_url) as session:
        keep(session, *(arrival(str(number), person=str(number)) for number in range(6)))
    with transaction(database_url) as one, transaction(database_url) as two:
        first, second = take(one, 4), take(two, 4)
        assert (len(first), len(second)) == (4, 2)
        assert not set(first) & set(second)
        assert take(two, only=first[0].id) == []


@on_postgresql
def test_a_worker_that_dies_frees_its_threads_at_once(database_url: str) -> None:
    with transaction(database_url) as session:
        keep(session, arrival("a"))
    with pytest.raises(ConnectionError), transaction(database_url) as session:
        assert len(take(session)) == 1
        raise ConnectionError
    with transaction(database_url) as session:
        assert handled(session, take(session)) == ["a"]


@on_postgresql
def test_an_event_that_arrives_while_its_thread_is_released_is_not_forgotten(database_url: str) -> None:
    """The worker cannot see it, and the door waits for the worker's lock: whoever commits last makes it due."""
    with transaction(database_url) as session:
        keep(session, arrival("first"))
    released, let_go = threading.Event(), threading.Event()

    def work() -> None:
        with transaction(database_url) as session:
            assert handled(session, take(session)) == ["first"]
            released.set()
            let_go.wait(5)

    def arrive() -> None:
        released.wait(5)
        with transaction(database_url) as session:
            keep(session, arrival("second"))

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(work), pool.submit(arrive)]
        released.wait(5)
        threading.Event().wait(0.2)
        assert not jobs[1].done(), "the door waits for the row"
        let_go.set()
        for job in jobs:
            job.result(5)
    with transaction(database_url) as session:
        assert handled(session, take(session)) == ["second"]


@on_postgresql
def test_an_event_that_is_not_committed_yet_does_not_hold_up_the_worker(database_url: str) -> None:
    with transaction(database_url) as session:
        keep(session, arrival("first"))
    with transaction(database_url) as door:
        keep(door, arrival("second"))
        with transaction(database_url) as worker:
            assert take(worker) == []
    with transaction(database_url) as session:
        assert handled(session, take(session)) == ["first", "second"]
