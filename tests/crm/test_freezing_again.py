"""An audience frozen in several goes, beside pauses and changes: whole, and of the segment that stands there."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from crm import broadcast_clock, broadcasts, freezing
from crm.broadcasts import Pause
from crm.content import Content
from crm.messages import Purpose
from crm.segments import AsOf
from tests.conftest import Clock
from tests.crm.people import born
from tests.crm.programme import ZONE
from tests.crm.sending import POLICY

PEOPLE = 3


def freezes(session: Session, clock: Clock) -> int:
    """A broadcast to all of so many customers, which begins to be frozen."""
    for number in range(PEOPLE):
        born(session, clock(), user_id=f"k{number}")
    found = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào"), "tatca", "cli", clock())
    broadcasts.tested(session, found, clock())
    broadcasts.schedule(session, found, clock(), "cli", clock())
    assert broadcast_clock.start(session, found, clock(), POLICY)
    return found


def planned(session: Session, number: int, clock: Clock) -> freezing.Plan:
    """What freezes it now."""
    found = freezing.plan(session, number, AsOf(clock(), ZONE))
    assert found is not None
    return found


def meant(session: Session) -> int:
    """How many it is meant for so far."""
    return int(session.connection().execute(text("SELECT count(*) FROM recipient")).scalar_one())


def test_who_was_held_up_does_not_let_it_run_before_all_are_in_it(session: Session, clock: Clock) -> None:
    number = freezes(session, clock)
    plan = planned(session, number, clock)
    freezing.step(session, number, plan, 1)
    assert broadcasts.pause(session, number, Pause.UNFROZEN, broadcasts.SYSTEM, clock())
    assert freezing.step(session, number, plan, 1) is None
    broadcasts.resume(session, number, "cli", clock())
    broadcast_clock.frozen(session, number, "", clock(), POLICY, alone=0)
    assert broadcasts.get(session, number).state == "freezing", "one of three is in it"
    while freezing.step(session, number, plan, 1) is not None:
        pass
    clock.pass_by(minutes=1)
    born(session, clock(), user_id="later")
    broadcast_clock.frozen(session, number, "", clock(), POLICY, alone=0)
    assert (broadcasts.get(session, number).state, meant(session)) == ("running", PEOPLE)


def test_who_was_held_up_freezes_nobody_of_a_segment_that_was_changed_meanwhile(session: Session, clock: Clock) -> None:
    number = freezes(session, clock)
    old = planned(session, number, clock)
    broadcasts.pause(session, number, Pause.UNFROZEN, broadcasts.SYSTEM, clock())
    clock.pass_by(minutes=1)
    broadcasts.edit(session, number, "cli", clock(), segment="vip")
    broadcasts.tested(session, number, clock())
    broadcasts.schedule(session, number, clock(), "cli", clock())
    assert broadcast_clock.start(session, number, clock(), POLICY)
    assert freezing.step(session, number, old, 10) is None
    assert meant(session) == 0
    while freezing.step(session, number, planned(session, number, clock), 10) is not None:
        pass
    broadcast_clock.frozen(session, number, "", clock(), POLICY, alone=0)
    assert (broadcasts.get(session, number).state, meant(session)) == ("running", 0)
