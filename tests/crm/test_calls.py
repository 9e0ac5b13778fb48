"""The ladder of who is told that a customer waits: its steps in working time, what is lost, and when the bot offers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crm import calls, hours
from crm.calls import Ladder, Step
from storage.calls import CallRow
from tests.crm.people import POLICY

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ALWAYS = POLICY.calendar
WITH_LUNCH = hours.calendar_of("8h–12h, 13h–17h mỗi ngày", (False, ()), ZONE)
TEN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""Ten o'clock of a Monday in the shop."""
MINUTE = timedelta(minutes=1)
USUAL = Ladder()


def waits(step: Step, called_at: datetime = TEN, told_at: datetime | None = None, **more: datetime | None) -> CallRow:
    """A customer who waits since ten, of whom somebody was told first at `called_at`."""
    told = told_at or called_at
    row = CallRow(
        1, 1, "Lan", "zalo", "staff", "asked", TEN, None, 7, int(step), called_at, told, told, None, "asked", False
    )
    return row._replace(**more)


def steps(is_lost: bool = False, ladder: Ladder = USUAL) -> list[tuple[Step, int]]:
    """What is done for who waits, minute by minute, for two hours; after how many minutes each."""
    row, found = waits(Step.OWNER), []
    for minute in range(121):
        now = TEN + minute * MINUTE
        step = calls.next_step(row, now, is_lost, ladder, ALWAYS)
        if step is not None:
            found.append((step, minute))
            row = row._replace(step=int(step), told_at=now)
    return found


def test_owner_team_leads_and_bot_in_their_minutes_and_then_every_half_hour() -> None:
    assert steps() == [
        (Step.AGAIN, 3), (Step.TEAM, 6), (Step.LEAD, 10), (Step.OFFERED, 15),
        (Step.REPEATED, 45), (Step.REPEATED, 75), (Step.REPEATED, 105),
    ]  # fmt: skip


def test_without_an_offer_leads_are_told_again() -> None:
    ladder = calls.read_ladder("1/2/5")
    assert steps(ladder=ladder)[:4] == [(Step.AGAIN, 1), (Step.TEAM, 2), (Step.LEAD, 5), (Step.REPEATED, 35)]


def test_what_got_through_to_nobody_is_told_to_all_at_once_and_then_to_leads() -> None:
    assert steps(is_lost=True)[:3] == [(Step.TEAM, 0), (Step.LEAD, 1), (Step.OFFERED, 15)]


def test_nobody_looked_for_long_and_no_step_is_left_out_but_the_owners_second_notice() -> None:
    late = TEN + timedelta(hours=1)
    row, found = waits(Step.OWNER), []
    while len(found) < 3:
        step = calls.next_step(row, late, False, USUAL, ALWAYS)
        assert step is not None
        found.append(step)
        row = row._replace(step=int(step), told_at=late)
    assert found == [Step.TEAM, Step.LEAD, Step.OFFERED]
    assert calls.next_step(row, late, False, USUAL, ALWAYS) is None


def test_the_lunch_break_does_not_count() -> None:
    row = waits(Step.OWNER, TEN + timedelta(minutes=118))
    afternoon = TEN + timedelta(hours=3)
    assert calls.next_step(row, afternoon, False, USUAL, WITH_LUNCH) is None
    assert calls.next_step(row, afternoon + MINUTE, False, USUAL, WITH_LUNCH) is Step.AGAIN
    assert calls.looks_next(row, row.told_at or TEN, False, USUAL, WITH_LUNCH) == afternoon + MINUTE


def test_it_is_looked_again_at_the_next_step_and_soon_where_it_is_not_known_what_got_through() -> None:
    row = waits(Step.OWNER)
    assert calls.looks_next(row, TEN, False, USUAL, ALWAYS) == TEN + 3 * MINUTE
    assert calls.looks_next(row, TEN, True, USUAL, ALWAYS) == TEN + calls.CONFIRMED_WITHIN
    last = waits(Step.REPEATED, told_at=TEN + 45 * MINUTE)
    assert calls.looks_next(last, TEN + 50 * MINUTE, False, USUAL, ALWAYS) == TEN + 75 * MINUTE


@given(step=some.sampled_from([step for step in Step if step]), minutes=some.integers(0, 600), lost=some.booleans())
def test_a_step_never_goes_back_and_looking_at_the_time_told_finds_something_to_do(
    step: Step, minutes: int, lost: bool
) -> None:
    row, now = waits(step), TEN + minutes * MINUTE
    following = calls.next_step(row, now, lost, USUAL, WITH_LUNCH)
    assert following is None or following > step or step >= Step.OFFERED
    if following is None:
        look = calls.looks_next(row, now, False, USUAL, WITH_LUNCH)
        assert look > now
        assert calls.next_step(row, look, False, USUAL, WITH_LUNCH) is not None


@pytest.mark.parametrize(
    ("spoke", "offered", "may"),
    [
        (None, None, True),
        (-4, None, False),
        (-5, None, True),
        (None, -60, False),
        (-30, -60, True),
        (-60, -30, False),
    ],
)
def test_the_bot_offers_help_once_and_not_where_staff_wrote_a_moment_ago(
    spoke: int | None, offered: int | None, may: bool
) -> None:
    times = {
        "last_staff_at": None if spoke is None else TEN + spoke * MINUTE,
        "offered_at": None if offered is None else TEN + offered * MINUTE,
    }
    assert calls.may_offer(waits(Step.LEAD, **times), TEN) is may


@pytest.mark.parametrize("text", ["", "3", "3/6", "3/6/10/15/20", "6/3/10", "0/1/2", "3/3/6", "a/b/c", "3m/6m/10m"])
def test_a_ladder_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"each must be later|is not understood"):
        calls.read_ladder(text)


def test_a_ladder_is_read_in_minutes() -> None:
    assert calls.read_ladder("3/6/10/15") == USUAL
    assert calls.read_ladder("1/2/3") == Ladder(MINUTE, 2 * MINUTE, 3 * MINUTE, None)
