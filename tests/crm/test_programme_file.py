"""The file of a programme: what fits is read as it says, what does not is named by its place; nothing raises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import customers, ledger, programme_file, programmes, sample_shop
from crm.errors import Invalid
from crm.ledger import FOREVER, Fact
from crm.programme import DEFAULT, End, Points, Programme, months_later
from tests.conftest import Clock
from tests.crm import programme
from tests.crm.programme import FULL, PLAIN, ZONE

TODAY = date(2026, 11, 23)


def places(text: str, *, warnings: bool = False) -> list[str]:
    """Where a file is at fault, or where it is warned of."""
    draft = programme_file.read(text, ZONE, TODAY)
    return [problem.place for problem in draft.problems if problem.is_warning is warnings]


def test_the_sample_and_the_tests_own_programmes_fit_without_a_warning() -> None:
    for text in (sample_shop.PROGRAMME.read_text("utf-8"), FULL, PLAIN):
        draft = programme_file.read(text, ZONE, TODAY)
        assert draft.fits and draft.problems == ()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("per = 10000", "per = 0"), "rule.0"),
        (("points = 1\n", "points = 0\n"), "rule.0.points"),
        (("points = 1\n", "points = 1.5\n"), "rule.0.points"),
        (("points = 1\n", "points = -1\n"), "rule.0.points"),
        (("points = 1\n", "points = 10000000000000\n"), "rule.0.points"),
        (("per = 10000", "per = true"), "rule.0.per"),
        (("points = 1\n", "points = 1\neach = 5\n"), "rule.0"),
        (('id = "beans"', 'id = "base"'), "rule.1.id"),
        (('id = "base"', 'id = "Base Rule"'), "rule.0.id"),
        (('tiers = ["gold"]', 'tiers = ["platinum"]'), "rule.2.tiers"),
        (('tiers = ["gold"]', 'tiers = "gold"'), "rule.2.tiers"),
        (("percent = 50", "percent = 50\nproducts = ['x']"), "rule.2.percent"),
        (("each = 5", "each = 5\nsince = 2026-12-02\nuntil = 2026-12-01"), "rule.1.until"),
        (("each = 5", "each = 5\nsince = 'today'"), "rule.1.since"),
        (("each = 5", "each = 5\nweekdays = [0]"), "rule.1.weekdays"),
        (("each = 5", "each = 5\ncurrency = 'qualify'"), "rule.1.currency"),
        (("each = 5", "each = 5\nprodukts = ['x']"), "rule.1.produkts"),
        (("wait_days = 7", "wait_days = 366"), "points.wait_days"),
        (('"confirmed"', '"cancelled"'), "points.shown_from"),
        (('= "month"', '= "week"'), "points.expire_at_end_of"),
        (("at = 2000000", "at = 6000000"), "tier.2.at"),
        (("at = 0", "at = 5"), "tier.0.at"),
        (('code = "silver"', 'code = "member"'), "tier.1.code"),
        (('"calendar_year"', '"fortnight"'), "tiers.window"),
        (('event = "first_order"', 'event = "wedding"'), "event.0.event"),
        (("points = 20", "points = 20\noften = 'year'"), "event.0.often"),
        (("[points]", "[point]"), "point"),
        (('name = "Khách quen Mây Trưa"', "from = 2026-12-01"), "from"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: tuple[str, str], place: str) -> None:
    assert change[0] in FULL
    assert place in places(FULL.replace(*change, 1))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("approve_above = 500", ""), "points.approve_above"),
        (("each = 5", "each = 5\nuntil = 2026-11-22"), "rule.1.until"),
        (("expire_months = 12", "expire_months = 1"), "points.give_back_days"),
    ],
)
def test_what_is_odd_is_warned_of_and_loads_all_the_same(change: tuple[str, str], place: str) -> None:
    text = FULL.replace(*change, 1)
    assert place in places(text, warnings=True) and programme_file.read(text, ZONE, TODAY).fits


@given(st.text(max_size=300) | st.text(alphabet='abc=[]\n"12.,-{}', max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_file_breaks_the_reader(text: str) -> None:
    programme_file.read(text, ZONE, TODAY)
    programme_file.read(f"[points]\n{text}", ZONE, TODAY)
    programme_file.read(f"[[rule]]\n{text}", ZONE, TODAY)


def test_before_the_first_version_a_point_is_earned_for_every_ten_thousand(session: Session, clock: Clock) -> None:
    assert programmes.at(session, clock()) == DEFAULT
    programme.load(session, PLAIN, clock())
    assert programmes.at(session, clock() - timedelta(seconds=1)) == DEFAULT
    assert programmes.at(session, clock()).name == "Khách quen"


def test_a_version_may_begin_later_and_the_same_file_is_one_version(session: Session, clock: Clock) -> None:
    first = programme.load(session, PLAIN, clock())
    clock.pass_by(hours=1)
    assert programme.load(session, PLAIN, clock()) == first
    later = f"from = 2026-12-01T00:00:00+07:00\n{FULL}"
    second = programme.load(session, later, clock())
    assert second != first and programme.load(session, later, clock()) == second
    assert programmes.at(session, clock()).version == first
    assert programmes.at(session, datetime(2026, 11, 30, 17, tzinfo=UTC)).version == second


def test_the_past_is_not_rewritten_once_something_was_earned(session: Session, clock: Clock) -> None:
    past = f"from = 2026-01-01T00:00:00+07:00\n{PLAIN}"
    assert programme.load(session, past, clock())
    ledger.earn(session, customers.known(session, "C1", clock()), 1, Fact(key="a", now=clock()))
    with pytest.raises(Invalid) as refused:
        programme.load(session, f"from = 2026-02-01T00:00:00+07:00\n{FULL}", clock())
    assert refused.value.field == "from"


def test_a_file_that_does_not_fit_is_refused_with_its_place(session: Session, clock: Clock) -> None:
    with pytest.raises(Invalid) as refused:
        programme.load(session, FULL.replace("per = 10000", "per = -5"), clock())
    assert refused.value.field == "rule.0.per" and programmes.versions(session) == []


@pytest.mark.parametrize(
    ("end", "local"), [(End.DAY, "2027-03-01"), (End.MONTH, "2027-03-01"), (End.YEAR, "2028-01-01")]
)
def test_points_expire_when_a_day_is_over_in_the_brands_zone(end: End, local: str) -> None:
    rules = Programme(points=Points(expire_months=3, expire_at_end_of=end))
    expires = rules.expires_at(datetime(2026, 11, 30, 5, tzinfo=UTC))
    assert expires.astimezone(ZONE).isoformat() == f"{local}T00:00:00+07:00"
    assert Programme().expires_at(datetime(2026, 11, 30, tzinfo=UTC)) == FOREVER


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(-60, 120))
@settings(max_examples=100, deadline=None)
def test_months_later_is_the_same_day_or_the_months_last(day: date, months: int) -> None:
    found = months_later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)
