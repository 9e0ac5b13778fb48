"""The ledger of points: whatever happens in whatever order, every sum agrees and every fact counts once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from crm import customers, ledger, posting, reservations
from crm import loyalty as cards
from crm.errors import Conflict, Invalid, NotFound
from crm.ledger import Fact, Frozen, Kind, NotEnough, Terms
from storage import ledger_check, lots, loyalty
from tests.conftest import Clock
from tests.crm.people import born

DAY = timedelta(days=1)


@pytest.fixture
def lan(session: Session, clock: Clock) -> int:
    """A customer of the POS."""
    return customers.known(session, "C1", clock())


def fact(clock: Clock, key: str, **more: object) -> Fact:
    """Something that happens now."""
    return Fact(key=key, now=clock(), **more)  # type: ignore[arg-type]


def give(session: Session, customer: int, points: int, clock: Clock, key: str, days: float | None = None) -> None:
    """Points that can be spent at once; they live so many days, or for good."""
    expires = ledger.FOREVER if days is None else clock() + days * DAY
    ledger.earn(session, customer, points, fact(clock, key), terms=Terms(expires_at=expires))


def remaining(session: Session, customer: int) -> list[int]:
    """What is left in the open lots, the soonest expiring first."""
    return [lot.remaining for lot in lots.open_lots(session, customer, "spend")]


def test_what_expires_soonest_is_spent_first_and_what_never_expires_last(
    session: Session, clock: Clock, lan: int
) -> None:
    for key, points, days in (("a", 10, None), ("b", 10, 30.0), ("c", 10, 5.0)):
        give(session, lan, points, clock, key, days)
    assert ledger.redeem(session, lan, 15, fact(clock, "gift")).spendable == 15
    assert remaining(session, lan) == [5, 10]
    assert ledger_check.faults(session) == []


def test_nobody_spends_more_than_they_have_and_a_refusal_changes_nothing(
    session: Session, clock: Clock, lan: int
) -> None:
    give(session, lan, 10, clock, "a")
    with pytest.raises(NotEnough, match="11 are needed, 10 can be spent") as refused:
        ledger.redeem(session, lan, 11, fact(clock, "gift"))
    assert (refused.value.status, refused.value.field) == (409, "points")
    assert (remaining(session, lan), len(loyalty.latest(session, lan, 9))) == ([10], 1)


def test_the_same_fact_again_returns_the_first_result(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a")
    first = ledger.redeem(session, lan, 4, fact(clock, "gift"))
    again = ledger.redeem(session, lan, 4, fact(clock, "gift"))
    assert (again.entry_id, again.points, again.spendable, again.repeated) == (first.entry_id, -4, 6, True)
    with pytest.raises(Conflict, match="used for something else"):
        ledger.redeem(session, lan, 5, fact(clock, "gift"))


@pytest.mark.parametrize("points", [0, -1, 1.5, True, ledger.MOST + 1, "5"])
def test_what_is_no_amount_is_refused_by_name(session: Session, clock: Clock, lan: int, points: object) -> None:
    for change in (ledger.earn, ledger.take_back, ledger.redeem):
        with pytest.raises(Invalid) as refused:
            change(session, lan, points, fact(clock, "x"))  # type: ignore[operator]
        assert refused.value.field == "points"
    assert loyalty.latest(session, lan, 9) == []


@pytest.mark.parametrize("currency", ["", "gold", "SPEND", "stamp:", "stamp:a b", "qualify"])
def test_what_is_no_currency_to_spend_is_refused_by_name(
    session: Session, clock: Clock, lan: int, currency: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ledger.redeem(session, lan, 1, fact(clock, "x"), currency)
    assert refused.value.field == "currency"


def test_points_that_wait_cannot_be_spent_before_their_time(session: Session, clock: Clock, lan: int) -> None:
    terms = Terms(available_at=clock() + 7 * DAY)
    ledger.earn(session, lan, 10, fact(clock, "a"), terms=terms)
    assert ledger.holding(session, lan) == (10, 10, 0, 0)
    with pytest.raises(NotEnough):
        ledger.redeem(session, lan, 1, fact(clock, "early"))
    clock.pass_by(days=7)
    assert ledger.redeem(session, lan, 1, fact(clock, "then")).spendable == 9
    assert [entry.kind for entry in loyalty.latest(session, lan, 9)] == [Kind.REDEEM, Kind.RELEASE, Kind.EARN]
    assert ledger_check.faults(session) == []


def test_expired_points_are_gone_from_the_very_moment_on(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a", 1)
    clock.pass_by(days=1)
    with pytest.raises(NotEnough):
        ledger.redeem(session, lan, 1, fact(clock, "late"))
    assert (ledger.holding(session, lan).balance, loyalty.latest(session, lan, 1)[0].kind) == (0, Kind.EXPIRE)


def test_a_spent_fact_taken_back_is_owed_and_repaid_by_what_comes(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a")
    ledger.redeem(session, lan, 8, fact(clock, "gift"))
    ledger.take_back(session, lan, 10, fact(clock, "refund"))
    assert ledger.holding(session, lan) == (-8, 0, 0, 8)
    give(session, lan, 5, clock, "b")
    assert ledger.holding(session, lan) == (-3, 0, 0, 3)
    ledger.earn(session, lan, 9, fact(clock, "c"), terms=Terms(available_at=clock() + DAY))
    assert ledger.holding(session, lan) == (6, 9, 0, 3), "what waits does not pay yet"
    clock.pass_by(days=1)
    assert ledger.redeem(session, lan, 6, fact(clock, "gift 2")).spendable == 0
    assert ledger_check.faults(session) == []


def test_an_undone_redemption_gives_back_the_very_lots_with_their_expiry(
    session: Session, clock: Clock, lan: int
) -> None:
    give(session, lan, 10, clock, "a", 40)
    give(session, lan, 10, clock, "b", 90)
    before = lots.open_lots(session, lan, "spend")
    spent = ledger.redeem(session, lan, 15, fact(clock, "gift"))
    clock.pass_by(days=5)
    soon = clock() + 30 * DAY
    assert ledger.reinstate(session, spent.entry_id, fact(clock, "back"), soon).spendable == 20
    assert lots.open_lots(session, lan, "spend") == before
    assert ledger.reinstate(session, spent.entry_id, fact(clock, "again"), soon).repeated
    assert ledger_check.faults(session) == []


def test_points_given_back_are_never_born_expired(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a", 40)
    spent = ledger.redeem(session, lan, 6, fact(clock, "gift"))
    clock.pass_by(days=39)
    ledger.reinstate(session, spent.entry_id, fact(clock, "back"), clock() + 30 * DAY)
    assert [(lot.remaining, lot.expires_at - clock()) for lot in lots.open_lots(session, lan, "spend")] == [
        (4, DAY), (6, 30 * DAY),
    ]  # fmt: skip
    assert ledger_check.faults(session) == []


def test_only_a_redemption_can_be_undone(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a")
    for entry_id in (loyalty.latest(session, lan, 1)[0].id, 12345):
        with pytest.raises(NotFound):
            ledger.reinstate(session, entry_id, fact(clock, "back"))


def test_reserved_points_are_nobodys_until_it_is_decided(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a", 1)
    held = reservations.reserve(session, lan, 7, fact(clock, "till:1"), clock() + 3 * DAY)
    assert reservations.reserve(session, lan, 7, fact(clock, "till:1"), clock() + 3 * DAY) == held
    with pytest.raises(NotEnough):
        ledger.redeem(session, lan, 4, fact(clock, "gift"))
    clock.pass_by(days=2)
    posting.caught_up(session, lan, "spend", clock())
    assert ledger.holding(session, lan) == (7, 0, 7, 0), "expiry takes only what nobody holds"
    assert reservations.spend(session, held.id, clock()).points == -7
    assert reservations.spend(session, held.id, clock()).repeated
    assert ledger.holding(session, lan) == (0, 0, 0, 0)
    with pytest.raises(Conflict, match="spent already"):
        reservations.cancel(session, held.id, clock())
    assert ledger_check.faults(session) == []


@pytest.mark.parametrize("how", ["cancelled", "lapsed"])
def test_what_was_reserved_comes_free_or_expires_if_its_time_is_over(
    session: Session, clock: Clock, lan: int, how: str
) -> None:
    give(session, lan, 5, clock, "a", 1)
    give(session, lan, 5, clock, "b")
    held = reservations.reserve(session, lan, 10, fact(clock, "till:1"), clock() + 2 * DAY)
    clock.pass_by(days=1.5 if how == "cancelled" else 2)
    if how == "cancelled":
        assert reservations.cancel(session, held.id, clock()).state == how
        assert reservations.cancel(session, held.id, clock()).state == how
    with pytest.raises(Conflict):
        reservations.spend(session, held.id, clock())
    assert reservations.find(session, held.id).state == how
    assert ledger.holding(session, lan) == (5, 0, 0, 0)
    assert ledger_check.faults(session) == []


@pytest.mark.parametrize("owed", [0, 3])
def test_what_a_lapsed_reservation_held_is_shown_as_it_will_be(
    session: Session, clock: Clock, lan: int, owed: int
) -> None:
    give(session, lan, 5, clock, "a", 1)
    give(session, lan, 6, clock, "b")
    reservations.reserve(session, lan, 9, fact(clock, "till:1"), clock() + 2 * DAY)
    ledger.redeem(session, lan, 2, fact(clock, "gift"))
    if owed:
        ledger.take_back(session, lan, owed, fact(clock, "refund"))
    clock.pass_by(days=2)
    shown = cards.card(session, lan, clock())
    assert (shown.balance, shown.spendable, shown.held, shown.debt) == (4 - owed, 4 - owed, 0, 0)
    ledger.catch_up(session, lan, clock())
    assert ledger.holding(session, lan) == (4 - owed, 0, 0, 0)


def test_points_that_come_free_repay_what_is_owed(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a")
    held = reservations.reserve(session, lan, 10, fact(clock, "till:1"), clock() + DAY)
    ledger.take_back(session, lan, 4, fact(clock, "refund"))
    assert ledger.holding(session, lan) == (6, 0, 10, 4)
    reservations.cancel(session, held.id, clock())
    assert ledger.holding(session, lan) == (6, 0, 0, 0)
    assert ledger_check.faults(session) == []


def test_frozen_points_cannot_be_spent_but_are_earned_and_taken_back(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 10, clock, "a")
    held = reservations.reserve(session, lan, 1, fact(clock, "till:0"), clock() + DAY)
    ledger.freeze(session, lan, "nghi gian lận", clock())
    with pytest.raises(Frozen):
        ledger.redeem(session, lan, 1, fact(clock, "gift"))
    with pytest.raises(Frozen):
        reservations.reserve(session, lan, 1, fact(clock, "till:1"), clock() + DAY)
    with pytest.raises(Frozen):
        reservations.spend(session, held.id, clock())
    give(session, lan, 10, clock, "b")
    ledger.take_back(session, lan, 5, fact(clock, "refund"))
    ledger.unfreeze(session, lan)
    assert ledger.redeem(session, lan, 1, fact(clock, "gift")).spendable == 13


def test_who_turns_out_to_be_another_brings_lots_debts_and_days_along(session: Session, clock: Clock, lan: int) -> None:
    guest = born(session, clock()).customer_id
    give(session, guest, 10, clock, "a", 30)
    ledger.earn(session, guest, 20, fact(clock, "b"), terms=Terms(available_at=clock() + DAY))
    ledger.earn(session, guest, 90, fact(clock, "q", happened_at=clock() - 9 * DAY), "qualify")
    reservations.reserve(session, guest, 3, fact(clock, "till:1"), clock() + DAY)
    give(session, lan, 4, clock, "c")
    ledger.redeem(session, lan, 4, fact(clock, "gift"))
    ledger.take_back(session, lan, 4, fact(clock, "refund"))
    ledger.transfer(session, guest, lan, clock(), "join:1")
    assert ledger.holding(session, guest) == (0, 0, 0, 0)
    assert ledger.holding(session, lan) == (26, 20, 0, 0), "10 that can be spent pay the 4 that were owed"
    assert lots.open_lots(session, lan, "spend")[0].expires_at - clock() == 30 * DAY
    assert loyalty.total(session, lan, "qualify", clock() - 9 * DAY, clock()) == 90
    assert ledger_check.faults(session) == []


@pytest.mark.parametrize("table", ["ledger_entry", "lot_use"])
def test_the_database_itself_refuses_to_change_what_is_written(
    session: Session, clock: Clock, lan: int, table: str
) -> None:
    give(session, lan, 7, clock, "a")
    ledger.redeem(session, lan, 7, fact(clock, "gift"))
    for statement in (f"UPDATE {table} SET points = 1000000", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.connection().execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE point_lot SET remaining = remaining + 1",
        "UPDATE point_balance SET balance = balance + 1",
        "UPDATE point_balance SET debt = debt + 1",
        "UPDATE point_lot SET expires_at = available_at",
    ],
)
def test_counting_anew_finds_what_was_tampered_with(session: Session, clock: Clock, lan: int, statement: str) -> None:
    give(session, lan, 7, clock, "a")
    ledger.redeem(session, lan, 3, fact(clock, "gift"))
    assert ledger_check.faults(session) == []
    session.connection().execute(text(statement))
    assert ledger_check.faults(session)


def test_a_moment_far_away_is_kept_as_it_is(session: Session, clock: Clock, lan: int) -> None:
    give(session, lan, 7, clock, "a")
    assert lots.open_lots(session, lan, "spend")[0].expires_at == datetime(9999, 12, 31, tzinfo=UTC)
