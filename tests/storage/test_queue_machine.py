"""Any history of the two message queues: order holds, nothing is lost, nothing is done twice."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlmodel import Session

from storage import doubt, engines, inbox, outbox
from storage.columns import new_id
from storage.outbox import Sent
from tests.storage.rows import NOW, arrival, claim, message, person, queue

SECOND = timedelta(seconds=1)


class Machine(RuleBasedStateMachine):
    """A few persons, one clock, and whatever doors, workers, platforms and crashes may do."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.engine = engines.writer(self.url, "OFF")
        self.connection = self.engine.connect()
        self.connection.begin()
        self.session = Session(bind=self.connection)
        self.now = NOW
        self.accepted: set[str] = set()
        self.handled: list[str] = []
        self.buried: set[str] = set()
        self.flying: set[int] = set()
        self.took: list[int] = []
        self.mark = str(new_id())

    def teardown(self) -> None:
        self.session.close()
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()

    people = Bundle("people")

    @initialize(target=people)
    def persons(self) -> object:
        return multiple(*(person(self.session, f"{self.mark}-{number}") for number in range(3)))

    @rule(number=st.integers(0, 6), who=st.integers(0, 2), late=st.integers(-5, 5), again=st.booleans())
    def accept(self, number: int, who: int, late: int, again: bool) -> None:
        key = f"{self.mark}-{who}-{number}"
        event = arrival(key, person=f"{self.mark}-{who}", at=NOW + number * SECOND, received=self.now)
        inbox.accept(self.connection, [event] * (2 if again else 1))
        self.accepted.add(key)

    @rule(outcome=st.sampled_from(["done", "done", "failed", "poison", "undone"]), most=st.integers(1, 3))
    def handle(self, outcome: str, most: int) -> None:
        held = inbox.take(self.session, self.now, most)
        point = self.connection.begin_nested()
        rows = inbox.waiting(self.session, [thread.id for thread in held])
        for thread in held:
            times = [row.occurred_at for row in rows if row.thread_id == thread.id]
            assert times == sorted(times), "each thread's events come in the order they happened"
        if outcome == "undone":
            point.rollback()
            return
        first, rest = rows[:1], rows[1:]
        if outcome == "failed" and first:
            inbox.failed(self.session, first[0].id, first[0].attempts + 1, "failed", self.now + SECOND)
            rest = []
        elif outcome == "poison" and first:
            inbox.bury(self.session, {first[0].id: "poison"})
            self.buried.add(first[0].body.decode())
        else:
            rest = rows
        inbox.finish(self.session, [row.id for row in rest])
        self.handled += [row.body.decode() for row in rest]
        inbox.release(self.session, held)
        point.commit()

    @rule(who=people, priority=st.sampled_from([0, 2, 9]), fact=st.none() | st.integers(0, 3))
    def say(self, who: int, priority: int, fact: int | None) -> None:
        queue(self.session, message(who, priority=priority, dedup_key=fact and f"{self.mark}:{who}:{fact}"))

    @rule(most=st.integers(1, 5))
    def send(self, most: int) -> None:
        claimed = claim(self.session, self.now, most)
        assert not set(claimed) & self.flying
        self.flying |= set(claimed)

    @rule(how=st.sampled_from(["sent", "lost", "again", "dead", "twice"]), data=st.data())
    def answered(self, how: str, data: st.DataObject) -> None:
        if not self.flying:
            return
        each = data.draw(st.sampled_from(sorted(self.flying)))
        self.flying.discard(each)
        if how in ("sent", "twice"):
            for _ in range(2 if how == "twice" else 1):
                outbox.sent(self.connection, [Sent(each, f"m{each}", "", self.now)])
            self.took.append(each)
        elif how == "lost":
            assert outbox.move(self.session, each, "sending", state="unknown", ready_at=self.now + SECOND)
        elif how == "again":
            assert outbox.move(self.session, each, "sending", state="waiting", ready_at=self.now + SECOND, attempts=1)
        else:
            assert outbox.move(self.session, each, "sending", state="dead")
        assert not outbox.move(self.session, each, "sending", state="waiting"), "a late worker has no say"

    @rule()
    def crash(self) -> None:
        """The sender dies; its lease runs out."""
        self.now += timedelta(seconds=30)
        assert doubt.sweep(self.session, self.now, {"reply": self.now + SECOND}) == len(self.flying)
        self.flying.clear()

    @rule(found=st.booleans())
    def settle(self, found: bool) -> None:
        for item in doubt.unsettled(self.session, self.now, 10):
            if found:
                outbox.sent(self.connection, [Sent(item.id, "found", "", self.now)])
                self.took.append(item.id)
            else:
                outbox.move(self.session, item.id, "unknown", state="waiting", ready_at=self.now, resent=True)

    @rule(seconds=st.integers(1, 10))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @invariant()
    def nothing_is_lost_or_done_twice(self) -> None:
        assert len(self.handled) == len(set(self.handled))
        assert not set(self.handled) & self.buried
        states = dict(tuple(row) for row in self._rows("SELECT body, state FROM inbox WHERE channel = 'zalo'"))
        kept = {body.decode(): state for body, state in states.items() if body.decode().startswith(self.mark)}
        assert set(kept) == self.accepted
        assert {key for key, state in kept.items() if state == "done"} == set(self.handled)
        waiting = {key for key, state in kept.items() if state == "waiting"}
        due = self._rows("SELECT count(*) FROM thread WHERE due_at IS NOT NULL")[0][0]
        assert bool(waiting) <= bool(due), "what waits is due some day"

    @invariant()
    def one_message_is_in_flight_for_each_person(self) -> None:
        rows = self._rows("SELECT identity_id, count(*) FROM outbox WHERE state = 'sending' GROUP BY identity_id")
        assert all(count == 1 for _, count in rows)
        assert sum(count for _, count in rows) == len(self.flying)
        sent = {row[0] for row in self._rows("SELECT id FROM outbox WHERE state = 'sent'")}
        assert sent == set(self.took)

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.connection.execute(text(query))]


@pytest.mark.timeout(110)
def test_any_history_of_the_queues_keeps_their_promises(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "machine.db"
    shutil.copy(sqlite_template, path)
    Machine.url = f"sqlite:///{path}"
    quick = settings(
        max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(Machine, settings=quick)
