"""Short numbers: stable while they are shown, one meaning each, and the oldest makes room."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import numbers, staff
from crm.staff import Role
from tests.conftest import Clock


def test_a_thing_keeps_its_number_and_a_new_one_gets_the_next(session: Session, clock: Clock) -> None:
    who = staff.add(session, "Minh", Role.AGENT, clock()).id
    assert numbers.bind(session, who, "cli", "conversation", [10, 20], clock()) == [1, 2]
    clock.pass_by(minutes=1)
    assert numbers.bind(session, who, "cli", "conversation", [30, 10], clock()) == [3, 1]
    assert numbers.bind(session, who, "other", "conversation", [30], clock()) == [1]
    meant = numbers.meaning(session, who, "cli", 3, clock())
    assert meant is not None and (meant.kind, meant.target_id) == ("conversation", 30)
    clock.pass_by(hours=24)
    assert numbers.meaning(session, who, "cli", 3, clock()) is None


def test_where_all_are_taken_the_one_shown_longest_ago_changes_its_meaning(session: Session, clock: Clock) -> None:
    who = staff.add(session, "Minh", Role.AGENT, clock()).id
    numbers.bind(session, who, "cli", "conversation", [1000], clock())
    clock.pass_by(minutes=1)
    numbers.bind(session, who, "cli", "conversation", list(range(1, 99)), clock())
    clock.pass_by(minutes=1)
    assert numbers.bind(session, who, "cli", "conversation", [2000], clock()) == [1]


@pytest.mark.parametrize("session", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.lists(st.lists(st.integers(1, 150), unique=True, max_size=12), max_size=12))
def test_a_number_always_means_what_it_was_last_shown_for(
    session: Session, clock: Clock, shown: list[list[int]]
) -> None:
    who = staff.add(session, f"Minh {clock.pass_by(seconds=1)}", Role.AGENT, clock()).id
    last: dict[int, int] = {}
    for targets in shown:
        clock.pass_by(seconds=1)
        bound = numbers.bind(session, who, "cli", "conversation", targets, clock())
        assert len(set(bound)) == len(targets) and all(1 <= each <= 99 for each in bound)
        last.update(zip(bound, targets, strict=True))
    for number, target in last.items():
        meant = numbers.meaning(session, who, "cli", number, clock())
        assert meant is not None and meant.target_id == target
