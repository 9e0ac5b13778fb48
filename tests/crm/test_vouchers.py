"""Rewards taken for points, and their vouchers: each step once, each refusal in words and with nothing half done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from crm import codes, ledger, loyalty, rewards, stamps, vouchers
from crm.errors import Conflict, CrmError, NotFound
from crm.ledger import Fact, Frozen, NotEnough
from crm.rewards import Why
from crm.vouchers import GUESSES, State, VoucherRow
from storage import ledger_check, lots
from storage import rewards as stock
from tests.crm.rewards import member, open_shop

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SOON = NOW + timedelta(minutes=15)


def fact(key: str, now: datetime = NOW) -> Fact:
    """A sale or a wish."""
    return Fact(key=key, now=now)


@pytest.fixture
def lan(session: Session) -> int:
    """A customer with 100 points."""
    open_shop(session, NOW)
    return member(session, "lan", 100, NOW)


def taken(session: Session, customer: int, code: str, key: str = "wish") -> VoucherRow:
    """A voucher for points."""
    return rewards.take(session, customer, code, fact(key))[0]


def balance(session: Session, customer: int) -> int:
    """The points that are held."""
    return ledger.holding(session, customer).balance


def test_a_reward_becomes_a_voucher_once(session: Session, lan: int) -> None:
    voucher, repeated = rewards.take(session, lan, "coffee", fact("wish"))
    again, before = rewards.take(session, lan, "coffee", fact("wish"))
    assert (repeated, before, again) == (False, True, voucher) and balance(session, lan) == 70
    assert codes.is_code(voucher.code, 12) and (voucher.points, voucher.currency) == (30, "spend")
    assert voucher.expires_at == datetime(2026, 12, 23, 17, tzinfo=UTC)
    with pytest.raises(Conflict):
        rewards.take(session, member(session, "minh", 50, NOW), "coffee", fact("wish"))


@pytest.mark.parametrize(
    ("code", "error", "field"),
    [("gold", Conflict, "reward"), ("nothing", NotFound, "reward"), ("off", Conflict, "reward")],
)
def test_what_is_not_theirs_to_take_is_refused(
    session: Session, lan: int, code: str, error: type[CrmError], field: str
) -> None:
    taken(session, lan, "off", "before")
    with pytest.raises(error) as refusal:
        rewards.take(session, lan, code, fact("wish"))
    assert refusal.value.field == field and balance(session, lan) == 80
    assert stock.taken(session) == {"off": 1}


def test_who_lacks_points_or_is_frozen_takes_nothing(session: Session, lan: int) -> None:
    poor = member(session, "minh", 9, NOW)
    with pytest.raises(NotEnough):
        rewards.take(session, poor, "last", fact("a"))
    ledger.freeze(session, lan, "look", NOW)
    with pytest.raises(Frozen):
        rewards.take(session, lan, "last", fact("b"))
    assert stock.taken(session) == {} and (balance(session, lan), balance(session, poor)) == (100, 9)


def test_the_last_one_is_taken_once_and_comes_back(session: Session, lan: int) -> None:
    minh = member(session, "minh", 50, NOW)
    voucher = taken(session, lan, "last")
    with pytest.raises(Conflict):
        rewards.take(session, minh, "last", fact("other"))
    assert balance(session, minh) == 50
    assert rewards.offer(session, minh, "last", NOW).why is Why.SOLD_OUT
    for _ in range(2):
        rewards.give_back(session, voucher.id, fact("undo"))
    assert balance(session, lan) == 100 and stock.taken(session) == {"last": 0}
    assert taken(session, minh, "last", "other").left == 1


def test_a_price_that_changed_since_it_was_shown_is_not_paid(session: Session, lan: int) -> None:
    with pytest.raises(Conflict) as refusal:
        rewards.take(session, lan, "coffee", fact("wish"), points=25)
    assert refusal.value.field == "points" and balance(session, lan) == 100


def test_a_sale_reserves_redeems_and_releases_once(session: Session, lan: int) -> None:
    voucher = taken(session, lan, "coffee")
    for repeated in (False, True):
        assert vouchers.reserve(session, voucher.id, fact("bill 1"), SOON).repeated is repeated
    with pytest.raises(Conflict):
        vouchers.redeem(session, voucher.id, fact("bill 2"))
    for repeated in (False, True):
        assert vouchers.redeem(session, voucher.id, fact("bill 1")).repeated is repeated
    assert vouchers.state(vouchers.find(session, voucher.id, NOW), NOW) is State.USED
    with pytest.raises(Conflict):
        vouchers.redeem(session, voucher.id, fact("bill 2"))
    for repeated in (False, True):
        assert vouchers.release(session, voucher.id, fact("bill 1")).repeated is repeated
    with pytest.raises(Conflict):
        vouchers.redeem(session, voucher.id, fact("bill 1"))
    assert vouchers.redeem(session, voucher.id, fact("bill 2")).voucher.left == 0
    with pytest.raises(NotFound):
        vouchers.release(session, voucher.id, fact("bill 3"))


def test_a_reservation_ends_by_itself_and_outlives_the_voucher(session: Session, lan: int) -> None:
    voucher = taken(session, lan, "coffee")
    vouchers.reserve(session, voucher.id, fact("bill 1"), SOON)
    assert vouchers.state(vouchers.find(session, voucher.id, NOW), NOW) is State.RESERVED
    assert vouchers.state(vouchers.find(session, voucher.id, SOON), SOON) is State.USABLE
    last = voucher.expires_at - timedelta(minutes=1)
    vouchers.reserve(session, voucher.id, fact("bill 2", last), voucher.expires_at + timedelta(minutes=9))
    over = voucher.expires_at + timedelta(minutes=1)
    assert vouchers.redeem(session, voucher.id, fact("bill 2", over)).state == "redeemed"


def test_several_uses_count_one_by_one(session: Session, lan: int) -> None:
    voucher = taken(session, lan, "off")
    assert vouchers.redeem(session, voucher.id, fact("bill 1")).voucher.left == 1
    assert vouchers.of_customer(session, lan, NOW)[0].left == 1
    assert vouchers.redeem(session, voucher.id, fact("bill 2")).voucher.left == 0
    with pytest.raises(Conflict):
        vouchers.redeem(session, voucher.id, fact("bill 3"))
    assert vouchers.of_customer(session, lan, NOW) == []


def test_expired_foreign_frozen_and_used_ones_are_refused(session: Session, lan: int) -> None:
    voucher, minh = taken(session, lan, "coffee"), member(session, "minh", 5, NOW)
    with pytest.raises(Conflict) as foreign:
        vouchers.redeem(session, voucher.id, fact("bill"), minh)
    assert foreign.value.field == "customer"
    with pytest.raises(Conflict) as expired:
        vouchers.redeem(session, voucher.id, fact("bill", voucher.expires_at))
    assert expired.value.field == "code"
    ledger.freeze(session, lan, "look", NOW)
    with pytest.raises(Frozen):
        vouchers.reserve(session, voucher.id, fact("bill"), SOON)
    ledger.unfreeze(session, lan)
    vouchers.redeem(session, voucher.id, fact("bill"), lan)
    with pytest.raises(Conflict):
        rewards.give_back(session, voucher.id, fact("undo"))
    assert balance(session, lan) == 70


def test_codes_are_found_however_they_are_typed_and_not_guessed_for_ever(session: Session, lan: int) -> None:
    voucher = taken(session, lan, "coffee")
    typed = vouchers.shown(voucher.code).lower().replace("-", " ")
    assert vouchers.resolve(session, typed, "till", NOW) == voucher.id
    slip = voucher.code[:-1] + codes.ALPHABET[codes.ALPHABET.index(voucher.code[-1]) - 1]
    for _ in range(GUESSES + 1):
        mistyped = vouchers.resolve(session, slip, "till", NOW)
        assert isinstance(mistyped, CrmError) and (mistyped.status, mistyped.field) == (422, "code")
    for _ in range(GUESSES):
        assert isinstance(vouchers.resolve(session, codes.new(12), "till", NOW), NotFound)
    blocked = vouchers.resolve(session, voucher.code, "till", NOW)
    assert isinstance(blocked, CrmError) and blocked.status == 429
    assert vouchers.resolve(session, voucher.code, "another till", NOW) == voucher.id
    assert vouchers.resolve(session, voucher.code, "till", NOW + timedelta(hours=1)) == voucher.id


def test_a_full_stamp_card_becomes_a_voucher_once(session: Session, lan: int) -> None:
    assert stamps.give(session, lan, 8, "", fact("visit 1")) == []
    (voucher,) = stamps.give(session, lan, 3, "coffee", fact("visit 2"))
    assert stamps.give(session, lan, 3, "coffee", fact("visit 2")) == stamps.fill(session, lan, NOW) == []
    (card,) = stamps.standings(session, lan, NOW)
    assert (card.stamps, card.missing, voucher.reward, voucher.points) == (2, 7, "coffee", 9)
    assert len(stamps.give(session, lan, 16, "", fact("visit 3"))) == 2
    assert [each.reward for each in vouchers.of_customer(session, lan, NOW)] == ["coffee"] * 3
    with pytest.raises(Conflict):
        rewards.give_back(session, voucher.id, fact("undo"))
    assert ledger_check.faults(session) == [] and lots.open_lots(session, lan, "stamp:coffee") == []


def test_stamps_of_who_is_frozen_stay_until_they_are_not(session: Session, lan: int) -> None:
    ledger.freeze(session, lan, "look", NOW)
    assert stamps.give(session, lan, 9, "", fact("visit 1")) == []
    loyalty.unfreeze(session, lan, NOW)
    assert [each.reward for each in vouchers.of_customer(session, lan, NOW)] == ["coffee"]
    assert stamps.give(session, lan, 1, "", fact("visit 2")) == []


@pytest.mark.parametrize(("count", "card"), [(0, ""), (21, ""), (1, "tea")])
def test_stamps_that_cannot_be_are_refused(session: Session, lan: int, count: int, card: str) -> None:
    with pytest.raises(CrmError):
        stamps.give(session, lan, count, card, fact("visit"))
    assert ledger.holding(session, lan, "stamp:coffee").balance == 0
