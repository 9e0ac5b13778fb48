"""When a customer may be asked how content they were: a pure decision, tried over all times and windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crm import ratings
from crm.ratings import DELAY, MARGIN, Reason
from crm.reach import Reach, Refusal

CLOSED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SPANS = st.integers(0, 60 * 50).map(lambda minutes: timedelta(minutes=minutes))


def test_a_window_that_closes_before_the_delay_is_used_while_it_is_open() -> None:
    window = Reach(lane="reply", until=CLOSED + timedelta(minutes=25))
    assert ratings.next_step(CLOSED, window, False, CLOSED).look_at == CLOSED + timedelta(minutes=15)
    assert ratings.next_step(CLOSED, window, False, CLOSED + timedelta(minutes=15)).asks


def test_a_window_that_costs_or_is_closed_is_not_used() -> None:
    for window in (Reach(lane="paid", cost=55), Reach(refusal=Refusal.NEVER_WROTE)):
        assert ratings.next_step(CLOSED, window, False, CLOSED).reason is Reason.WINDOW_CLOSED


@settings(max_examples=100)
@given(SPANS, SPANS, st.booleans())
def test_the_question_comes_inside_the_window_after_the_delay_and_never_beside_other_talk(
    passed: timedelta, left: timedelta, is_busy: bool
) -> None:
    now, until = CLOSED + passed, CLOSED + passed + left
    step = ratings.next_step(CLOSED, Reach(lane="reply", until=until), is_busy, now)
    assert [step.asks, step.look_at is not None, step.reason is not None].count(True) == 1
    if step.asks:
        assert not is_busy
        assert passed >= DELAY or left <= MARGIN
    if step.look_at is not None:
        assert now < step.look_at <= max(until - MARGIN, now)
    if step.reason is not None:
        assert is_busy and (left <= MARGIN or passed >= ratings.GIVES_UP_AFTER)
