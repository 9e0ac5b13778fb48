"""Who gets what nobody asked for: over random histories nobody above the cap, and nobody without a matching yes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import Session

from crm import broadcast_clock, broadcasts, consent, outbox, recipients
from crm.broadcasts import Pause
from crm.caps import Caps
from crm.choice import Option
from crm.consent import Standing
from crm.content import ByTemplate, Content
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.reach import Lane, Reach, ReachFacts, Rules, reach
from crm.verdicts import Held, Policy, Ready
from storage import broadcasts as store
from storage import engines, marks
from storage import outbox as queue
from storage import recipients as rows
from storage.columns import new_id
from storage.turns import Place
from tests.crm import sending
from tests.crm.people import born

START = datetime(2026, 11, 23, 3, 0, tzinfo=ZoneInfo("UTC"))
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
RULES = Rules((Lane("window", within=timedelta(days=30), since=START.date() - timedelta(days=900)),))
PEOPLE = 3
WEEK = timedelta(days=7)


@dataclass
class OpenGate:
    """A platform with one lane, all the room there is, and a clock."""

    now: datetime = START
    spent: list[int] = field(default_factory=list)

    def reach(self, place: Place, purpose: Purpose, standing: Standing, template: ByTemplate | None) -> Reach:
        """By the one lane."""
        facts = ReachFacts(
            purpose, START, self.now, consented=standing is Standing.GRANTED, opted_out=standing is Standing.WITHDRAWN
        )
        return reach(RULES, facts)

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """Nothing is ever held."""
        return None

    def fitted(self, place: Place, message: Message) -> Message | None:
        """Everything fits."""
        return message

    def spend(self, place: Place, option: Option) -> None:
        """Note whom it was for."""
        self.spent.append(place.customer_id)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("broadcast"), st.sampled_from(["broadcast", "care"])),
        st.tuples(st.just("says"), st.integers(0, PEOPLE - 1), st.booleans(), st.sampled_from(["marketing", "care"])),
        st.tuples(st.just("ends"), st.sampled_from(["sent", "failed", "unknown", "back"])),
        st.tuples(st.just("passes"), st.integers(1, 60)),
        st.tuples(st.just("turn")),
    ),
    min_size=5,
    max_size=30,
)


@pytest.mark.parametrize("per_day", [1, 2])
@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_history_gives_anybody_more_than_their_cap_or_anything_without_their_yes(
    sqlite_engine: Engine, per_day: int, steps: list[tuple[object, ...]]
) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        _live(session, Caps(per_day, 3), steps)


def _live(session: Session, caps: Caps, steps: list[tuple[object, ...]]) -> None:
    people = [born(session, START, user_id=f"u{number}") for number in range(PEOPLE)]
    gate, policy = OpenGate(), Policy(caps, LawfulHours(ZONE))
    flying: list[Ready] = []
    for step in steps:
        match step:
            case ("broadcast", str(purpose)):
                broadcast_to_all(session, Purpose(purpose), gate.now)
            case ("says", int(who), bool(yes), str(what)):
                word = {"granted": yes, "at": gate.now, "purpose": what, "channel": people[who].channel}
                consent.say(session, people[who].customer_id, **word)  # type: ignore[arg-type]
            case ("passes", int(hours)):
                gate.now += timedelta(hours=hours)
            case ("ends", str(how)) if flying:
                _end(session, flying.pop(0), how, gate.now)
            case ("turn",):
                taken = recipients.take(session, gate, policy, None, gate.now, 10)
                recipients.write(session, taken, "worker", gate.now + timedelta(seconds=20), gate.now)
                for each in taken.ready:
                    _check_yes(session, each)
                    flying.append(each)
                _check_caps(session, caps, gate.now)


def broadcast_to_all(session: Session, purpose: Purpose, now: datetime) -> None:
    """One to everybody that is being sent."""
    found = broadcasts.draft(session, "x", purpose, Content("Chào bạn"), "tatca", "cli", now)
    broadcasts.tested(session, found, now)
    broadcasts.schedule(session, found, now, "cli", now)
    sending.begin(session, found, now, size=2)


def _end(session: Session, ready: Ready, how: str, now: datetime) -> None:
    match how:
        case "sent":
            rows.sent(session.connection(), [rows.Went(ready.outbox_id, now)])
        case "failed":
            rows.fail(session, ready.outbox_id, "-230")
        case "unknown":
            rows.in_doubt(session, [ready.outbox_id])
        case "back":
            rows.back(session, ready.outbox_id, now, "429", counted=True)
    session.connection().execute(text("UPDATE outbox SET state = 'sent' WHERE id = :id"), {"id": ready.outbox_id})


def _check_yes(session: Session, ready: Ready) -> None:
    """Whoever is written to said yes last, as the entries tell by themselves."""
    person, purpose = ready.recipient.customer_id, ready.recipient.purpose
    entries = [each for each in consent.entries(session, person) if each.covers in ("", ready.place.channel)]
    care = [each for each in entries if each.purpose == "care"]
    about = care if purpose == "care" and care else [each for each in entries if each.purpose == "marketing"]
    latest = max(each.at for each in about)
    assert all(each.granted for each in about if each.at == latest)


def _check_caps(session: Session, caps: Caps, now: datetime) -> None:
    """Of what anybody may have got, no more than the cap lies in any day or week that ends now."""
    query = text("SELECT customer_id, sent_at FROM recipient WHERE sent_at IS NOT NULL")
    found = session.connection().execute(query)
    when = [(row[0], datetime.fromisoformat(row[1]).replace(tzinfo=now.tzinfo)) for row in found]
    for most, span in ((caps.per_day, timedelta(days=1)), (caps.per_week, timedelta(days=7))):
        counted = Counter(customer for customer, at in when if at > now - span)
        assert all(count <= most for count in counted.values()), counted


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_is_being_joined_to_somebody_else_is_not_taken_meanwhile(database_url: str) -> None:
    engine = engines.writer(database_url, "OFF")
    gate, policy = OpenGate(), Policy(Caps(0, 0), LawfulHours(ZONE))

    def taken(session: Session) -> list[int]:
        return [each.recipient.customer_id for each in recipients.take(session, gate, policy, None, START, 10).ready]

    with Session(engine) as session:
        guest, lan = (born(session, START, user_id=name).customer_id for name in ("guest", "lan"))
        for each in (guest, lan):
            consent.say(session, each, granted=True, at=START)
        broadcast_to_all(session, Purpose.BROADCAST, START)
        session.commit()
    with Session(engine) as joins, Session(engine) as sends:
        rows.carry_over(joins, guest, lan)
        assert taken(sends) == [lan]
        sends.rollback()
        joins.commit()
        assert taken(sends) == [lan]
    engine.dispose()


@pytest.mark.parametrize(("held", "expected"), [(timedelta(seconds=10), 0), (timedelta(days=14), 1)])
def test_what_waits_for_long_is_in_nobodys_way_and_what_goes_soon_goes_first(
    sqlite_engine: Engine, held: timedelta, expected: int
) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        lan = born(session, START)
        consent.say(session, lan.customer_id, granted=True, at=START)
        row = outbox.row(lan, 1, Message("Đơn đã tới").dumps(), Purpose.TRANSACTION, START)
        queue.add_many(session.connection(), [row | {"ready_at": START + held}])
        broadcast_to_all(session, Purpose.BROADCAST, START)
        taken = recipients.take(session, OpenGate(), Policy(Caps(0, 0), LawfulHours(ZONE)), None, START, 10)
        assert len(taken.ready) == expected
        assert len(taken.waits) == 1 - expected


def test_what_ran_to_its_end_is_not_asked_again_turn_by_turn(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        born(session, START)
        gate, policy = OpenGate(), Policy(Caps(0, 0), LawfulHours(ZONE))
        for _ in range(3):
            broadcast_to_all(session, Purpose.BROADCAST, START)
        assert len(store.running(session, START)) == 3
        assert store.running(session, START - timedelta(seconds=1)) == []
        taken = recipients.take(session, gate, policy, None, START, 10)
        recipients.write(session, taken, "worker", START + timedelta(seconds=20), START)
        assert store.running(session, START) == []


@dataclass
class Broke(OpenGate):
    """One of the two channels costs more than there is for a week."""

    def held(self, place: Place, purpose: Purpose, option: Option) -> Held | None:
        """Nothing goes on Zalo."""
        return Held(Pause.BUDGET, self.now + WEEK, stops=True) if place.channel == "zalo" else None


def test_those_go_on_who_go_another_way_and_a_broadcast_rests_when_nobody_is_left_who_does(
    sqlite_engine: Engine,
) -> None:
    policy = Policy(Caps(0, 0), LawfulHours(ZONE))
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        for channel in ("zalo", "zalo", "messenger"):
            person = born(session, START, channel=channel, user_id=f"{channel}{new_id()}")
            consent.say(session, person.customer_id, granted=True, at=START)
        broadcast_to_all(session, Purpose.BROADCAST, START)
        number, went = store.latest(session)[0].id, []
        for _ in range(3):
            broadcast_clock.tend(session, START, policy)
            assert broadcasts.get(session, number).state == "running"
            taken = recipients.take(session, Broke(), policy, None, START, 1)
            recipients.write(session, taken, "worker", START, START)
            went += taken.ready
        assert [each.place.channel for each in went] == ["messenger"]
        broadcast_clock.tend(session, START, policy)
        assert broadcasts.get(session, number).state == "running", "one is on the way, and may come back"
        _end(session, went[0], "sent", START)
        broadcast_clock.tend(session, START, policy)
        found = broadcasts.get(session, number)
        assert (found.state, found.pause_reason, found.resumes_at) == ("paused", Pause.BUDGET, START + WEEK)


@pytest.mark.parametrize(("away", "expected"), [(timedelta(hours=2), 1), (timedelta(hours=4), 0)])
def test_nothing_of_what_ran_goes_out_after_long_rest_before_the_clock_has_looked(
    sqlite_engine: Engine, away: timedelta, expected: int
) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        lan = born(session, START)
        consent.say(session, lan.customer_id, granted=True, at=START)
        broadcast_to_all(session, Purpose.BROADCAST, START)
        marks.done(session, broadcast_clock.TICK, START)
        now, policy = START + away, Policy(Caps(0, 0), LawfulHours(ZONE), late=timedelta(hours=3))
        taken = recipients.take(session, OpenGate(now), policy, None, now, 10)
        assert len(taken.ready) == expected
        broadcast_clock.tend(session, now, policy)
        (found,) = store.latest(session)
        assert (found.state, found.pause_reason) == (("running", "") if expected else ("paused", "late"))


@pytest.mark.parametrize("reason", [Pause.STAFF, Pause.ERRORS])
def test_what_rests_until_the_morning_and_is_stopped_by_a_person_or_by_errors_does_not_go_on_by_itself(
    sqlite_engine: Engine, reason: Pause
) -> None:
    with sqlite_engine.connect() as connection, Session(bind=connection) as session:
        connection.begin()
        born(session, START)
        broadcast_to_all(session, Purpose.BROADCAST, START)
        found, morning = store.latest(session)[0].id, START + timedelta(hours=9)
        assert broadcasts.pause(session, found, Pause.HOURS, broadcasts.SYSTEM, START, until=morning)
        assert not broadcasts.pause(session, found, Pause.QUOTA, broadcasts.SYSTEM, START, until=morning)
        if reason is Pause.STAFF:
            broadcasts.rest(session, found, "cli", START)
        else:
            assert broadcasts.pause(session, found, reason, "cli", START)
        assert not broadcasts.pause(session, found, reason, "cli", START)
        broadcast_clock.tend(session, morning, Policy(Caps(0, 0), LawfulHours(ZONE)))
        assert (broadcasts.get(session, found).state, broadcasts.get(session, found).pause_reason) == ("paused", reason)
