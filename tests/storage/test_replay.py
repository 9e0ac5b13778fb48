"""Given-up rows of all three queues wait again when a person says so, once, and only where that is safe."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from storage import inbox, jobs, outbox
from storage.columns import hashed_id
from storage.inbox import Arrival
from storage.jobs import Job
from storage.queue import dead_ids
from tests.storage.rows import CHANNEL, NOW, arrival, bodies, claim, keep, message, person, queue

LATER = NOW + timedelta(hours=1)


def _buried(session: Session, key: str = "poison") -> int:
    """An event that was handled in vain and given up, as the worker leaves it."""
    keep(session, arrival(key))
    held = inbox.take(session, NOW, 10)
    event = next(row for row in inbox.waiting(session, [each.id for each in held]) if row.body == key.encode())
    inbox.failed(session, event.id, 3, "ValueError", NOW)
    inbox.bury(session, {event.id: "ValueError"})
    inbox.release(session, held)
    return event.id


def test_a_replayed_event_is_handled_with_all_its_tries(session: Session) -> None:
    event = _buried(session)
    assert inbox.take(session, LATER, 10) == []
    assert inbox.replay(session, [event], LATER).again == [event]
    held = inbox.take(session, LATER, 10)
    assert [(row.id, row.attempts) for row in inbox.waiting(session, [each.id for each in held])] == [(event, 0)]
    assert inbox.dead(session) == []


def test_a_second_replay_of_an_event_does_nothing(session: Session) -> None:
    event = _buried(session)
    inbox.replay(session, [event], LATER)
    held = inbox.take(session, LATER, 10)
    inbox.finish(session, [event])
    inbox.release(session, held)
    assert inbox.replay(session, [event], LATER) == ([], [])
    assert inbox.take(session, LATER, 10) == []


def test_an_event_buried_at_the_door_gets_the_thread_it_never_had(session: Session) -> None:
    keep(session, Arrival(CHANNEL, "unknown-account", "7", "k", NOW, NOW, b"k", "not understood"))
    (dead,) = inbox.dead(session)
    inbox.replay(session, [dead.id], LATER)
    (held,) = inbox.take(session, LATER, 10)
    assert (held.id, held.channel, held.account_id) == (
        hashed_id(CHANNEL, "unknown-account", "7"),
        CHANNEL,
        dead.account_id,
    )
    assert bodies(session, [held]) == ["k"]


def test_a_thread_that_is_due_already_stays_due_as_early(session: Session) -> None:
    event = _buried(session)
    keep(session, arrival("next"))
    inbox.replay(session, [event], LATER)
    assert bodies(session, inbox.take(session, NOW, 10)) == ["poison", "next"]


def test_an_event_without_its_body_stays_given_up(session: Session) -> None:
    event = _buried(session)
    inbox.purge_bodies(session, LATER, 0, 100)
    assert inbox.replay(session, [event], LATER) == ([], [event])
    assert inbox.take(session, LATER, 10) == []


def test_a_replayed_message_is_sent_again(session: Session) -> None:
    (sent,) = queue(session, message(person(session)))
    outbox.give_up(session, {sent: "refused"})
    assert claim(session, LATER) == []
    assert outbox.replay(session, [sent], LATER) == ([sent], [])
    assert claim(session, LATER) == [sent]
    assert outbox.replay(session, [sent], LATER) == ([], [])


def test_a_message_of_a_purpose_that_may_have_gone_out_needs_force(session: Session) -> None:
    care, reply = queue(session, message(person(session), purpose="care", priority=5), message(person(session, "2")))
    outbox.give_up(session, {care: "unknown", reply: "refused"})
    assert outbox.replay(session, [care, reply], LATER, ("care", "broadcast")) == ([reply], [care])
    assert outbox.replay(session, [care], LATER) == ([care], [])


def _dead_job(session: Session, subject: str = "x") -> int:
    row = jobs.row("kind", subject, {"a": 1}, NOW)
    jobs.add_many(session, [row])
    (taken,) = [job for job in jobs.lease(session, "w", NOW, NOW + timedelta(minutes=1), 10) if job.id == row["id"]]
    jobs.bury(session, taken, "broken")
    return taken.id


def test_a_replayed_job_is_done_again(session: Session) -> None:
    dead = _dead_job(session)
    assert jobs.replay(session, [dead], LATER).again == [dead]
    (taken,) = jobs.lease(session, "w", LATER, LATER + timedelta(minutes=1), 10)
    assert (taken.id, taken.attempts, taken.payload) == (dead, 0, '{"a": 1}')
    assert jobs.replay(session, [dead], LATER) == ([], [])


def test_of_one_work_only_one_job_waits_after_a_replay(session: Session) -> None:
    first, second = _dead_job(session), _dead_job(session)
    jobs.replay(session, [first, second], LATER)
    assert len(jobs.lease(session, "w", LATER, LATER + timedelta(minutes=1), 10)) == 1
    assert jobs.dead(session) == []


def test_work_that_waits_already_is_not_queued_twice(session: Session) -> None:
    dead = _dead_job(session)
    jobs.add_many(session, [jobs.row("kind", "x", {"a": 2}, LATER)])
    jobs.replay(session, [dead], LATER)
    (taken,) = jobs.lease(session, "w", LATER, LATER + timedelta(minutes=1), 10)
    assert taken.payload == '{"a": 2}'
    assert jobs.dead(session) == []


@pytest.mark.parametrize("most", [1, 10])
def test_given_up_rows_are_walked_by_id(session: Session, most: int) -> None:
    dead = sorted(_dead_job(session, subject) for subject in "abc")
    walked: list[int] = []
    while found := dead_ids(session, Job, walked[-1] if walked else 0, most):
        walked.extend(found)
    assert walked == dead


def test_unknown_ids_are_neither_replayed_nor_kept(session: Session) -> None:
    assert inbox.replay(session, [1], NOW) == ([], [])
    assert outbox.replay(session, [1], NOW) == ([], [])
    assert jobs.replay(session, [1], NOW) == ([], [])
