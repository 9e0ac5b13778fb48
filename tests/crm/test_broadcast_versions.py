"""The version of a broadcast: another one whenever something else would go out, to others, or at another time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session

from crm import broadcast_versions, broadcasts, saved_segments
from crm.broadcasts import NeedsSecond
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Purpose
from tests.crm import sending
from tests.crm.people import born
from tests.crm.shops import AT, NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def number(session: Session) -> int:
    """Mai's broadcast to a saved segment within another, tested."""
    born(session, NOW)
    saved_segments.save(session, "moi", "tao<30ngay", AT, "cli")
    saved_segments.save(session, "tet", "nhom:moi va tatca", AT, "cli")
    number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content("Chào"), "nhom:tet", "cli:Mai", NOW)
    broadcasts.tested(session, number, NOW)
    return number


def version(session: Session, number: int) -> str:
    """What stands there."""
    return broadcast_versions.version(session, broadcasts.get(session, number))


CHANGES: list[Callable[[Session, int], object]] = [
    lambda session, number: broadcasts.edit(session, number, "cli:Mai", NOW, content=Content("Chào, giảm 90%")),
    lambda session, number: broadcasts.edit(session, number, "cli:Mai", NOW, segment="tatca"),
    lambda session, number: broadcasts.schedule(session, number, NOW + HOUR, "cli:Mai", NOW),
    lambda session, number: saved_segments.save(session, "moi", "tao<90ngay", AT, "cli"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_seen_is_approved_and_what_was_changed_since_is_not(
    session: Session, number: int, change: Callable[[Session, int], object]
) -> None:
    seen = version(session, number)
    assert version(session, number) == seen
    change(session, number)
    with pytest.raises(Conflict, match=f"version {version(session, number)} now") as refused:
        broadcasts.approve(session, number, "cli:Hoa", NOW, seen)
    assert refused.value.field == "version"
    broadcasts.approve(session, number, "cli:Hoa", NOW, version(session, number))
    assert broadcasts.get(session, number).approved_by == "cli:Hoa"


def test_a_word_that_was_about_something_else_does_not_let_it_go_out(session: Session, number: int) -> None:
    seen = broadcast_versions.seen(version(session, number), 1)
    broadcasts.approve(session, number, "cli:Hoa", NOW, seen, 1)
    for people in (1, 11):
        broadcasts.schedule(session, number, NOW, "cli:Mai", NOW, people=people, alone=1)
    with pytest.raises(NeedsSecond):
        broadcasts.schedule(session, number, NOW, "cli:Mai", NOW, people=12, alone=1)
    saved_segments.save(session, "moi", "tao<90ngay", AT, "cli")
    with pytest.raises(NeedsSecond):
        broadcasts.schedule(session, number, NOW, "cli:Mai", NOW, people=2, alone=1)


@pytest.mark.parametrize(("comes", "state"), [(11, "running"), (12, "paused")])
def test_an_audience_that_grew_beyond_what_was_approved_waits_for_a_second_person_again(
    session: Session, number: int, comes: int, state: str
) -> None:
    broadcasts.approve(session, number, "cli:Hoa", NOW, broadcast_versions.seen(version(session, number), 1), 1)
    broadcasts.schedule(session, number, NOW, "cli:Mai", NOW, people=1, alone=1)
    for each in range(comes - 1):
        born(session, NOW, user_id=f"k{each}")
    sending.begin(session, number, NOW, AT, alone=1)
    found = broadcasts.get(session, number)
    assert (found.state, found.audience) == (state, comes)
    if state == "paused":
        with pytest.raises(Conflict, match="second person"):
            broadcasts.resume(session, number, "cli:Mai", NOW)
        broadcasts.approve(session, number, "cli:Hoa", NOW, version(session, number))
        assert broadcasts.get(session, number).state == "running"


def test_an_audience_that_is_written_down_is_a_version_of_its_own(session: Session, number: int) -> None:
    broadcasts.schedule(session, number, NOW, "cli:Mai", NOW)
    seen = version(session, number)
    sending.begin(session, number, NOW, AT)
    assert version(session, number) != seen


@pytest.mark.parametrize(
    ("before", "now", "is_seen"), [(100, 110, True), (100, 111, False), (5, 15, True), (5, 1, True)]
)
def test_a_few_people_more_are_still_what_was_seen(
    session: Session, number: int, before: int, now: int, *, is_seen: bool
) -> None:
    seen = broadcast_versions.seen(version(session, number), before)
    if is_seen:
        broadcasts.approve(session, number, "cli:Hoa", NOW, seen, now)
        return
    with pytest.raises(Conflict, match="111 people now"):
        broadcasts.approve(session, number, "cli:Hoa", NOW, seen, now)
