"""A broadcast whose next people all lack the same rests at once and without a word again, and goes on for others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm import broadcast_clock, broadcast_rests, broadcasts, consent, recipients
from crm.broadcasts import Pause
from crm.choice import Option
from crm.content import ByTemplate, Content
from crm.messages import Purpose
from crm.verdicts import Held, Taken, Why
from storage import accounts, audit, engines, jobs, recipient_order
from storage import recipients as rows
from storage.columns import new_id
from storage.turns import Place
from tests.crm import sending
from tests.crm.people import born
from tests.crm.test_unasked import START, OpenGate

SECOND, MINUTE, QUARTER = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=15)
IN_WORDS = Content("Chào bạn")
BY_TEMPLATE = Content("", templates=(ByTemplate("zalo", "", "777"),))


@dataclass
class Shut(OpenGate):
    """A platform on which these channels lack something, for so long each time."""

    reason: Pause = Pause.TEMPLATE
    wait: timedelta = QUARTER
    shut: frozenset[str] = frozenset({"zalo"})
    looked: list[str] = field(default_factory=list)

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """Nothing goes where it is shut."""
        self.looked.append(place.channel)
        return Held(self.reason, self.now + self.wait, stops=True) if place.channel in self.shut else None


@dataclass
class Slow(Shut):
    """One that takes one message a turn where it is not shut."""

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """The rest wait for their turn."""
        lacks = super().held(place, purpose, option)
        return lacks or (Held(Why.PACE, self.now + 2 * SECOND) if self.spent else None)


def running(session: Session, channels: str, said: Content = IN_WORDS, *, refusing: int = 0) -> int:
    """A broadcast to a person on each of these channels (z or m), the first ones of whom do not want any; it runs."""
    for number, each in enumerate(channels):
        channel = {"z": "zalo", "m": "messenger"}[each]
        person = born(session, START, channel=channel, user_id=f"{channel}{new_id()}")
        consent.say(session, person.customer_id, granted=number >= refusing, at=START)
    found = broadcasts.draft(session, "x", Purpose.BROADCAST, said, "tatca", "cli", START)
    broadcasts.tested(session, found, START)
    broadcasts.schedule(session, found, START, "cli", START)
    sending.begin(session, found, START)
    return found


def turn(session: Session, gate: OpenGate, most: int = 3) -> Taken:
    """One turn of sending, after the clock has looked; what went is sent."""
    broadcast_clock.tend(session, gate.now, sending.POLICY)
    taken = recipients.take(session, gate, sending.POLICY, None, gate.now, most)
    recipients.write(session, taken, "worker", gate.now, gate.now)
    broadcast_rests.settle(session, taken, gate.now)
    rows.sent(session.connection(), [rows.Went(each.outbox_id, gate.now) for each in taken.ready])
    return taken


def stands(session: Session, number: int) -> tuple[str, str, datetime | None]:
    """Where it stands, and until when."""
    found = broadcasts.get(session, number)
    return found.state, found.pause_reason, found.resumes_at


def noted(session: Session) -> list[str]:
    """What the audit says of it since it runs, oldest first."""
    return [each.action for each in reversed(audit.latest(session, 100)) if "running" in each.details]


@pytest.mark.parametrize("said", [IN_WORDS, BY_TEMPLATE])
def test_it_rests_at_once_whatever_number_waits_behind(session: Session, said: Content) -> None:
    number = running(session, "z" * 40, said, refusing=1)
    gate = Shut()
    turn(session, gate)
    assert stands(session, number) == ("paused", Pause.TEMPLATE, START + QUARTER)
    assert len(gate.looked) == 2, "two of three were looked at by what they lack, and one wants no advertising"
    assert turn(session, gate).looked == []
    assert jobs.waits(session, broadcast_rests.SEEK, str(number)) is (said is IN_WORDS), "there is one way only"


@pytest.mark.parametrize(
    ("reason", "wait"), [(Pause.TEMPLATE, QUARTER), (Pause.ACCOUNT, MINUTE), (Pause.LIMIT, MINUTE)]
)
def test_it_is_noted_once_that_it_rests_and_once_that_it_goes_on(
    session: Session, reason: Pause, wait: timedelta
) -> None:
    number = running(session, "z" * 9)
    gate = Shut(reason=reason, wait=wait)
    before = len(noted(session))
    for _ in range(40):
        turn(session, gate)
        assert stands(session, number) == ("paused", reason, gate.now + wait)
        gate.now += wait
    assert len(noted(session)) - before == 1
    gate.shut = frozenset()
    assert len(turn(session, gate).ready) == 3
    assert stands(session, number)[0] == "running"
    assert len(noted(session)) - before == 2


def test_those_who_get_nothing_anyway_do_not_wake_it(session: Session) -> None:
    number = running(session, "z" * 12, refusing=6)
    gate = Shut(reason=Pause.ACCOUNT, wait=MINUTE)
    broadcasts.pause(session, number, Pause.ACCOUNT, broadcasts.SYSTEM, START, until=START)
    before = len(noted(session))
    for skipped in (3, 3, 0):
        assert len(turn(session, gate).skips) == skipped
    assert stands(session, number) == ("paused", Pause.ACCOUNT, START + MINUTE)
    assert len(noted(session)) == before


def test_it_is_noted_when_something_else_is_lacking(session: Session) -> None:
    number, gate = running(session, "z" * 9), Shut()
    turn(session, gate)
    gate.now += QUARTER
    gate.reason = Pause.QUOTA
    turn(session, gate)
    assert stands(session, number)[:2] == ("paused", Pause.QUOTA)


def test_those_come_first_who_go_another_way_and_then_it_rests_again(session: Session) -> None:
    number, gate = running(session, "z" * 9 + "m" * 4), Shut()
    turn(session, gate)
    assert stands(session, number)[0] == "paused"
    others = recipient_order.due_between(session, number, START, 0, 1 << 62)[-4:]
    assert broadcast_rests.goes_another_way(session, number, [each.id for each in others], START)
    went = [*turn(session, gate).ready, *turn(session, gate).ready]
    assert [each.place.channel for each in went] == ["messenger"] * 4
    assert stands(session, number)[0] == "running", "they are being looked for still, and others may be found"
    (job,) = [each for each in jobs.lease(session, "me", START, START, 9) if each.kind == broadcast_rests.SEEK]
    jobs.finish(session, [job])
    turn(session, gate)
    assert stands(session, number) == ("paused", Pause.TEMPLATE, START + QUARTER)
    assert not jobs.waits(session, broadcast_rests.SEEK, str(number)), "everybody was looked at a moment ago"
    for quarter in range(1, 5):
        gate.now += QUARTER
        turn(session, gate)
        assert jobs.waits(session, broadcast_rests.SEEK, str(number)) is (quarter == 4), "somebody else may by now"


def test_who_goes_another_way_and_waits_for_their_turn_comes_before_those_who_lack_something(session: Session) -> None:
    number = running(session, "z" * 60 + "m" * 6)
    turn(session, Shut())
    others = recipient_order.due_between(session, number, START, 0, 1 << 62)[-6:]
    broadcast_rests.goes_another_way(session, number, [each.id for each in others], START)
    for job in jobs.lease(session, "me", START, START, 9):
        jobs.finish(session, [job])
    went, now = 0, START
    for _ in range(16):
        went += len(turn(session, Slow(now)).ready)
        now += SECOND
    assert went == 6
    assert stands(session, number)[:2] == ("paused", Pause.TEMPLATE)


def test_who_is_due_again_after_something_else_comes_before_those_who_lack_something(session: Session) -> None:
    number = running(session, "z" * 60 + "m")
    other = recipient_order.due_between(session, number, START, 0, 1 << 62)[-1]
    rows.put_off(session, [{"id": other.id, "due_at": START + 5 * MINUTE, "reason": "talking", "attempts": 1}])
    turn(session, Shut())
    due = START + 5 * MINUTE
    went = [*turn(session, Shut(due)).ready, *turn(session, Shut(due)).ready]
    assert [each.recipient.id for each in went] == [other.id]


@pytest.mark.parametrize(
    ("template", "seeks"),
    [
        (ByTemplate("zalo", "", "777"), True), (ByTemplate("zalo", "oa1", "777"), False),
        (ByTemplate("zalo", "oa1", "777", to_phone=True), True), (ByTemplate("messenger", "", "777"), False),
    ],
)  # fmt: skip
def test_a_template_of_several_accounts_or_that_goes_to_numbers_too_is_more_than_one_way(
    session: Session, template: ByTemplate, seeks: bool
) -> None:
    for channel, account in (("zalo", "oa1"), ("zalo", "oa2"), ("messenger", "page")):
        accounts.add(session, channel, account, START)
    channel = template.channel
    number = running(session, channel[0] * 9, Content("", templates=(template,)))
    turn(session, Shut(shut=frozenset({channel})))
    assert stands(session, number)[0] == "paused"
    assert jobs.waits(session, broadcast_rests.SEEK, str(number)) is seeks


@pytest.mark.parametrize(
    "stop",
    [
        lambda session, number: broadcasts.rest(session, number, "cli", START),
        lambda session, number: broadcasts.cancel(session, number, "cli", START),
    ],
)
def test_nobody_comes_first_in_one_that_a_person_stopped(
    session: Session, stop: Callable[[Session, int], object]
) -> None:
    number = running(session, "zm")
    turn(session, Shut(), 1)
    stop(session, number)
    before = stands(session, number)
    assert not broadcast_rests.goes_another_way(session, number, [1], START)
    assert turn(session, Shut(START + QUARTER)).looked == []
    assert stands(session, number) == before


def test_it_rests_no_longer_than_until_the_next_is_due_who_waits_for_something_else(session: Session) -> None:
    number = running(session, "z" * 9)
    talking = recipient_order.due_between(session, number, START, 0, 1 << 62)[-1]
    rows.put_off(session, [{"id": talking.id, "due_at": START + 5 * MINUTE, "reason": "talking", "attempts": 1}])
    turn(session, Shut())
    assert stands(session, number) == ("paused", Pause.TEMPLATE, START + 5 * MINUTE)


def test_without_any_account_that_sends_it_rests_once_and_goes_on_when_one_does(session: Session) -> None:
    number, now = running(session, "z" * 9), START
    for channel in ("zalo", "messenger"):
        accounts.add(session, channel, "oa1", START)
    before = len(noted(session))
    for view in accounts.everyone(session):
        accounts.change(session, view.id, held="the token is refused")
    for _ in range(60):
        broadcast_clock.tend(session, now, sending.POLICY)
        assert stands(session, number)[:2] == ("paused", Pause.ACCOUNT)
        now += MINUTE
    assert len(noted(session)) - before == 1
    for view in accounts.everyone(session):
        accounts.change(session, view.id, held="")
    assert len(turn(session, OpenGate(now)).ready) == 3
    assert stands(session, number)[0] == "running"


@pytest.mark.parametrize(("due", "until"), [(5, 5), (0, 1), (60 * 24 * 60, 30 * 24 * 60)])
def test_it_rests_no_longer_than_who_was_on_their_way_as_it_came_to_rest_and_came_back(
    session: Session, due: int, until: int
) -> None:
    number = running(session, "mzzz")
    turn(session, Shut(reason=Pause.BUDGET, wait=timedelta(days=30)), 1)
    turn(session, Shut(reason=Pause.BUDGET, wait=timedelta(days=30)))
    assert stands(session, number) == ("paused", Pause.BUDGET, START + timedelta(days=30))
    broadcasts.waits_again(session, number, START + due * MINUTE, START)
    assert stands(session, number)[2] == START + until * MINUTE
    broadcasts.rest(session, number, "cli", START)
    broadcasts.waits_again(session, number, START, START)
    assert stands(session, number) == ("paused", Pause.STAFF, None)


def test_who_came_back_comes_first_when_it_is_looked_at_again(session: Session) -> None:
    number, month = running(session, "z" * 60 + "m"), timedelta(days=30)
    other = recipient_order.due_between(session, number, START, 0, 1 << 62)[-1]
    rows.put_off(session, [{"id": other.id, "due_at": START, "reason": "taken too long ago", "attempts": 0}])
    recipient_order.bring_forward(session, [other.id], START + SECOND)
    turn(session, Shut(reason=Pause.BUDGET, wait=month))
    broadcasts.waits_again(session, number, START + SECOND, START + SECOND)
    late = START + 2 * MINUTE
    went = [each for _ in range(2) for each in turn(session, Shut(late, reason=Pause.BUDGET, wait=month)).ready]
    assert [each.recipient.id for each in went] == [other.id]


@pytest.mark.parametrize("rests", [False, True])
@pytest.mark.parametrize(("stop", "stays"), [(broadcasts.rest, "paused"), (broadcasts.cancel, "cancelled")])
def test_a_person_who_stops_it_while_the_clock_finds_no_account_has_the_last_word(
    session: Session, rests: bool, stop: Callable[[Session, int, str, datetime], None], stays: str
) -> None:
    number = running(session, "z")
    if rests:
        broadcasts.pause(session, number, Pause.ACCOUNT, broadcasts.SYSTEM, START, until=START)
    stop(session, number, "cli", START)
    broadcast_rests.rest_without_account(session, number, START)
    assert stands(session, number) == (stays, Pause.STAFF if stays == "paused" else "", None)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_person_who_stops_it_in_the_moment_in_which_it_comes_to_rest_has_the_last_word(database_url: str) -> None:
    engine = engines.writer(database_url, "OFF")
    with Session(engine) as session:
        number = running(session, "z" * 9)
        session.commit()

    def stop() -> None:
        with Session(engine) as other:
            broadcasts.rest(other, number, "cli", START)
            other.commit()

    beside = threading.Thread(target=stop)
    with Session(engine) as session:
        gate = Shut()
        taken = recipients.take(session, gate, sending.POLICY, None, START, 3)
        beside.start()
        while not session.connection().execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first():
            time.sleep(0.01)
        recipients.write(session, taken, "worker", START, START)
        broadcast_rests.settle(session, taken, START)
        session.commit()
        beside.join()
        assert stands(session, number) == ("paused", Pause.STAFF, None)
    engine.dispose()
