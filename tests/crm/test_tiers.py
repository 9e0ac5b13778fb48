"""Tiers: raised at once, lowered only at a review, and what is said to be missing is what the review looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, ledger, membership, orders, refunds, tiers
from crm.ledger import FOREVER
from crm.membership import CORRECTED, KEPT, LOWERED, REACHED
from crm.orders import News, Status
from crm.programme import Downgrade, Tier, Tiers, Window
from crm.refunds import Refund
from crm.tiers import Position
from storage import members
from storage.columns import NEVER
from tests.conftest import Clock
from tests.crm import programme
from tests.crm.programme import ZONE

DAY = timedelta(days=1)
LEVELS = (
    Tier("member", "Thành viên", "Member", 0),
    Tier("silver", "Bạc", "Silver", 2),
    Tier("gold", "Vàng", "Gold", 5),
)


def buy(session: Session, clock: Clock, name: str, total: int) -> int:
    """An order that is delivered now; its customer."""
    news = News(
        source="pos", external_id=name, customer="C1", status=Status.DELIVERED, total=total, version=1,
        placed_at=clock(), changed_at=clock(), code=name,
    )  # fmt: skip
    orders.put(session, news, clock())
    return customers.known(session, "C1", clock())


def tier(session: Session, customer: int) -> str:
    """The tier that a member is in."""
    found = members.member(session, customer)
    assert found is not None
    return found.tier


def review(session: Session, now: datetime) -> None:
    """All reviews that are due."""
    assert membership.review(session, (NEVER, 0), 500, now) is None


def local(text: str) -> datetime:
    """A moment in the brand's time zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def test_a_tier_is_reached_at_once_and_said_to_the_dong(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 3_800_000)
    found = membership.standing(session, customer, clock())
    assert (found.tier and found.tier.code, found.next and found.next.code) == ("silver", "gold")
    assert (found.total, found.missing_to_next, found.next_by) == (3_800_000, 1_200_000, local("2027-01-01"))
    buy(session, clock, "A2", 1_199_999)
    assert membership.standing(session, customer, clock()).missing_to_next == 1
    buy(session, clock, "A3", 1)
    found = membership.standing(session, customer, clock())
    assert (found.tier and found.tier.code, found.next, found.missing_to_keep) == ("gold", None, 0)
    assert [(each.before, each.after, each.why) for each in membership.history(session, customer)] == [
        ("silver", "gold", REACHED), ("", "silver", REACHED),
    ]  # fmt: skip


def test_a_tier_that_was_everybodys_and_is_so_no_more_is_kept_until_another_is_reached(clock: Clock) -> None:
    was_lowest = Position(clock(), "silver", clock(), clock(), FOREVER)
    found = tiers.standing(Tiers(levels=LEVELS), ZONE, was_lowest, 0, 0, clock())
    assert (found.tier, found.missing_to_keep, found.keep_by) == (LEVELS[1], 0, None)


def test_a_tier_is_kept_for_the_year_and_lost_one_by_one_after_its_grace(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 5_000_000)
    clock.now = local("2027-01-11")
    review(session, clock())
    assert membership.history(session, customer, 1)[0].why == KEPT
    clock.now = local("2027-06-01")
    buy(session, clock, "A2", 3_800_000)
    found = membership.standing(session, customer, clock())
    assert (found.missing_to_keep, found.keep_by) == (1_200_000, local("2028-01-01"))
    clock.now = local("2028-01-10T23:59:59")
    review(session, clock())
    assert tier(session, customer) == "gold", "the grace is not over"
    clock.now = local("2028-01-11")
    review(session, clock())
    assert membership.history(session, customer, 1)[0].after == "silver"
    assert membership.history(session, customer, 1)[0].why == LOWERED


def test_what_is_bought_within_the_grace_still_keeps_the_tier(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 5_000_000)
    clock.now = local("2027-01-11")
    review(session, clock())
    clock.now = local("2028-01-05")
    assert membership.standing(session, customer, clock()).keep_by == local("2028-01-11")
    buy(session, clock, "A2", 5_000_000)
    clock.now = local("2028-01-11")
    review(session, clock())
    assert membership.history(session, customer, 1)[0].why == KEPT


def test_a_service_that_slept_for_years_reviews_year_by_year(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 5_000_000)
    clock.now = local("2030-06-01")
    for _ in range(4):
        review(session, clock())
    assert [each.after for each in membership.history(session, customer)] == [
        "member", "silver", "gold", "gold",
    ]  # fmt: skip
    member = members.member(session, customer)
    assert member is not None and member.review_at == FOREVER


def test_a_tier_that_only_a_refunded_order_reached_was_never_earned(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 2_000_000)
    before = members.member(session, customer)
    clock.pass_by(days=1)
    buy(session, clock, "A2", 4_000_000)
    refunds.put(session, "pos", "A2", "R1", Refund(refunded_at=clock(), amount=1_000_000), clock())
    assert tier(session, customer) == "gold", "5 million are left"
    refunds.put(session, "pos", "A2", "R2", Refund(refunded_at=clock(), amount=3_000_000), clock())
    assert members.member(session, customer) == before
    assert membership.history(session, customer, 1)[0].why == CORRECTED


def test_a_new_programme_places_those_who_bought_before_it(session: Session, clock: Clock) -> None:
    customer = buy(session, clock, "A1", 5_000_000)
    assert membership.standing(session, customer, clock()).tier is None
    clock.pass_by(days=1)
    programme.load(session, programme.FULL, clock())
    assert membership.place(session, 0, 500, clock()) is None
    assert tier(session, customer) == "gold"


def test_the_tier_of_the_day_decides_what_an_order_earns(session: Session, clock: Clock) -> None:
    programme.load(session, programme.FULL, clock())
    customer = buy(session, clock, "A1", 5_000_000)
    clock.pass_by(days=1)
    buy(session, clock, "A2", 100_000)
    assert ledger.holding(session, customer).balance == 500 + 20 + 10 + 5


@pytest.mark.parametrize(
    ("window", "joined", "at", "span"),
    [
        (Window.CALENDAR_YEAR, "2026-05-05", "2026-12-31T23:59:59", ("2026-01-01", "2027-01-01")),
        (Window.ANNIVERSARY, "2024-02-29", "2026-02-28", ("2026-02-28", "2027-02-28")),
        (Window.ANNIVERSARY, "2024-02-29", "2028-02-28", ("2027-02-28", "2028-02-29")),
        (Window.ANNIVERSARY, "2026-05-05", "2026-05-04T12:00", ("2025-05-05", "2026-05-05")),
        (Window.ROLLING, "2026-05-05", "2026-05-31T12:00", ("2025-06-01", "9999-12-31")),
    ],
)
def test_windows_begin_and_end_at_midnight_of_the_brand(
    window: Window, joined: str, at: str, span: tuple[str, str]
) -> None:
    start, end = tiers.window(Tiers(levels=LEVELS, window=window), ZONE, local(joined), local(at))
    assert start == local(span[0])
    assert end == (FOREVER if span[1] == "9999-12-31" else local(span[1]))


@given(
    window=st.sampled_from(Window),
    downgrade=st.sampled_from(Downgrade),
    grace=st.integers(0, 40),
    level=st.integers(0, 2),
    kept=st.integers(0, 8),
    days=st.integers(0, 1500),
)
@settings(max_examples=100, deadline=None)
def test_a_tier_is_lowered_by_a_review_exactly_when_something_was_said_to_be_missing(
    window: Window, downgrade: Downgrade, grace: int, level: int, kept: int, days: int
) -> None:
    rules = Tiers(levels=LEVELS, window=window, downgrade=downgrade, grace_days=grace)
    joined = local("2024-02-29")
    start = tiers.placed(rules, ZONE, Position(joined, "", joined, joined, FOREVER), level, joined + days * DAY)
    if level == 0:
        assert start.review_at == FOREVER
        return
    assert start.window_from - DAY <= joined + days * DAY < start.review_at
    said = tiers.standing(rules, ZONE, start, kept, kept, start.review_at - timedelta(seconds=1))
    after = tiers.reviewed(rules, ZONE, start, kept)
    reached = tiers.level_of(rules, after.tier)
    assert (reached < level) == (said.missing_to_keep > 0)
    assert said.missing_to_keep == max(0, LEVELS[level].at - kept)
    assert reached >= min(level, tiers.earned_level(rules, kept))
    if downgrade is Downgrade.ONE_DOWN:
        assert reached >= level - 1
    assert after.review_at > start.review_at
