"""The queue of jobs: leases with tokens, one of a kind at a time, late workers without a say."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import jobs
from storage.jobs import Job, Taken
from storage.queue import MAX_DELAY, free_leases, retry_delay
from tests.storage.rows import NOW, transaction

MINUTE = timedelta(minutes=1)


def add(session: Session, subject: str = "", at: datetime | None = None) -> None:
    """Queue a job."""
    jobs.add_many(session, [jobs.row("test", subject, {"n": 1}, NOW, at)])


def lease(session: Session, owner: str = "a", now: datetime = NOW, most: int = 10) -> list[Taken]:
    """Take what is due, for a minute."""
    return jobs.lease(session, owner, now, now + MINUTE, most)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 16), (3, 81), (8, 3600), (10**9, 3600)])
def test_every_further_try_waits_longer_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts) == timedelta(seconds=seconds) <= MAX_DELAY


@pytest.mark.parametrize("session", ["postgresql"], indirect=True)
def test_no_more_jobs_are_leased_than_were_asked_for_by_whatever_plan(session: Session) -> None:
    for number in range(40):
        add(session, f"{number}")
    for plan in ("hashjoin", "mergejoin", "hashagg", "material", "sort"):
        session.connection().execute(text(f"SET LOCAL enable_{plan} = off"))
    assert len(lease(session, most=3)) == 3


def test_a_job_is_leased_by_one_worker_until_the_lease_runs_out(session: Session) -> None:
    add(session)
    (first,) = lease(session, "a")
    assert lease(session, "b") == []
    (second,) = lease(session, "b", NOW + MINUTE + timedelta(seconds=1))
    assert second.id == first.id
    assert second.lease_token == first.lease_token + 1


def test_a_late_worker_changes_nothing(session: Session) -> None:
    add(session)
    (late,) = lease(session, "a")
    (current,) = lease(session, "b", NOW + 2 * MINUTE)
    jobs.finish(session, [late])
    jobs.bury(session, late, "too late")
    jobs.put_back(session, late, NOW, error="too late")
    assert jobs.dead_count(session) == 0
    assert lease(session, "c", NOW + 2 * MINUTE) == [], "the second worker still holds it"
    jobs.finish(session, [current])
    assert jobs.oldest_waiting(session) is None


def test_a_job_asked_for_while_it_is_done_is_done_again_afterwards(session: Session) -> None:
    add(session)
    (first,) = lease(session)
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW)])
    assert lease(session, "b") == [], "not beside the first"
    jobs.finish(session, [first])
    (again,) = lease(session, "b")
    assert (again.id, again.payload) == (first.id, '{"n": 2}')
    jobs.finish(session, [again])
    assert jobs.oldest_waiting(session) is None


def test_a_job_asked_for_after_its_lease_ran_out_is_done_again_though_its_worker_ends_it_late(session: Session) -> None:
    add(session)
    (late,) = lease(session)
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW + 2 * MINUTE)])
    jobs.finish(session, [late])
    (again,) = lease(session, "b", NOW + 2 * MINUTE)
    assert again.payload == '{"n": 2}'


def test_a_job_asked_for_while_it_is_done_does_not_wait_with_the_first(session: Session) -> None:
    add(session)
    (first,) = lease(session)
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW)])
    jobs.put_back(session, first, NOW + timedelta(days=3), counted=False)
    (again,) = lease(session, "b")
    assert again.payload == '{"n": 2}'
    jobs.put_back(session, again, NOW + timedelta(days=3), counted=False)
    assert lease(session) == []


def test_a_job_asked_for_again_is_not_given_up_with_the_first(session: Session) -> None:
    add(session)
    (first,) = lease(session)
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW)])
    jobs.bury(session, first, "on purpose")
    assert jobs.dead_count(session) == 0
    assert [job.payload for job in lease(session)] == ['{"n": 2}']


def ask_again(session: Session, at: datetime) -> None:
    """Ask for it once more, for this moment."""
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW, at)])


@pytest.mark.parametrize("restarts", [True, False])
def test_a_job_whose_worker_died_does_not_wait_for_the_later_time_for_which_it_is_asked_again(
    session: Session, restarts: bool
) -> None:
    add(session)
    lease(session, "dead")
    ask_again(session, NOW + timedelta(hours=1))
    if restarts:
        free_leases(session, Job, "b")
    (again,) = lease(session, "b", NOW if restarts else NOW + MINUTE + timedelta(seconds=1))
    assert again.payload == '{"n": 2}'
    jobs.finish(session, [again])
    assert jobs.oldest_waiting(session) is None


def test_a_job_asked_for_again_and_again_is_done_at_the_earliest_of_those_moments(session: Session) -> None:
    add(session)
    (first,) = lease(session)
    for minutes in (5, 3, 9):
        ask_again(session, NOW + minutes * MINUTE)
    jobs.finish(session, [first])
    assert jobs.oldest_waiting(session) == NOW + 3 * MINUTE
    (again,) = lease(session, now=NOW + 3 * MINUTE)
    jobs.finish(session, [again])
    assert jobs.oldest_waiting(session) is None


def test_a_job_that_failed_is_tried_again_no_later_for_being_asked_for_again(session: Session) -> None:
    add(session)
    (first,) = lease(session)
    ask_again(session, NOW + timedelta(hours=1))
    jobs.put_back(session, first, NOW + MINUTE, error="no answer")
    assert jobs.oldest_waiting(session) == NOW + MINUTE


def test_a_job_that_waits_already_is_not_put_off(session: Session) -> None:
    add(session)
    jobs.add_many(session, [jobs.row("test", "", {"n": 2}, NOW + timedelta(seconds=1), NOW + MINUTE)])
    (job,) = lease(session)
    assert job.payload == '{"n": 1}'


def test_a_job_put_back_waits_for_its_time_and_counts_only_failures(session: Session) -> None:
    add(session)
    (job,) = lease(session)
    jobs.put_back(session, job, NOW + MINUTE, error="no answer")
    assert lease(session, now=NOW + MINUTE - timedelta(seconds=1)) == []
    (job,) = lease(session, now=NOW + MINUTE)
    assert job.attempts == 1
    jobs.put_back(session, job, NOW + MINUTE, counted=False)
    assert lease(session, now=NOW + MINUTE)[0].attempts == 1


def test_a_key_waits_once_and_may_come_again_when_it_is_done(session: Session) -> None:
    add(session, "lan")
    add(session, "lan")
    add(session, "minh")
    taken = lease(session)
    assert len(taken) == 2
    jobs.finish(session, taken)
    assert lease(session) == []
    add(session, "lan")
    assert len(lease(session)) == 1


def test_a_buried_job_does_not_keep_its_key(session: Session) -> None:
    add(session, "lan")
    (job,) = lease(session)
    jobs.bury(session, job, "on purpose")
    add(session, "lan")
    assert len(lease(session)) == 1
    assert [row.error for row in jobs.dead(session)] == ["on purpose"]


def test_jobs_are_taken_when_they_are_due_oldest_first(session: Session) -> None:
    for minute in (3, 1, 2):
        add(session, str(minute), NOW + minute * MINUTE)
    assert lease(session) == []
    assert jobs.oldest_waiting(session) == NOW + MINUTE
    assert len(lease(session, now=NOW + 2 * MINUTE, most=1)) == 1
    assert jobs.oldest_waiting(session) == NOW + MINUTE
    assert len(lease(session, now=NOW + 2 * MINUTE, most=5)) == 1


def test_taking_over_frees_the_leases_of_others_only(session: Session) -> None:
    add(session, "1")
    lease(session, "me")
    add(session, "2")
    lease(session, "an earlier me")
    add(session, "3")
    lease(session, "an earlier me")
    add(session, "3")
    free_leases(session, Job, "me")
    assert len(lease(session, "me")) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_workers_at_once_take_different_jobs(database_url: str) -> None:
    with transaction(database_url) as session:
        for number in range(6):
            add(session, str(number))
    with transaction(database_url) as one, transaction(database_url) as two:
        first, second = lease(one, "a", most=4), lease(two, "b", most=4)
    assert (len(first), len(second)) == (4, 2)
    assert not {job.id for job in first} & {job.id for job in second}
